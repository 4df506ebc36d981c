"""Pictures from a reader's folder: read in order, and refused where they are others."""

import hashlib
import io
import tarfile

import numpy as np
import pytest
from PIL import Image

from memscape.book import cifar10
from memscape.book.data import DataError


def archive(path, pictures):
    """Write an archive of plain pictures and return its hash."""
    with tarfile.open(path, "w:xz") as file:
        for name, (colour, size) in pictures.items():
            content = io.BytesIO()
            Image.new("RGB", (size, size), colour).save(content, "JPEG", quality=95)
            member = tarfile.TarInfo(name)
            member.size = content.tell()
            content.seek(0)
            file.addfile(member, content)
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def folder(tmp_path):
    train = {"train/frog/0001.jpg": ("black", 32), "train/cat/0000.jpg": ("white", 32), "train/readme": ("red", 32)}
    sums = {
        "train.tar.xz": archive(tmp_path / "train.tar.xz", train),
        "test.tar.xz": archive(tmp_path / "test.tar.xz", {"test/cat/0000.jpg": ((0, 255, 0), 32)}),
    }
    return tmp_path, sums


def test_pictures_come_in_the_order_of_their_paths_and_in_grey(folder):
    train, test = cifar10.grey(*folder)
    assert train.shape == (2, 32, 32)
    assert test.shape == (1, 32, 32)
    assert train.dtype == np.uint8
    assert train[0].min() >= 250  # the cat
    assert train[1].max() <= 5
    assert abs(test.astype(int) - 150).max() <= 4  # luminance of pure green: 0.587 of white


def test_other_archives_are_refused(folder, tmp_path):
    path, sums = folder
    with pytest.raises(DataError, match=r"train\.tar\.xz: expected SHA-256 b06b6e.*; found .*bytes"):
        cifar10.grey(path)
    (path / "test.tar.xz").unlink()
    with pytest.raises(DataError, match=r"test\.tar\.xz: expected an archive of CIFAR-10; found no file"):
        cifar10.grey(str(path), sums)


@pytest.mark.parametrize("pictures", [{}, {"train/cat/0000.jpg": ("white", 28)}])
def test_other_pictures_are_refused(folder, pictures):
    path, sums = folder
    wrong = {**sums, "train.tar.xz": archive(path / "train.tar.xz", pictures)}
    with pytest.raises(DataError, match="expected images of 32 x 32 pixels"):
        cifar10.grey(path, wrong)
