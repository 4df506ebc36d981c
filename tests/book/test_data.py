"""The digits are the official ones, and no others are ever handed out."""

import gzip
import hashlib
import re
import shutil

import numpy as np
import pytest

from memscape.book import data

OFFICIAL = {  # of the unpacked files
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def sums(folder):
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines)}


@pytest.fixture
def copy(root, tmp_path):
    """A copy of the data that may be damaged."""
    shutil.copytree(root / "data/mnist", tmp_path / "data/mnist")
    return tmp_path / "data/mnist"


def test_shapes_and_content(root):
    digits = data.mnist(root)
    assert digits.train_images.shape == (60000, 28, 28)
    assert digits.test_images.shape == (10000, 28, 28)
    assert digits.train_labels.shape == (60000,)
    assert digits.test_labels.shape == (10000,)
    assert np.bincount(digits.test_labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(digits.train_labels).sum() == 60000
    assert (digits.test_images.min(), digits.test_images.max()) == (0, 255)
    assert digits.train_labels[:5].tolist() == [5, 0, 4, 1, 9]
    # Rows before columns: the first test image is a seven, whose bar lies above its foot.
    seven = digits.test_images[0].astype(int)
    assert seven[8].sum() > 3 * seven[20].sum()


def test_arrays_are_read_only_and_read_once(root):
    digits = data.mnist(root)
    assert data.mnist(root) is digits
    for array in vars(digits).values():
        assert array.dtype == np.uint8
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_files_are_the_official_ones_and_listed(root):
    folder = root / "data/mnist"
    assert {name: digest for name, digest in sums(folder).items() if not name.endswith(".gz")} == OFFICIAL
    listed = {name: digest for name, digest in sums(folder).items() if name.endswith(".gz")}
    assert listed == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.gz")}
    assert len(listed) == 4


def truncate(path):
    path.write_bytes(path.read_bytes()[:-10])


def corrupt(path):
    content = bytearray(path.read_bytes())
    content[2000] ^= 1
    path.write_bytes(content)


def replace(path):
    path.write_bytes(gzip.compress(bytes(10_008)))


@pytest.mark.parametrize("damage", [truncate, corrupt, replace])
def test_a_damaged_file_is_refused_with_both_hashes(copy, damage):
    path = copy / "t10k-labels-idx1-ubyte.gz"
    expected = sums(copy)[path.name]
    damage(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    with pytest.raises(data.DataError) as caught:
        data.mnist(copy.parents[1])
    message = str(caught.value)
    assert f"{path}: expected SHA-256 {expected}; found {found} ({path.stat().st_size} bytes)." in message
    assert message.endswith("Restore it with `git checkout -- data`.")


def test_a_missing_file_is_refused_with_its_hash(copy):
    path = copy / "train-labels-idx1-ubyte.gz"
    expected = sums(copy)[path.name]
    path.unlink()
    with pytest.raises(data.DataError, match=re.escape(f"{path}: expected SHA-256 {expected}; found no file.")):
        data.mnist(copy.parents[1])


def relist(folder, name, content):
    """Write a file and list it as if it belonged."""
    path = folder / f"{name}.gz"
    path.write_bytes(content)
    listed = sums(folder) | {path.name: hashlib.sha256(content).hexdigest()}
    (folder / "SHA256SUMS").write_text("".join(f"{digest}  {name}\n" for name, digest in listed.items()))


def test_a_recompressed_other_file_is_refused_by_its_content(copy):
    relist(copy, "t10k-labels-idx1-ubyte", gzip.compress(bytes(10_008)))
    expected = OFFICIAL["t10k-labels-idx1-ubyte"]
    found = hashlib.sha256(bytes(10_008)).hexdigest()
    with pytest.raises(data.DataError, match=rf"t10k-labels-idx1-ubyte: expected SHA-256 {expected}; found {found}"):
        data.mnist(copy.parents[1])


def test_a_listed_but_broken_gzip_file_is_refused(copy):
    whole = (copy / "t10k-labels-idx1-ubyte.gz").read_bytes()
    for broken in (whole[:-200], b"not gzip at all"):
        relist(copy, "t10k-labels-idx1-ubyte", broken)
        with pytest.raises(data.DataError, match=r"labels-idx1-ubyte\.gz: expected content with SHA-256 .* broken"):
            data.mnist(copy.parents[1])


def test_the_list_itself_must_be_whole(copy):
    path = copy / "SHA256SUMS"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if "train-images" not in line))
    with pytest.raises(data.DataError, match=r"SHA256SUMS: expected a line for train-images-idx3-ubyte\.gz; found"):
        data.mnist(copy.parents[1])
    path.unlink()
    with pytest.raises(data.DataError, match="SHA256SUMS: expected the list of hashes; found no file"):
        data.mnist(copy.parents[1])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (bytes([0, 0, 13, 1, 0, 0, 0, 1, 7]), r"an IDX file of unsigned bytes; found a header \[0, 0, 13, 1\]"),
        (bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3]), r"expected 4 values of shape \(2, 2\); found 3"),
    ],
)
def test_a_file_of_another_format_is_refused(content, message):
    with pytest.raises(data.DataError, match=f"digits: .*{message}"):
        data._idx(content, "digits")


