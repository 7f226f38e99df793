"""A damaged file of each format on the command line: one message with its name, exit status 2, no run
directory. (`test_malformed_tables.py` and `test_malformed_images.py` have ten and more of each.)"""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from azgen.cli import app
from tests.tasks import image_files as files

FRAME = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=list("aby"))
ARFF = "@relation r\n" + "".join(f"@attribute {name} numeric\n" for name in FRAME) + "@data\n"


def table(ending: str) -> bytes:
    buffer = io.BytesIO()
    if ending == "parquet":
        pytest.importorskip("pyarrow", reason="Parquet needs pyarrow")
        FRAME.to_parquet(buffer)
    elif ending == "npz":
        np.savez(buffer, x=FRAME[["a", "b"]], y=FRAME.y)
    else:
        text = FRAME.to_csv(index=False, header=ending != "arff", sep="\t" if ending == "tsv" else ",")
        buffer.write(((ARFF if ending == "arff" else "") + text).encode())
    return buffer.getvalue()


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AZGEN_DATA", str(tmp_path))


def refused(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 2, result.output
    assert isinstance(result.exception, SystemExit) and not Path("runs").exists()
    return result.stderr


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet", "npz", "arff"])
def test_tables(ending):
    good, path = table(ending), Path(f"mine.{ending}")
    path.write_bytes(good)
    assert CliRunner().invoke(app, ["data", str(path), "--target", "y", "--draw"]).exit_code == 0
    for bad in (b"", good[: len(good) // 2] + b"\0\xff", np.random.default_rng(1).bytes(400)):
        path.write_bytes(bad)
        for command in ("evolve", "run", "tune"):
            program = [] if command == "evolve" else ["zoo:linear"]
            assert path.name in refused(command, *program, "--data", str(path), "--target", "y")
        assert path.name in refused("data", str(path))


@pytest.mark.parametrize("bad", [b"", b"\0\0\x08\x03\0\0", b"nothing of the kind"])
def test_images(bad):
    for name in ("mnist", "cifar10", "svhn"):
        Path(name).mkdir()
    pixels = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    for part in ("train", "t10k"):
        Path(f"mnist/{part}-images-idx3-ubyte").write_bytes(files.idx(pixels))
        Path(f"mnist/{part}-labels-idx1-ubyte").write_bytes(files.idx(np.zeros(2, np.uint8)))
    files.cifar_folder(Path("cifar10"), form="bin")
    for part in ("train", "test"):
        files.svhn_file(Path(f"svhn/{part}_32x32.mat"), 5)
    damaged = {
        "mnist": Path("mnist/t10k-images-idx3-ubyte"),
        "cifar10": Path("cifar10/data_batch_4.bin"),
        "svhn": Path("svhn/test_32x32.mat"),
    }
    for name, path in damaged.items():
        path.write_bytes(bad)
        for arguments in (["data", name], ["evolve", "--data", name]):
            assert path.name in "".join(refused(*arguments).split())
