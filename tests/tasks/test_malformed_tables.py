"""Malformed tables, ten or more of each format: always AzgenError, in one line, with the file's name."""

import io
import struct
import zipfile

import numpy as np
import pandas as pd
import pytest

from azgen.errors import AzgenError
from azgen.tasks import read_table
from azgen.tasks.readers import memory
from tests.tasks.damage import KINDS, corrupted, refused, written
from tests.tasks.tables import table_tasks


def frame(n=30):
    random = np.random.default_rng(0)
    columns = pd.DataFrame(random.normal(size=(n, 3)), columns=["a", "b", "c"])
    columns["y"] = columns.a * 2
    return columns


# ---- text tables


@pytest.mark.parametrize("ending", [".csv", ".tsv"])
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "blank lines"),
        (b"a{d}b{d}y\n", "no rows"),
        (b"a{d}b{d}y\n1{d}2\n", "line 2: 2 cells"),
        (b"a{d}b{d}y\n1{d}2{d}3{d}4\n", "line 2: 4 cells"),
        (b"a{d}a{d}y\n1{d}2{d}3\n", "called 'a'"),
        (b"a{d}{d}y\n1{d}2{d}3\n", "column 2 has no name"),
        (b"\xff\xfea\0,\0b", "UTF-8"),
        (b"a{d}b{d}y\n1{d}\x81{d}3\n", "UTF-8"),
        (b"a{d}b{d}y\n1{d}\xe4\x07{d}3\n", "UTF-8"),
        (b'a{d}b{d}y\n1{d}"2{d}3\n', "quotation mark"),
        (b"a{d}b{d}y\n1{d}2\0{d}3\n", "zero byte"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "UTF-8"),
    ],
)
def test_delimited(tmp_path, ending, content, words):
    content = content.replace(b"{d}", b"," if ending == ".csv" else b"\t")
    refused(lambda path: table_tasks(path, "y"), written(tmp_path, "bad" + ending, content), words)


GOOD_ARFF = (
    "@relation r\n@attribute a numeric\n@attribute k {x,y}\n@attribute y numeric\n@data\n"
    + "1,x,2\n3,y,4.5\n" * 10
)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"nothing of the kind\n",
        GOOD_ARFF.split("@data")[0].encode(),
        GOOD_ARFF.replace("3,y,4.5", "3,z,4.5").encode(),
        GOOD_ARFF.replace("3,y,4.5", "3,y", 1).encode(),
        GOOD_ARFF.replace("3,y,4.5", "3,y,4.5,6").encode(),
        GOOD_ARFF.replace("3,y,4.5", "three,y,4.5").encode(),
        GOOD_ARFF.replace("a numeric", "a string").encode(),
        GOOD_ARFF.replace("a numeric", "a").encode(),
        GOOD_ARFF.replace("a numeric", "y numeric").encode(),
        GOOD_ARFF.split("1,x")[0].encode(),
        GOOD_ARFF.replace("x", "\xe4").encode("latin-1"),
        np.random.default_rng(0).integers(0, 256, 500).astype(np.uint8).tobytes(),
        GOOD_ARFF.encode("utf-16"),
    ],
)
def test_arff(tmp_path, content):
    refused(read_table, written(tmp_path, "bad.arff", content))
    assert read_table(written(tmp_path, "good.arff", GOOD_ARFF.encode())).names == ["a", "k", "y"]


# ---- binary tables


@pytest.fixture(scope="module")
def parquet_bytes(tmp_path_factory):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path_factory.mktemp("parquet") / "good.parquet"
    frame(3000).to_parquet(path)
    return path.read_bytes()


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_parquet(tmp_path, parquet_bytes, kind):
    refused(read_table, written(tmp_path, "bad.parquet", corrupted(parquet_bytes, kind)))