def test_idx_is_read_row_by_row():
    content = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6])
    assert data._idx(content, "digits").tolist() == [[1, 2, 3], [4, 5, 6]]


def test_nothing_is_unpickled(root):
    source = (root / "src/memscape/book/data.py").read_text(encoding="utf-8")
    assert "import pickle" not in source
    assert "np.load" not in source


# Digraphs


@pytest.fixture
def tables(root, tmp_path):
    """A copy of the tables of digraphs that may be damaged."""
    shutil.copytree(root / "data/digraphs", tmp_path / "data/digraphs")
    return tmp_path / "data/digraphs"


def test_the_table_of_three_nodes_reads_as_it_is_written(root):
    table = data.digraphs(3, root)
    assert table.codes.tolist()[:4] == [0, 1, 3, 5]
    assert table.automorphisms.tolist()[:4] == [6, 1, 2, 2]
    assert table.parameters == (("0.25", "0.5"), ("0.51", "1.76"), ("0.1", "0.12"))
    assert table.exists.shape == table.stable.shape == (3, 16, 8)
    # The digraph with the one edge 1 -> 2: fixed points 2*, 3* and 23.
    assert np.flatnonzero(table.exists[0, 1]).tolist() == [0b010, 0b100, 0b110]
    assert np.flatnonzero(table.stable[0, 1]).tolist() == [0b010, 0b100]


def test_the_published_digraphs_read_as_they_are_printed(root):
    published = data.published_digraphs(root)
    cycle = published.numbers.tolist().index(1)
    assert published.adjacency[cycle].sum() == 5
    assert published.adjacency[cycle, 1, 0]  # 1 -> 2
    assert np.flatnonzero(published.exists[cycle]).tolist() == [31]
    assert published.parameter_dependent.sum() == published.attractor_missing.sum() == 19
    assert published.class_sizes.sum() == 9608


def test_every_file_of_the_tables_is_listed(tables):
    listed = sums(tables)
    for path in [*tables.glob("*.gz"), *tables.glob("*.csv")]:
        assert listed[path.name] == hashlib.sha256(path.read_bytes()).hexdigest()
    for path in tables.glob("*.gz"):
        assert listed[path.stem] == hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()


