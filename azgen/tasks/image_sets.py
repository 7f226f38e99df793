"""Image sets on this machine's disk: their files, where they are looked for, where they can be had.

Nothing is ever downloaded. A set is looked for in these folders, in this order (`data_folders`): those named
by the environment variable AZGEN_DATA (several are separated as in PATH), the user's data folder of azgen,
and the system's /usr/share/datasets. Each set is in a subfolder of its name, such as fashion-mnist.
"""

from __future__ import annotations

import os
import string
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from azgen.errors import AzgenError
from azgen.tasks.readers.cifar import find_cifar10, read_cifar10
from azgen.tasks.readers.idx import read_idx_images
from azgen.tasks.readers.svhn import read_svhn

DATA_VARIABLE = "AZGEN_DATA"
SYSTEM_FOLDER = Path("/usr/share/datasets")

# Images, classes, and how many of them, the first ones, are the set's own training part.
Images = tuple[NDArray[np.uint8], NDArray[np.int64], int]


@dataclass(frozen=True)
class ImageSet:
    """A known set of labelled images.

    Attributes:
        name: in the registry.
        description: one sentence.
        class_names: in the order of the class numbers.
        files: the files that make it up, for people.
        source: where it can be had.
        find: the place to read from, in a folder; None if the set is not in it.
        read: reads a place that `find` found.
        folders: names of its subfolder, the first of which is recommended.
    """

    name: str
    description: str
    class_names: tuple[str, ...]
    files: str
    source: str
    find: Callable[[Path], Path | None]
    read: Callable[[Path], Images]
    folders: tuple[str, ...]

    def locate(self) -> Path | None:
        """Where the set is on this machine, or None."""
        for base in data_folders():
            # The variable may also name a set's own folder.
            own = [base] if base.name in self.folders else []
            for folder in (*(base / name for name in self.folders), *own):
                if folder.is_dir() and (place := self.find(folder)) is not None:
                    return place
        return None

    def load(self) -> Images:
        """The images, or AzgenError that says where the set can be had and where to put it."""
        place = self.locate()
        if place is None:
            raise AzgenError(f"the data set {self.name} is not on this machine. {self.how_to_get()}")
        return self.read(place)

    def how_to_get(self) -> str:
        """Where the set can be had and where to put it."""
        folder = data_folders()[0] / self.folders[0]
        return (
            f"It can be had from {self.source}; put {self.files} into {folder} (or name another folder in "
            f"the environment variable {DATA_VARIABLE})"
        )


def data_folders() -> tuple[Path, ...]:
    """The folders that are searched, in order; they need not exist."""
    named = [
        Path(os.path.expanduser(part))
        for part in os.environ.get(DATA_VARIABLE, "").split(os.pathsep)
        if part.strip()
    ]
    with suppress(RuntimeError):  # without HOME, and for a user whom nobody knows, there is no home folder
        named.append(platformdirs.user_data_path("azgen"))
    return (*named, SYSTEM_FOLDER)


# ---- sets of IDX files


@dataclass(frozen=True)
class _Idx:
    """How a set's files are called and what is in them.

    Attributes:
        prefix: before their names.
        parts: what training and test part are called.
        first: number of the first class.
        turn: whether images are kept transposed.
    """

    prefix: str = ""
    parts: tuple[str, str] = ("train", "t10k")
    first: int = 0
    turn: bool = False


def _idx_file(folder: Path, prefix: str, part: str, content: str, dimensions: int) -> Path | None:
    """The file in one of its usual spellings, gzipped or not."""
    for dot in ("-", "."):
        for ending in ("", ".gz"):
            path = folder / f"{prefix}{part}-{content}{dot}idx{dimensions}-ubyte{ending}"
            if path.is_file():
                return path
    return None


def _idx_files(folder: Path, idx: _Idx) -> list[Path] | None:
    found = [
        _idx_file(folder, idx.prefix, part, content, dimensions)
        for part in idx.parts
        for content, dimensions in (("images", 3), ("labels", 1))
    ]
    return None if None in found else [path for path in found if path is not None]


def _find_idx(folder: Path, idx: _Idx) -> Path | None:
    return folder if _idx_files(folder, idx) else None


def _read_idx(folder: Path, idx: _Idx, n_classes: int) -> Images:
    files, first = _idx_files(folder, idx), idx.first
    assert files is not None, "read is given what find found"
    x_train, y_train = read_idx_images(files[0], files[1])
    x_test, y_test = read_idx_images(files[2], files[3])
    if x_train.shape[1] != x_test.shape[1]:
        raise AzgenError(
            f"{files[0]} has images of {x_train.shape[1]} pixels, {files[2]} of {x_test.shape[1]}; they are "
            "not of one set"
        )
    x, y = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]) - first
    if y.min() < 0 or y.max() >= n_classes:
        bad = files[1] if not 0 <= y_train.min() - first <= y_train.max() - first < n_classes else files[3]
        raise AzgenError(
            f"{bad} holds a class outside {first} to {first + n_classes - 1}; it is damaged or of another set"
        )
    side = round(x.shape[1] ** 0.5)
    if idx.turn and side * side == x.shape[1]:  # EMNIST keeps its images transposed
        x = np.ascontiguousarray(x.reshape(-1, side, side).transpose(0, 2, 1)).reshape(len(x), -1)
    return x, y, len(x_train)


