"""Small files in the formats of the known image sets, for tests."""

import io
import pickle
import struct
import tarfile

import numpy as np

IDX_CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(array):
    """An array as the bytes of an IDX file."""
    array = np.asarray(array)
    code = IDX_CODES[f"{array.dtype.kind}{array.dtype.itemsize}"]
    data = array.astype(array.dtype.newbyteorder(">")).tobytes()
    return bytes([0, 0, code, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + data


def cifar_images(n, seed=0):
    """Random images and classes."""
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (n, 3072)).astype(np.uint8), random.integers(0, 10, n).tolist()


def cifar_pickle(n, seed=0, labels=None, pixels=3072, code="u1", cut=0):
    """A batch as Python 2 wrote it: protocol 2, byte strings, an array by _reconstruct."""
    images, classes = cifar_images(n, seed)
    data = images[:, :pixels].tobytes()
    data = data[: len(data) - cut]

    def short(text):
        return b"U" + bytes([len(text)]) + text.encode()

    def integer(value):
        return b"J" + struct.pack("<i", value)

    return b"".join(
        [
            b"\x80\x02}q\x01(",
            short("batch_label") + b"q\x02" + short("training batch 1 of 5") + b"q\x03",
            short("labels")
            + b"q\x04]q\x05("
            + b"".join(map(integer, classes if labels is None else labels))
            + b"e",
            short("data") + b"q\x06cnumpy.core.multiarray\n_reconstruct\nq\x07cnumpy\nndarray\nq\x08",
            b"K\x00\x85" + short("b") + b"\x87Rq\x09(K\x01" + integer(n) + integer(pixels) + b"\x86",
            b"cnumpy\ndtype\nq\x0a" + short(code) + b"K\x00K\x01\x87Rq\x0b(K\x03" + short("|"),
            b"NNN"
            + integer(-1)
            + integer(-1)
            + b"K\x00tb\x89T"
            + struct.pack("<i", len(data))
            + data
            + b"tb",
            short("filenames")
            + b"q\x0c]q\x0d("
            + b"".join(short(f"image_{i}.png") for i in range(n))
            + b"eu.",
        ]
    )


def cifar_modern_pickle(n, seed=0, protocol=2):
    """A batch as a mirror might have written it anew, with today's Python and NumPy."""
    images, classes = cifar_images(n, seed)
    return pickle.dumps(
        {b"labels": classes, b"data": images, b"filenames": [b"x.png"] * n}, protocol=protocol
    )


def cifar_binary(n, seed=0):
    """A batch of the binary form."""
    images, classes = cifar_images(n, seed)
    return np.column_stack([np.array(classes, np.uint8), images]).tobytes()


def cifar_batches(form, n=2):
    """Name and contents of the six files."""
    ending = "" if form == "py" else ".bin"
    make = cifar_pickle if form == "py" else cifar_binary
    names = [*(f"data_batch_{i}" for i in range(1, 6)), "test_batch"]
    return {name + ending: make(n, seed) for seed, name in enumerate(names)}


def cifar_folder(folder, form, n=2):
    """The six files in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in cifar_batches(form, n).items():
        (folder / name).write_bytes(data)


def cifar_archive(folder, form, n=2, leave_out=""):
    """The archive, with the names inside that the original has."""
    folder.mkdir(parents=True, exist_ok=True)
    inside = f"cifar-10-batches-{form}"
    path = folder / {"py": "cifar-10-python.tar.gz", "bin": "cifar-10-binary.tar.gz"}[form]
    with tarfile.open(path, "w:gz") as archive:
        for name, data in {"readme.html": b"<html>", **cifar_batches(form, n)}.items():
            if name != leave_out:
                member = tarfile.TarInfo(f"{inside}/{name}")
                member.size = len(data)
                archive.addfile(member, io.BytesIO(data))
    return path


def svhn_file(path, n, seed=0):
    """A MATLAB file, compressed as the original is."""
    from scipy.io import savemat

    random = np.random.default_rng(seed)
    images = random.integers(0, 256, (32, 32, 3, n)).astype(np.uint8)
    savemat(
        path, {"X": images, "y": np.arange(1, n + 1, dtype=np.uint8)[:, None] % 10 + 1}, do_compression=True
    )
    return path
