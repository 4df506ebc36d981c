"""Reading YAML: quickly, and with a sentence instead of a traceback where a file is broken."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from memscape.arguments import ArgumentError

# A PyYAML without libyaml has the slow one only.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def read(path: Path) -> Any:
    """Return what a YAML file holds; None where it is empty.

    Raises
    ------
    ArgumentError
        Naming the file and the place, where it is not YAML or not UTF-8.
    """
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ArgumentError(path.name, "a YAML file", " ".join(str(error).split())) from None