@pytest.mark.parametrize("name", ["n4.csv.gz", "published.csv", "published_classes.csv"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_a_damaged_table_is_refused(tables, name, damage):
    path = tables / name
    path.write_bytes(path.read_bytes() + b"\n") if damage == "changed" else path.unlink()
    with pytest.raises(data.DataError, match=re.escape(name)):
        data.published_digraphs(tables.parents[1]) if "published" in name else data.digraphs(4, tables.parents[1])


def test_there_is_no_table_of_six_nodes(root):
    with pytest.raises(ValueError, match=r"^nodes: expected an integer in \[1, 5\]; got 6\.$"):
        data.digraphs(6, root)


ARCHIVES = {  # of commit 057f034b of brendenlake/omniglot
    "all_runs.zip": "437c1eeab0af8484112e1b4cc0f3d541ec727f7c47b9b202da738af9dfd6c325",
    "images_background_small1.zip": "f38eb80f801274ac2b4dff5b24289016bfaba4a7d5bb50deebf27104ad6cb8a4",
    "images_background_small2.zip": "3ccaa407515a8778e5d0861875af38b17e418f301ad5bb3b5a6b65d901a41c7f",
}


def test_characters_of_eight_alphabets_by_twenty_hands(root):
    characters = data.omniglot(root)
    assert data.omniglot(root) is characters
    assert characters.images.shape == (242, 20, 105, 105)
    assert characters.images.dtype == np.uint8
    assert np.unique(characters.images).tolist() == [0, 1]
    assert 0.02 < characters.images.mean() < 0.12  # ink is rare, and no image is blank
    assert characters.images.any(axis=(2, 3)).all()
    counts = dict(zip(characters.alphabets, np.bincount(characters.alphabet).tolist(), strict=True))
    assert counts == {
        "Balinese": 24,
        "Early Aramaic": 22,
        "Greek": 24,
        "Japanese (katakana)": 47,
        "Korean": 40,
        "Latin": 26,
        "Sanskrit": 42,
        "Tagalog": 17,
    }
    assert (np.diff(characters.alphabet) >= 0).all()
    # No drawing stands twice, although two alphabets lie in both archives.
    assert len({image.tobytes() for image in characters.images.reshape(-1, 105 * 105)}) == 4840
    with pytest.raises(ValueError, match="read-only"):
        characters.images[0] = 1


def test_drawings_of_one_character_resemble_each_other(root):
    """The axes are what they are said to be: ink of two hands meets more often within a character."""
    few = data.omniglot(root).images[:, :6, :, :].reshape(242, 6, 15, 7, 15, 7).max(axis=(3, 5)).reshape(242, 6, -1)
    unit = few / np.linalg.norm(few, axis=-1, keepdims=True)
    within = np.einsum("cwp,cvp->cwv", unit, unit)[:, ~np.eye(6, dtype=bool)].mean()
    between = np.einsum("cwp,cwp->cw", unit, np.roll(unit, 1, axis=0)).mean()
    assert within > between + 0.03


def test_each_run_pairs_twenty_tests_with_twenty_examples(root):
    runs = data.omniglot_runs(root)
    assert data.omniglot_runs(root) is runs
    assert runs.examples.shape == runs.tests.shape == (20, 20, 105, 105)
    assert (np.sort(runs.answers, axis=1) == np.arange(20)).all()
    # As the first file of labels says: item01 belongs to class08, item02 to class09.
    assert runs.answers[0, :2].tolist() == [7, 8]
    for array in vars(runs).values():
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1


def test_the_archives_are_those_of_the_repository(root):
    folder = root / "data/omniglot"
    assert sums(folder) == ARCHIVES
    assert {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.zip")} == ARCHIVES


@pytest.mark.parametrize(
    ("read", "name"), [(data.omniglot, "images_background_small2.zip"), (data.omniglot_runs, "all_runs.zip")]
)
def test_a_damaged_or_missing_archive_is_refused(read, name, root, tmp_path):
    folder = shutil.copytree(root / "data/omniglot", tmp_path / "data/omniglot")
    corrupt(folder / name)
    with pytest.raises(data.DataError, match=rf"{name}: expected SHA-256 {ARCHIVES[name]}; found"):
        read(tmp_path)
    (folder / name).unlink()
    with pytest.raises(data.DataError, match=rf"{name}: expected SHA-256 {ARCHIVES[name]}; found no file"):
        read(tmp_path)
