"""CIFAR-10, in its Python (pickle) and its binary form, as the archive or as the folder unpacked from it.

A pickle is a program for a small machine that can call any function. Here that machine finds none but three
stand-ins, which note what a NumPy array would be made of; the array is then built from these notes, after
they have been checked.
"""

from __future__ import annotations

import io
import pickle
import pickletools
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.readers.base import check_file, first_line
from azgen.tasks.readers.memory import refuse_if_too_large

PIXELS = 3072  # 32 x 32, first all red, then green, then blue
BATCHES = ("data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch")
ARCHIVES = ("cifar-10-python.tar.gz", "cifar-10-binary.tar.gz")
_FOLDERS = ("cifar-10-batches-py", "cifar-10-batches-bin")

_Batch = tuple[NDArray[np.uint8], NDArray[np.int64]]


def find_cifar10(folder: Path) -> Path | None:
    """The archive, or the folder with the batches, in a folder; None if neither is there."""
    for place in (folder, *(folder / name for name in _FOLDERS)):
        if any((place / f"test_batch{ending}").is_file() for ending in ("", ".bin")):
            return place
    return next((folder / name for name in ARCHIVES if (folder / name).is_file()), None)


def read_cifar10(place: Path) -> tuple[NDArray[np.uint8], NDArray[np.int64], int]:
    """Images (N x 3072, 0 to 255), classes (N), and how many of the images, the first ones, are for training.

    Args:
        place: an archive or a folder, as `find_cifar10` finds it.

    Raises:
        AzgenError: a batch is missing, damaged, or holds anything that CIFAR-10 does not.
    """
    batches = [_read_batch(f"{place}, {name}", name, data) for name, data in _batch_bytes(place).items()]
    x = np.concatenate([images for images, _ in batches])
    y = np.concatenate([classes for _, classes in batches])
    return x, y, len(x) - len(batches[-1][0])


def _batch_bytes(place: Path) -> Mapping[str, bytes]:
    """Contents of the six batch files by name, in the order of `BATCHES`."""
    found: dict[str, bytes] = {}
    if place.is_dir():
        for batch in BATCHES:
            path = next(
                (place / f"{batch}{end}" for end in ("", ".bin") if (place / f"{batch}{end}").exists()), None
            )
            if path is not None:
                check_file(path)
                refuse_if_too_large(str(path), path.stat().st_size, factor=3)
                found[path.name] = path.read_bytes()
    else:
        check_file(place)
        try:
            # Members are read, never unpacked, so their paths do not matter.
            with tarfile.open(place, "r:*") as archive:
                for member in archive:
                    name = Path(member.name).name
                    if member.isfile() and name.removesuffix(".bin") in BATCHES:
                        refuse_if_too_large(f"{place}, {name}", member.size, factor=3)
                        file = archive.extractfile(member)
                        found[name] = file.read() if file is not None else b""
        except (tarfile.TarError, OSError, EOFError, zlib.error) as problem:
            raise AzgenError(
                f"{place} is no readable archive ({first_line(problem)}); get it again"
            ) from None
    by_batch = {name.removesuffix(".bin"): name for name in found}
    missing = [batch for batch in BATCHES if batch not in by_batch]
    if missing:
        raise AzgenError(f"{place} is incomplete: there is no {', '.join(missing)}; get CIFAR-10 again")
    return {by_batch[batch]: found[by_batch[batch]] for batch in BATCHES}


def _read_batch(where: str, name: str, data: bytes) -> _Batch:
    images, classes = _read_binary(where, data) if name.endswith(".bin") else _read_pickle(where, data)
    if classes.size and not 0 <= classes.min() <= classes.max() <= 9:
        raise AzgenError(f"{where} holds a class other than 0 to 9; it is damaged")
    return images, classes


