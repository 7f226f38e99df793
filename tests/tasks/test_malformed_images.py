"""Malformed image sets, ten or more of each format: always AzgenError, in one line, with the file's name."""

import gzip
import zlib

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.tasks.readers.cifar import read_cifar10
from azgen.tasks.readers.idx import read_idx, read_idx_images
from azgen.tasks.readers.svhn import read_svhn
from tests.tasks import image_files as files
from tests.tasks.damage import KINDS, corrupted, refused, written

# ---- IDX


GOOD_IDX = files.idx(np.arange(60, dtype=np.uint8).reshape(5, 4, 3))


@pytest.mark.parametrize("zipped", [False, True])
@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\0\0", "no IDX file"),
        (GOOD_IDX[:4], "ends within its header"),
        (GOOD_IDX[:30], "but holds 14; get it again"),
        (GOOD_IDX + b"\0", "goes on after its 60 bytes"),
        (b"\0\0\x07\x01" + GOOD_IDX[4:], "no IDX file"),
        (b"\0\0\x08\x09" + GOOD_IDX[4:], "no IDX file"),
        (b"\0\0\x08\x00" + GOOD_IDX[4:], "no IDX file"),
        (b"P5 " + GOOD_IDX, "no IDX file"),
        (b"\0\0\x08\x03" + b"\xff" * 12 + bytes(50), "of memory"),
        (b"\0\0\x0e\x03" + GOOD_IDX[4:], "should hold 480 bytes"),
    ],
)
def test_idx(tmp_path, zipped, data, words):
    name = "bad-idx3-ubyte" + (".gz" if zipped else "")
    refused(read_idx, written(tmp_path, name, gzip.compress(data) if zipped else data), words)


def test_damaged_gzip(tmp_path):
    data = gzip.compress(GOOD_IDX)
    for bad in (
        data[:-12],
        data[:20],
        data[:12] + b"\xff\xff" + data[14:],
        data[:-8] + b"12345678",
        b"\x1f\x8b",
    ):
        refused(read_idx, written(tmp_path, "bad.gz", bad))
    refused(read_idx, written(tmp_path, "empty.gz", b""), "is empty")


def test_idx_pairs_that_do_not_fit(tmp_path):
    images = written(tmp_path, "images", files.idx(np.zeros((5, 4, 3), np.uint8)))
    for array, word in (
        (np.zeros(4, np.uint8), "holds 5 images, but"),
        (np.zeros((5, 2), np.uint8), "one class per image"),
        (np.zeros(5, ">f4"), "one class per image"),
    ):
        labels = written(tmp_path, "labels", files.idx(array))
        refused(lambda path: read_idx_images(images, path), labels, word)
    labels = written(tmp_path, "labels", files.idx(np.zeros(5, np.uint8)))
    for array in (np.zeros(5, np.uint8), np.zeros((5, 4, 3), ">i4")):
        images = written(tmp_path, "images", files.idx(array))
        refused(lambda path: read_idx_images(path, labels), images, "images of bytes are needed")
    images = written(tmp_path, "images", files.idx(np.zeros((0, 4, 3), np.uint8)))
    labels = written(tmp_path, "labels", files.idx(np.zeros(0, np.uint8)))
    refused(lambda path: read_idx_images(path, labels), images, "no images")


# ---- CIFAR-10


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (files.cifar_pickle(2)[:-40], "no readable CIFAR-10 batch"),
        (files.cifar_pickle(2)[30:], "no readable CIFAR-10 batch"),
        (b"\x80\x02}q\x01.", "a dictionary with data and labels"),
        (b"\x80\x02]q\x01.", "a dictionary with data and labels"),
        (files.cifar_pickle(2, labels=[1]), "2 images, but not as many"),
        (files.cifar_pickle(2, labels=[1, 10]), "a class other than 0 to 9"),
        (files.cifar_pickle(2, pixels=3071), "no array of images x 3072 bytes"),
        (files.cifar_pickle(2, code="f8"), "no array of images x 3072 bytes"),
        (files.cifar_pickle(2, code="O"), "no array of images x 3072 bytes"),
        (files.cifar_pickle(2, cut=100), "no array of images x 3072 bytes"),
        (b"cos\nsystem\n(S'touch harm'\ntR.", "asks for os.system"),
        (b"cbuiltins\neval\n(S'1'\ntR.", "asks for builtins.eval"),
        (b"cnumpy.core.multiarray\nscalar\n.", "asks for numpy.core.multiarray.scalar"),
        (b"c_codecs\nencode\n(S'a'\nS'rot13'\ntR.", "an encoding other than latin1"),
        (b"\x80\x02Pid\n.", "refers to an object outside"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "a memo number larger than the file"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "no readable CIFAR-10 batch"),
        (
            np.random.default_rng(0).integers(0, 256, 9000).astype(np.uint8).tobytes(),
            "no readable CIFAR-10 batch",
        ),
    ],
)
def test_cifar_pickles(tmp_path, data, words):
    files.cifar_folder(tmp_path, form="py")
    (tmp_path / "data_batch_3").write_bytes(data)
    with pytest.raises(AzgenError) as caught:
        read_cifar10(tmp_path)
    assert "data_batch_3" in str(caught.value) and words in str(caught.value)


