"""The data that chapters use, kept with the book and checked byte for byte before use.

``data/mnist`` holds the four official MNIST files, ``data/omniglot`` characters of eight alphabets, and
``data/digraphs`` all digraphs of up to five nodes and the fixed points of their networks. Nothing is downloaded and
nothing is unpickled.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import math
import zipfile
import zlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from memscape.arguments import require_integer
from memscape.book import chapters

Bytes = npt.NDArray[np.uint8]
_Value = TypeVar("_Value", bound=np.generic)

_FILES = {
    "train_images": "train-images-idx3-ubyte",
    "train_labels": "train-labels-idx1-ubyte",
    "test_images": "t10k-images-idx3-ubyte",
    "test_labels": "t10k-labels-idx1-ubyte",
}


class DataError(Exception):
    """A data file is missing, or is not the file it should be."""


@dataclass(frozen=True)
class Mnist:
    """Handwritten digits, as read-only arrays of uint8.

    Parameters
    ----------
    train_images, test_images
        Grey values (images, rows, columns) = (60000, 28, 28) and (10000, 28, 28): 0 for paper, 255 for full ink.
    train_labels, test_labels
        The digits shown, 0 to 9: (60000,) and (10000,).
    """

    train_images: Bytes
    train_labels: Bytes
    test_images: Bytes
    test_labels: Bytes


def mnist(root: Path | None = None) -> Mnist:
    """Return MNIST as it lies in ``data/mnist``; read and checked once a process.

    Parameters
    ----------
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    DataError
        Naming the file, the SHA-256 expected and what was found, where a file is missing, truncated or otherwise not
        the one that ``SHA256SUMS`` lists, compressed and unpacked.

    References
    ----------
    LeCun, Bottou, Bengio and Haffner 1998.
    """
    return _mnist((chapters.home() if root is None else root).resolve() / "data" / "mnist")


@cache
def _mnist(folder: Path) -> Mnist:
    sums = _sums(folder / "SHA256SUMS")
    return Mnist(**{field: _idx(_unpacked(folder, name, sums), name) for field, name in _FILES.items()})


@dataclass(frozen=True)
class Omniglot:
    """Handwritten characters, as read-only arrays.

    Parameters
    ----------
    images
        Ink, uint8 (characters, writers, rows, columns) = (242, 20, 105, 105): 1 for ink, 0 for paper. Characters stand
        in the order of their alphabet's name, then of their number in it; a writer is the same within an alphabet.
    alphabet
        Which of ``alphabets`` each character belongs to, int64 (characters,).
    alphabets
        Names of the eight alphabets, in their order.
    """

    images: Bytes
    alphabet: npt.NDArray[np.int64]
    alphabets: tuple[str, ...]


@dataclass(frozen=True)
class OmniglotRuns:
    """Twenty runs of one-shot classification among twenty characters, as read-only arrays.

    Parameters
    ----------
    examples
        One example of each character, uint8 (runs, characters, rows, columns) = (20, 20, 105, 105): 1 for ink.
    tests
        One image of each character by another hand, of the same shape.
    answers
        The example that shows the character of each image of ``tests``, int64 (runs, characters), a permutation a run.
    """

    examples: Bytes
    tests: Bytes
    answers: npt.NDArray[np.int64]


def omniglot(root: Path | None = None) -> Omniglot:
    """Return the characters of ``data/omniglot``; read and checked once a process.

    Both archives hold Greek and Latin, image for image the same: these are returned once.

    Parameters
    ----------
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    DataError
        As `mnist`, where a file is not the one that ``SHA256SUMS`` lists.

    References
    ----------
    Lake, Salakhutdinov and Tenenbaum 2015.
    """
    return _omniglot((chapters.home() if root is None else root).resolve() / "data" / "omniglot")


@cache
def _omniglot(folder: Path) -> Omniglot:
    drawn: dict[tuple[str, str], dict[str, Bytes]] = {}
    for archive in ("images_background_small1.zip", "images_background_small2.zip"):
        for path, content in _pngs(folder, archive).items():
            _, name, character, file = path.split("/")
            drawn.setdefault((name, character), {})[file] = content
    kinds = sorted(drawn)
    names = sorted({name for name, _ in kinds})
    images = np.stack([np.stack([drawn[kind][file] for file in sorted(drawn[kind])]) for kind in kinds])
    alphabet = np.array([names.index(name) for name, _ in kinds], dtype=np.int64)
    return Omniglot(_fixed(images), _fixed(alphabet), tuple(name.replace("_", " ") for name in names))


def omniglot_runs(root: Path | None = None) -> OmniglotRuns:
    """Return the runs of one-shot classification of ``data/omniglot``; read and checked once a process.

    Parameters
    ----------
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    DataError
        As `mnist`, where a file is not the one that ``SHA256SUMS`` lists.

    References
    ----------
    Lake, Salakhutdinov and Tenenbaum 2015.
    """
    return _omniglot_runs((chapters.home() if root is None else root).resolve() / "data" / "omniglot")


@cache
def _omniglot_runs(folder: Path) -> OmniglotRuns:
    images = _pngs(folder, "all_runs.zip")
    with zipfile.ZipFile(io.BytesIO(_verified(folder / "all_runs.zip", _sums(folder / "SHA256SUMS")))) as archive:
        labels = {name: archive.read(name).decode() for name in archive.namelist() if name.endswith("class_labels.txt")}
    examples, tests, answers = [], [], []
    for name in sorted(labels):
        pairs = dict(line.split() for line in labels[name].splitlines() if line)
        shown = sorted(set(pairs.values()))
        examples.append(np.stack([images[example] for example in shown]))
        tests.append(np.stack([images[test] for test in sorted(pairs)]))
        answers.append([shown.index(pairs[test]) for test in sorted(pairs)])
    return OmniglotRuns(_fixed(np.stack(examples)), _fixed(np.stack(tests)), _fixed(np.array(answers)))


def _pngs(folder: Path, name: str) -> dict[str, Bytes]:
    """Return the images of an archive by their names, 1 for ink: in the files a set bit is paper."""
    with zipfile.ZipFile(io.BytesIO(_verified(folder / name, _sums(folder / "SHA256SUMS")))) as archive:
        pngs = (file for file in archive.namelist() if file.endswith(".png"))
        return {png: 1 - np.asarray(Image.open(io.BytesIO(archive.read(png))), dtype=np.uint8) for png in pngs}


def _fixed(values: npt.NDArray[_Value]) -> npt.NDArray[_Value]:
    values.flags.writeable = False
    return values


def _sums(path: Path) -> dict[str, str]:
    """Read the lines ``<sha256>  <file>`` that sha256sum writes."""
    if not path.is_file():
        raise DataError(_refusal(path, "the list of hashes", "no file"))
    pairs = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {name.strip(): digest for digest, name in pairs}


def _unpacked(folder: Path, name: str, sums: dict[str, str]) -> bytes:
    path = folder / f"{name}.gz"
    packed = _verified(path, sums)
    try:
        content = gzip.decompress(packed)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        expected = f"content with SHA-256 {_listed(sums, name)}"
        raise DataError(_refusal(path, expected, f"a broken gzip file ({error})")) from None
    _require(folder / name, content, _listed(sums, name))
    return content


def _verified(path: Path, sums: dict[str, str]) -> bytes:
    """Return the bytes of a file that is the one listed, otherwise raise."""
    if not path.is_file():
        raise DataError(_refusal(path, f"SHA-256 {_listed(sums, path.name)}", "no file"))
    content = path.read_bytes()
    _require(path, content, _listed(sums, path.name))
    return content


def _require(path: Path, content: bytes, expected: str) -> None:
    found = hashlib.sha256(content).hexdigest()
    if found != expected:
        raise DataError(_refusal(path, f"SHA-256 {expected}", f"{found} ({len(content)} bytes)"))


def _listed(sums: dict[str, str], name: str) -> str:
    if name not in sums:
        raise DataError(f"SHA256SUMS: expected a line for {name}; found none. Restore it with `git checkout -- data`.")
    return sums[name]


def _refusal(path: Path, expected: str, found: str) -> str:
    return f"{path}: expected {expected}; found {found}. Restore it with `git checkout -- data`."


def _idx(content: bytes, name: str) -> Bytes:
    """Return the array of an IDX file of unsigned bytes."""
    header = np.frombuffer(content, dtype=np.uint8, count=4)
    if list(header[:3]) != [0, 0, 8]:
        raise DataError(f"{name}: expected an IDX file of unsigned bytes; found a header {header.tolist()}.")
    axes = int(header[3])
    shape = tuple(int(size) for size in np.frombuffer(content, dtype=">u4", count=axes, offset=4))
    values = np.frombuffer(content, dtype=np.uint8, offset=4 + 4 * axes)  # read-only, as the bytes are
    if values.size != math.prod(shape):
        raise DataError(f"{name}: expected {math.prod(shape)} values of shape {shape}; found {values.size}.")
    return values.reshape(shape)


@dataclass(frozen=True)
class DigraphTable:
    """The digraphs on a few nodes up to isomorphism, with the fixed points of their networks.

    Parameters
    ----------
    codes
        The canonical code of each digraph, int64 (graphs,), ascending.
    automorphisms
        Number of relabellings that leave it as it is, int64 (graphs,).
    parameters
        The pairs (epsilon, delta), as the decimal numbers in the header.
    exists, stable
        Whether each set of neurons, as a bit mask, is the support of a fixed point, and of a stable one, for each pair:
        bool (pairs, graphs, 2**nodes).
    """

    codes: npt.NDArray[np.int64]
    automorphisms: npt.NDArray[np.int64]
    parameters: tuple[tuple[str, str], ...]
    exists: npt.NDArray[np.bool_]
    stable: npt.NDArray[np.bool_]


def digraphs(nodes: int, root: Path | None = None) -> DigraphTable:
    """Return the table of digraphs on ``nodes`` nodes, 1 to 5, as it lies in ``data/digraphs``.

    Parameters
    ----------
    nodes
        Number of nodes.
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    ArgumentError
        If there is no table of so many nodes.
    DataError
        As `mnist`, where the file is not the one that ``SHA256SUMS`` lists.
    """
    require_integer("nodes", nodes, at_least=1, at_most=5)
    folder = (chapters.home() if root is None else root).resolve() / "data" / "digraphs"
    text = _unpacked(folder, f"n{nodes}.csv", _sums(folder / "SHA256SUMS")).decode()
    header, *rows = csv.reader(text.splitlines())
    supports = np.zeros((2, len(header) - 3, len(rows), 2**nodes), dtype=bool)
    for graph, row in enumerate(rows):
        for pair, cell in enumerate(row[3:]):
            for support in cell.split():
                mask = sum(1 << int(neuron) - 1 for neuron in support.rstrip("*"))
                supports[:, pair, graph, mask] = True, support.endswith("*")
    codes, automorphisms = (np.array([int(row[column]) for row in rows]) for column in (0, 2))
    parameters = tuple((pair.split()[0], pair.split()[1]) for pair in header[3:])
    return DigraphTable(codes, automorphisms, parameters, *supports)


@dataclass(frozen=True)
class PublishedDigraphs:
    """What the n5-graphs-package of Curto, Morrison and others prints, as far as it was read.

    Parameters
    ----------
    numbers
        The package's number of each graph that was read, int64 (graphs,).
    adjacency
        Whether there is an edge from j to i: bool (graphs, 5, 5), entry (i, j).
    exists
        Whether each set of neurons is the support of a fixed point at (0.51, 1.76): bool (graphs, 32).
    parameter_dependent, attractor_missing
        The package's two marks, bool (graphs,); every graph that bears one was read.
    class_sizes
        Number of graphs in each of the 155 motif equivalence classes, int64 (155,).
    """

    numbers: npt.NDArray[np.int64]
    adjacency: npt.NDArray[np.bool_]
    exists: npt.NDArray[np.bool_]
    parameter_dependent: npt.NDArray[np.bool_]
    attractor_missing: npt.NDArray[np.bool_]
    class_sizes: npt.NDArray[np.int64]


def published_digraphs(root: Path | None = None) -> PublishedDigraphs:
    """Return what was read of the published classification of digraphs on five nodes.

    Parameters
    ----------
    root
        The book's folder; by default the one that `chapters.home` finds.

    Raises
    ------
    DataError
        As `mnist`, where a file is not the one that ``SHA256SUMS`` lists.
    """
    folder = (chapters.home() if root is None else root).resolve() / "data" / "digraphs"
    sums, tables = _sums(folder / "SHA256SUMS"), []
    for name in ("published.csv", "published_classes.csv"):
        tables.append(list(csv.reader(_verified(folder / name, sums).decode().splitlines()))[1:])
    rows, classes = tables
    adjacency, exists = np.zeros((len(rows), 5, 5), dtype=bool), np.zeros((len(rows), 32), dtype=bool)
    for graph, row in enumerate(rows):
        for edge in row[1].split():
            adjacency[graph, int(edge[2]) - 1, int(edge[0]) - 1] = True
        for support in row[2].split():
            exists[graph, sum(1 << int(neuron) - 1 for neuron in support)] = True
    marks = np.array([[mark in row[3] for mark in ("p", "a")] for row in rows]).T
    sizes = np.array([int(size) for _, size in classes])
    return PublishedDigraphs(np.array([int(row[0]) for row in rows]), adjacency, exists, marks[0], marks[1], sizes)
