"""Data sets by name: scikit-learn's bundled ones, and image sets on this machine's disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from azgen.errors import AzgenError, suggest
from azgen.extras import need
from azgen.tasks.image_sets import IMAGE_SETS, ImageSet
from azgen.tasks.readers import Table


@dataclass(frozen=True, eq=False)
class DataSet:
    """A labelled data set.

    Attributes:
        name: in the registry.
        x: examples x values; images are flattened, with pixels as they are in the file.
        y: class numbers or, for regression, numbers; one per example.
        feature_names: one per value; empty for images.
        class_names: in the order of the class numbers; empty for regression.
        description: one sentence.
        own_test: rows of the data set's own test part, or None if it has none.
    """

    name: str
    x: NDArray[Any]
    y: NDArray[Any]
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    description: str
    own_test: NDArray[np.intp] | None = None

    @property
    def is_classification(self) -> bool:
        """Whether y holds classes."""
        return bool(self.class_names)

    @property
    def is_images(self) -> bool:
        """Whether the values are pixels, so that tasks of images suit it better than a table does."""
        return not self.feature_names

    def table(self) -> Table:
        """The same as named columns with the target column "target" (the classes' names, for classes)."""
        import pandas as pd  # slow to import

        names = list(self.feature_names) or [f"pixel{i}" for i in range(self.x.shape[1])]
        columns = pd.DataFrame(self.x, columns=names)
        columns["target"] = np.array(self.class_names)[self.y] if self.is_classification else self.y
        lines = np.arange(1, len(columns) + 1)
        return Table(columns, lines, self.name, default_target="target", row_word="row")

    def describe(self) -> str:
        """A few lines: what it is, its size, its classes with their numbers of examples."""
        lines = [self.description, f"{len(self.x)} examples of {self.x.shape[1]} values ({self.x.dtype})"]
        if self.own_test is not None:
            lines[1] += f", {len(self.own_test)} of them its own test part"
        if self.is_classification:
            counts = np.bincount(self.y, minlength=len(self.class_names))
            lines.append(", ".join(f"{name}: {n}" for name, n in zip(self.class_names, counts, strict=True)))
        else:
            lines.append(f"target: from {self.y.min():g} to {self.y.max():g}, mean {self.y.mean():g}")
        return "\n".join(lines)


@dataclass(frozen=True)
class DataSetEntry:
    """A line of the list of data sets.

    Attributes:
        name: for `load_data_set`.
        description: one sentence.
        place: where it is: a folder, an archive, or "scikit-learn"; None if it is not on this machine.
        how_to_get: for a missing one, where it can be had and where to put it.
    """

    name: str
    description: str
    place: str | None
    how_to_get: str = ""


def list_data_sets() -> tuple[DataSetEntry, ...]:
    """All data sets that are known, and where each is on this machine. Nothing is read or downloaded."""
    entries = [DataSetEntry(name, bundled.description, "scikit-learn") for name, bundled in _BUNDLED.items()]
    for name, image_set in IMAGE_SETS.items():
        place = image_set.locate()
        how = "" if place is not None else image_set.how_to_get()
        entries.append(DataSetEntry(name, image_set.description, None if place is None else str(place), how))
    return tuple(entries)


def data_set_names() -> tuple[str, ...]:
    """Names that `load_data_set` knows, whether or not the set is on this machine."""
    return (*_BUNDLED, *IMAGE_SETS)


def is_data_set(name: str) -> bool:
    """Whether a name is a data set's; otherwise it is a file's, which has a suffix or exists.

    Raises:
        AzgenError: it is neither; names the closest data set.
    """
    if _key(name) in data_set_names():
        return True
    if Path(name).suffix or Path(name).exists():
        return False
    names = data_set_names()
    message = (f"{name}: no such file, nor a data set.", suggest(_key(name), names), _there_are(names))
    raise AzgenError(" ".join(filter(None, message)))


def are_images(name: str) -> bool:
    """Whether a data set holds images; one that is not on this machine, too."""
    return _key(name) in IMAGE_SETS or load_data_set(name).is_images


def _there_are(names: Iterable[str]) -> str:
    return f"There are {', '.join(names)}"


def _key(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def load_data_set(name: str) -> DataSet:
    """A data set by its name; see `data_set_names`.

    Raises:
        AzgenError: no data set has this name, it is not on this machine (the message says where it can be had
            and where to put it), or its files are damaged.
    """
    key = _key(name)
    if key in _BUNDLED:
        return _BUNDLED[key].load(key)
    if key in IMAGE_SETS:
        return _images(IMAGE_SETS[key])
    names = data_set_names()
    message = (f"no data set is called {name!r}.", suggest(key, names), _there_are(names))
    raise AzgenError(" ".join(filter(None, message)))


def _images(image_set: ImageSet) -> DataSet:
    x, y, n_train = image_set.load()
    return DataSet(
        image_set.name,
        x,
        y,
        (),
        image_set.class_names,
        image_set.description,
        own_test=np.arange(n_train, len(x)),
    )


@dataclass(frozen=True)
class _Bundled:
    """A data set that comes with scikit-learn."""

    loader: str
    description: str
    images: bool = False

    def load(self, name: str) -> DataSet:
        sets = need("sklearn.datasets", f"the data set {name} comes with")
        load: Callable[[], Any] = getattr(sets, self.loader)
        bunch = load()
        classes = tuple(str(c) for c in bunch.target_names) if "target_names" in bunch else ()
        features = () if self.images else tuple(str(f).replace(" ", "_") for f in bunch.feature_names)
        return DataSet(
            name=name,
            x=np.asarray(bunch.data, dtype=np.float64),
            y=np.asarray(bunch.target, dtype=np.int64 if classes else np.float64),
            feature_names=features,
            class_names=classes,
            description=self.description,
        )


_BUNDLED = {
    "digits": _Bundled(
        "load_digits", "digits: 1797 handwritten digits, 8 x 8 pixels of 0 to 16, 10 classes", images=True
    ),
    "wine": _Bundled("load_wine", "wine: 178 Italian wines, 13 chemical measurements, 3 cultivars"),
    "breast-cancer": _Bundled(
        "load_breast_cancer", "breast cancer: 569 tumours, 30 measurements of cell nuclei, 2 classes"
    ),
    "diabetes": _Bundled(
        "load_diabetes", "diabetes: 442 patients, 10 measurements, progression a year later (regression)"
    ),
}
