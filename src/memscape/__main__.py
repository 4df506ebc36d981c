"""The command ``memscape``, also ``python -m memscape``: the way into `memscape.book.cli`, if that is installed."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command, or say in one sentence that the packages of the book are missing."""
    try:
        from memscape.book.cli import main as command
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] == "memscape":
            raise
        sys.exit(
            f"The models are installed and the book is not (no {error.name}): pip install 'memscape[book]' brings what "
            "this command needs."
        )
    command()


if __name__ == "__main__":
    main()