def test_random_damage_to_a_cifar_pickle_never_escapes(tmp_path):
    files.cifar_folder(tmp_path, form="py")
    good = files.cifar_pickle(2)
    random = np.random.default_rng(5)
    head, noticed = 400, 0
    for trial in range(400):
        data = bytearray(good)
        # The images are most of the file; damage its structure, at both ends.
        position = int(random.integers(head)) if trial % 2 else len(data) - 1 - int(random.integers(head))
        data[position] = int(random.integers(256))
        (tmp_path / "data_batch_1").write_bytes(bytes(data))
        try:
            read_cifar10(tmp_path)
        except AzgenError:
            noticed += 1
    assert noticed > 30


@pytest.mark.parametrize("size", [1, 3072, 3074, 2 * 3073 - 1, 5])
def test_cifar_binaries_of_a_wrong_length(tmp_path, size):
    files.cifar_folder(tmp_path, form="bin")
    (tmp_path / "data_batch_2.bin").write_bytes(bytes(size))
    refused(read_cifar10, tmp_path, f"data_batch_2.bin has {size} bytes, no multiple of 3073")


def test_cifar_binaries_with_bad_contents(tmp_path):
    files.cifar_folder(tmp_path, form="bin")
    (tmp_path / "data_batch_2.bin").write_bytes(b"\x0a" + bytes(3072))
    refused(read_cifar10, tmp_path, "a class other than 0 to 9")
    (tmp_path / "data_batch_2.bin").write_bytes(b"")
    with pytest.raises(AzgenError, match="is empty"):
        read_cifar10(tmp_path)
    (tmp_path / "data_batch_2.bin").unlink()
    refused(read_cifar10, tmp_path, "there is no data_batch_2")


@pytest.mark.parametrize("form", ["py", "bin"])
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_cifar_archives(tmp_path, form, kind):
    path = files.cifar_archive(tmp_path, form)
    data = path.read_bytes()
    # The last bytes of an archive are padding; what counts ends well before.
    path.write_bytes(data[:-5000] if kind == "no end" else corrupted(data, kind))
    refused(read_cifar10, path)


def test_a_cifar_archive_without_a_batch(tmp_path):
    path = files.cifar_archive(tmp_path, "bin", leave_out="test_batch.bin")
    refused(read_cifar10, path, "there is no test_batch")


# ---- SVHN


@pytest.mark.parametrize("kind", [*KINDS, "wrong version"])
def test_damaged_svhn(tmp_path, kind):
    path = files.svhn_file(tmp_path / "train_32x32.mat", 5)
    data = path.read_bytes()
    if kind in ("wrong magic", "wrong version"):  # the first 124 bytes are free text, then comes the version
        path.write_bytes(data[:124] + (b"XXXX" if kind == "wrong magic" else b"\x00\x09IM") + data[128:])
    else:
        path.write_bytes(corrupted(data, kind))
    refused(read_svhn, path)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"y": np.ones((5, 1))}, "X (images) and y (digits) are needed"),
        ({"X": np.zeros((32, 32, 3, 5), np.uint8)}, "X (images) and y (digits) are needed"),
        ({"X": np.zeros((32, 32, 3, 5), np.uint8), "y": np.ones((4, 1))}, "5 images, but 4 labels"),
        ({"X": np.zeros((32, 32, 3, 5), np.uint8), "y": np.zeros((5, 1))}, "other than 1 to 10"),
        ({"X": np.zeros((32, 32, 3, 5), np.uint8), "y": np.full((5, 1), np.nan)}, "other than 1 to 10"),
        ({"X": np.zeros((28, 28, 1, 5), np.uint8), "y": np.ones((5, 1))}, "32 x 32 x 3 x images"),
        ({"X": np.zeros((32, 32, 3, 5)), "y": np.ones((5, 1))}, "float64"),
        ({"X": np.zeros((32, 32, 3, 5), np.uint8), "y": np.array(["a"] * 5)}, "labels of type"),
    ],
)
def test_svhn_with_unsuitable_contents(tmp_path, content, words):
    from scipy.io import savemat

    savemat(tmp_path / "bad.mat", content)
    refused(read_svhn, tmp_path / "bad.mat", words)


def test_random_damage_to_svhn_never_escapes(tmp_path):
    path = files.svhn_file(tmp_path / "train_32x32.mat", 2)
    good = path.read_bytes()
    random = np.random.default_rng(5)
    noticed = 0
    for _ in range(200):
        data = bytearray(good)
        data[int(random.integers(min(400, len(data))))] = int(random.integers(256))
        path.write_bytes(bytes(data))
        try:
            read_svhn(path)
        except AzgenError:
            noticed += 1
    assert noticed > 20


def test_zlib_is_what_gzip_damage_raises():
    """The readers catch zlib.error by name; should Python change that, this tells."""
    with pytest.raises((zlib.error, OSError, EOFError)):
        gzip.decompress(gzip.compress(GOOD_IDX)[:12] + b"\xff\xff" + bytes(20))