def test_parquet_with_unsuitable_contents(tmp_path):
    pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
    path = tmp_path / "bad.parquet"
    frame(0).to_parquet(path)
    refused(read_table, path, "no rows")
    pd.DataFrame({"a": [[1, 2], [3]], "y": [1, 2]}).to_parquet(path)
    refused(read_table, path, "column 'a' is of type list")
    pd.DataFrame({"a": [b"1", b"2"], "y": [1, 2]}).to_parquet(path)
    refused(read_table, path, "column 'a' is of type binary")
    frame().assign(when=pd.date_range("2024-01-01", periods=len(frame()))).to_parquet(path)
    refused(lambda p: table_tasks(p, "y"), path, "row 1, column 'when'", "not a number")
    frame().assign(a=np.inf).to_parquet(path)
    refused(lambda p: table_tasks(p, "y"), path, "row 1, column 'a'", "beyond the range")


def test_flipped_bits_in_parquet_never_escape(tmp_path, parquet_bytes):
    """A flipped bit is either noticed or changes values; it never ends in another error."""
    random = np.random.default_rng(3)
    noticed = 0
    for position in [
        *random.integers(0, len(parquet_bytes), 60),
        *range(len(parquet_bytes) - 60, len(parquet_bytes)),
    ]:
        data = bytearray(parquet_bytes)
        data[position] ^= 1 << int(random.integers(8))
        path = written(tmp_path, "bad.parquet", bytes(data))
        try:
            read_table(path)
        except AzgenError as problem:
            assert path.name in str(problem)
            noticed += 1
    assert noticed > 10


def npz_bytes(**arrays):
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


X = np.random.default_rng(0).normal(size=(20, 3))
Y = X[:, 0] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_npz(tmp_path, kind):
    refused(read_table, written(tmp_path, "bad.npz", corrupted(npz_bytes(x=X, y=Y), kind)))


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": X}, "it needs x"),
        ({"features": X, "labels": Y}, "holds features, labels; it needs x"),
        ({"x": X, "y": Y[:5]}, "one label for each of the 20 examples"),
        ({"x": X[:, 0], "y": Y}, "examples x features"),
        ({"x": X + 1j, "y": Y}, "complex128"),
        ({"x": X.astype(object), "y": Y}, "holds Python objects, which are not loaded"),
        ({"x": X, "y": Y.astype(object)}, "the array y holds Python objects"),
        ({"x": X[:, :0], "y": Y}, "shape (20, 0)"),
        ({"x": X, "y": Y, "feature_names": np.array(["a", "b"])}, "2 names for 3 features"),
        ({"x": X, "y": Y, "feature_names": np.array(["a", "b", "a"])}, "two columns are called 'a'"),
        ({}, "holds no arrays"),
        ({"x": X.astype("datetime64[D]"), "y": Y}, "datetime64"),
    ],
)
def test_npz_with_unsuitable_contents(tmp_path, arrays, words):
    refused(read_table, written(tmp_path, "bad.npz", npz_bytes(**arrays)), words)


def test_an_npz_that_would_run_code_is_not_unpickled(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "harm"), "w"))

    data = npz_bytes(x=np.array([Bomb()], dtype=object), y=Y)
    refused(read_table, written(tmp_path, "bad.npz", data), "Python objects")
    assert not (tmp_path / "harm").exists()


def test_an_npz_header_that_promises_the_moon(tmp_path):
    header = b"{'descr': '<f8', 'fortran_order': False, 'shape': (4000000000, 4000000000), }"
    header += b" " * (63 - (10 + len(header)) % 64) + b"\n"
    member = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(100)
    path = tmp_path / "bad.npz"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", member)
        archive.writestr("y.npy", member)
    refused(read_table, path, "the array x should take 128000000000000000000 bytes, but has")


def test_an_npz_that_unpacks_to_more_than_memory_is_refused(tmp_path, monkeypatch):
    """8 MB of zeros in a file of 8 kB, on a machine with 1 MB left."""
    buffer = io.BytesIO()
    np.savez_compressed(buffer, x=np.zeros((500_000, 2)), y=np.arange(500_000) % 2)
    assert len(buffer.getvalue()) < 2**20
    monkeypatch.setattr(memory, "available_memory", lambda: 2**20)
    refused(
        read_table, written(tmp_path, "bomb.npz", buffer.getvalue()), "holds 11.4 MiB", "1.0 MiB is available"
    )