def _idx_set(
    name: str,
    description: str,
    class_names: tuple[str, ...],
    source: str,
    *,
    folders: tuple[str, ...],
    idx: _Idx = _Idx(),  # frozen
) -> ImageSet:
    train, test = (f"{idx.prefix}{part}" for part in idx.parts)
    return ImageSet(
        name=name,
        description=description,
        class_names=class_names,
        files=f"{train}-images-idx3-ubyte, {train}-labels-idx1-ubyte, {test}-images-idx3-ubyte and "
        f"{test}-labels-idx1-ubyte (each may end in .gz)",
        source=source,
        find=partial(_find_idx, idx=idx),
        read=partial(_read_idx, idx=idx, n_classes=len(class_names)),
        folders=folders,
    )


# ---- SVHN


def _find_svhn(folder: Path) -> Path | None:
    return folder if all((folder / f"{part}_32x32.mat").is_file() for part in ("train", "test")) else None


def _read_svhn(folder: Path) -> Images:
    x_train, y_train = read_svhn(folder / "train_32x32.mat")
    x_test, y_test = read_svhn(folder / "test_32x32.mat")
    return np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test]), len(x_train)


# ---- the catalogue

_DIGITS = tuple(string.digits)
_UPPER = tuple(string.ascii_uppercase)
_LOWER = tuple(string.ascii_lowercase)
_MERGED = (*_DIGITS, *_UPPER, *"abdefghnqrt")  # letters whose cases look alike are one class

_EMNIST_SOURCE = (
    "https://www.nist.gov/itl/products-and-services/emnist-dataset (the archive in MNIST's format)"
)
_EMNIST_SPLITS = {
    "balanced": (_MERGED, "131 600 handwritten characters, 47 classes of equal size"),
    "byclass": ((*_DIGITS, *_UPPER, *_LOWER), "814 255 handwritten characters, 62 classes"),
    "bymerge": (_MERGED, "814 255 handwritten characters, 47 classes"),
    "digits": (_DIGITS, "280 000 handwritten digits, 10 classes"),
    "letters": (_LOWER, "145 600 handwritten letters, 26 classes"),
    "mnist": (_DIGITS, "70 000 handwritten digits, 10 classes"),
}

_SETS = (
    ImageSet(
        name="cifar10",
        description="CIFAR-10: 60 000 colour photographs, 32 x 32 x 3 values of 0 to 255, 10 classes",
        class_names=(
            "airplane",
            "automobile",
            "bird",
            "cat",
            "deer",
            "dog",
            "frog",
            "horse",
            "ship",
            "truck",
        ),
        files="cifar-10-python.tar.gz or cifar-10-binary.tar.gz (or what they unpack to)",
        source="https://www.cs.toronto.edu/~kriz/cifar.html",
        find=find_cifar10,
        read=read_cifar10,
        folders=("cifar10", "cifar-10", "cifar-10-batches-py", "cifar-10-batches-bin"),
    ),
    _idx_set(
        "mnist",
        "MNIST: 70 000 handwritten digits, 28 x 28 pixels of 0 to 255, 10 classes",
        _DIGITS,
        "https://ossci-datasets.s3.amazonaws.com/mnist/ (a mirror; the first home is gone)",
        folders=("mnist",),
    ),
    _idx_set(
        "fashion-mnist",
        "Fashion-MNIST: 70 000 articles of clothing, 28 x 28 pixels of 0 to 255, 10 classes",
        (
            "T-shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "boot",
        ),
        "Debian's package dataset-fashion-mnist (nothing else is to be done then) or "
        "https://github.com/zalandoresearch/fashion-mnist",
        folders=("fashion-mnist", "fashion_mnist"),
    ),
    *(
        _idx_set(
            f"emnist-{split}",
            f"EMNIST, split {split}: {what}, 28 x 28 pixels of 0 to 255",
            class_names,
            _EMNIST_SOURCE,
            folders=("emnist", "emnist/gzip", f"emnist-{split}"),
            idx=_Idx(f"emnist-{split}-", ("train", "test"), int(split == "letters"), turn=True),
        )
        for split, (class_names, what) in _EMNIST_SPLITS.items()
    ),
    ImageSet(
        name="svhn",
        description="SVHN: 99 289 house-number digits, 32 x 32 x 3 values of 0 to 255, 10 classes",
        class_names=_DIGITS,
        files="train_32x32.mat and test_32x32.mat",
        source="http://ufldl.stanford.edu/housenumbers/ (format 2)",
        find=_find_svhn,
        read=_read_svhn,
        folders=("svhn",),
    ),
)

IMAGE_SETS: dict[str, ImageSet] = {image_set.name: image_set for image_set in _SETS}