def _read_binary(where: str, data: bytes) -> _Batch:
    """Records of one class byte and 3072 pixel bytes."""
    if not data or len(data) % (1 + PIXELS):
        raise AzgenError(
            f"{where} has {len(data)} bytes, no multiple of {1 + PIXELS}; it is damaged, get it again"
        )
    records = np.frombuffer(data, dtype=np.uint8).reshape(-1, 1 + PIXELS)
    return records[:, 1:], records[:, 0].astype(np.int64)


# ---- the Python form


class _ArrayNotes:
    """Stands in for a NumPy array while it is unpickled: notes shape, type and bytes."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state


class _TypeNotes:
    """Stands in for a NumPy dtype."""

    def __init__(self, code: Any = None, *_: Any) -> None:
        self.code = code

    def __setstate__(self, state: Any) -> None:
        pass  # byte order and fields: of no meaning for single bytes, the only type that is accepted


def _reconstruct(*_: Any) -> _ArrayNotes:
    return _ArrayNotes()


def _encode(text: Any, encoding: Any) -> bytes:
    """Stands in for codecs.encode, by which Python 3 writes bytes in old pickle protocols."""
    if not isinstance(text, str) or encoding not in ("latin1", b"latin1"):
        raise pickle.UnpicklingError("an encoding other than latin1")
    return text.encode("latin1")


class _Unpickler(pickle.Unpickler):
    _ADMITTED: ClassVar = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): _ArrayNotes,
        ("numpy", "dtype"): _TypeNotes,
        ("_codecs", "encode"): _encode,
    }

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in self._ADMITTED:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which no CIFAR-10 batch does")
        return self._ADMITTED[module, name]

    def persistent_load(self, pid: Any) -> Any:
        raise pickle.UnpicklingError("it refers to an object outside")


def _read_pickle(where: str, data: bytes) -> _Batch:
    try:
        # A memo slot of a huge number would make the unpickler take memory for all slots below it.
        for op, argument, _ in pickletools.genops(data):
            if "PUT" in op.name and int(str(argument)) > len(data):
                raise pickle.UnpicklingError("a memo number larger than the file")
        batch = _Unpickler(io.BytesIO(data), encoding="bytes").load()
    except Exception as problem:  # a damaged pickle can raise nearly anything
        raise AzgenError(
            f"{where} is no readable CIFAR-10 batch ({first_line(problem)}); get it again"
        ) from None
    content = {_text(key): value for key, value in batch.items()} if isinstance(batch, dict) else {}
    notes, classes = content.get("data"), content.get("labels")
    if not isinstance(notes, _ArrayNotes) or not isinstance(classes, list):
        raise AzgenError(f"{where} is no CIFAR-10 batch: it must be a dictionary with data and labels")
    images = _array(where, notes)
    if len(classes) != len(images) or not all(type(value) is int for value in classes):
        raise AzgenError(
            f"{where} holds {len(images)} images, but not as many whole-number labels; it is damaged"
        )
    try:
        return images, np.array(classes, dtype=np.int64)
    except OverflowError:
        raise AzgenError(f"{where} holds a class other than 0 to 9; it is damaged") from None


def _array(where: str, notes: _ArrayNotes) -> NDArray[np.uint8]:
    """The images of an array's noted state: (version, shape, type, Fortran order, bytes)."""
    state = notes.state
    if isinstance(state, tuple) and len(state) == 5:
        _, shape, kind, fortran, content = state
        if (
            isinstance(kind, _TypeNotes)
            and _text(kind.code) in ("u1", "|u1")
            and isinstance(shape, tuple)
            and len(shape) == 2
            and isinstance(content, bytes)
            and type(shape[0]) is int
            and shape[1] == PIXELS
            and shape[0] > 0
            and len(content) == shape[0] * PIXELS
        ):
            pixels = np.frombuffer(content, dtype=np.uint8)
            return pixels.reshape(shape, order="F" if fortran else "C")
    raise AzgenError(f"{where}: its data are no array of images x {PIXELS} bytes; it is damaged")


def _text(value: Any) -> Any:
    return value.decode("latin1") if isinstance(value, bytes) else value
