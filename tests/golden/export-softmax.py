"""A learning algorithm written out by azgen: a classifier, trained one example at a time.

The algorithm itself is the class Learner, right below; around it, EvolvedClassifier is an estimator with
scikit-learn's interface. NumPy is all that this file needs (and pandas for tables
other than text and NPZ files):

    from winner import EvolvedClassifier

    model = EvolvedClassifier().fit(X_train, y_train)
    model.predict(X_test)

On a table, to train on one part of the rows and be scored on the rest; then to learn from all of them and
predict others:

    python winner.py data.csv --target COLUMN
    python winner.py data.csv --target COLUMN --predict new.csv -o predictions.csv
"""

import sys
import warnings

import numpy as np

DTYPE = np.float32  # the number type that the algorithm was evolved with


class Learner:
    """The algorithm: what it remembers, how it predicts, how it learns from one example.

    All vectors have n_features entries, labels and probabilities too: theirs from n_classes on are 0.
    """

    def __init__(self, n_features, n_classes, learning_rate):
        self.n_classes = n_classes
        self.learning_rate = DTYPE(learning_rate)  # s0
        self.weights = np.zeros((n_features, n_features), DTYPE)  # m0

    def predict(self, features):
        """Probabilities of the classes for one example, a vector of n_features."""
        return softmax(self.weights @ features, self.n_classes)

    def learn(self, features, label, probabilities):
        """Learns from one example, given its label (1 for its class, else 0) and what was just predicted."""
        self.weights += np.outer(self.learning_rate * (label - probabilities), features)


def softmax(scores, n_classes):
    """Probabilities of the classes from the first n_classes scores; the entries beyond become 0."""
    exponentials = np.exp(scores[:n_classes] - scores[:n_classes].max(axis=0))
    probabilities = np.zeros_like(scores)
    probabilities[:n_classes] = exponentials / exponentials.sum(axis=0)
    return probabilities


# ---- That was the algorithm; no need to read on. What follows makes an estimator and a command of it.


def predict_columns(learner, features):
    """As Learner.predict, for many examples at once: features are n_features x examples, a column for each."""
    return softmax(learner.weights @ features, learner.n_classes)


class EvolvedClassifier:
    """The algorithm as a classifier with scikit-learn's interface.

    Parameters
    ----------
    learning_rate : float, default 0.01
        Evolved: how far one error moves what has been learned.
    standardize : bool, default True
        Scale every feature to mean 0 and standard deviation 1 over the training examples, as the
        algorithm expects. False: the features are so already.
    epochs : int, default 1
        Passes over the training examples: the first in their given order, each later one in a fixed
        shuffle of its own.
    random_state : int, RandomState or None, default 0
        Accepted for uniformity; this algorithm draws no random numbers.

    Attributes
    ----------
    learner_ : Learner
        The algorithm's memory after training.
    n_features_in_ : int
        Number of features.
    feature_names_in_ : array of str
        Names of the features, when trained on a table whose columns all have text as names.
    classes_ : array of labels
        In sorted order, which is that of the columns of predict_proba.
    """

    _algorithm = Learner
    _estimator_type = "classifier"
    _parameters = (
        "learning_rate",
        "standardize",
        "epochs",
        "random_state",
    )

    def __init__(
        self,
        learning_rate=0.01,
        *,
        standardize=True,
        epochs=1,
        random_state=0,
    ):
        self.learning_rate = learning_rate
        self.standardize = standardize
        self.epochs = epochs
        self.random_state = random_state

    def fit(self, X, y, **unknown):
        """Trains from scratch on X (examples x features) and y (classes, one per example)."""
        if unknown:
            raise TypeError(f"fit takes X and y, and no {', '.join(unknown)}: EvolvedClassifier learns from one example "
                            "at a time and gives none more weight; repeat examples that are to count more")
        if not isinstance(self.epochs, (int, np.integer)) or self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs!r}; it must be a whole number of at least 1")
        names = column_names(X)
        X, y = check_examples(X, y)
        self._start(names, X, y)
        for epoch in range(self.epochs):
            order = slice(None)
            if epoch > 0:
                order = np.random.default_rng((epoch, len(X))).permutation(len(X))
            self._train(X[order], y[order])
        return self

    def partial_fit(self, X, y, classes=None):
        """Trains on further examples.

        The first call decides the scaling for good, so give it enough examples.
        It also decides the classes, unless they are given.
        """
        names = column_names(X)
        X, y = check_examples(X, y)
        if not hasattr(self, "learner_"):
            if self.standardize and len(X) < 2:
                raise ValueError("one example (1 sample) says nothing about scaling; start with more of them")
            self._start(names, X, y if classes is None else np.asarray(classes))
        else:
            self._check_columns(names, X)
        self._train(X, y)
        return self

    def predict(self, X):
        """Class of every example.

        The algorithm may remember something from one example to the next: they are predicted in
        their order, on a copy of the memory as it was after training.
        """
        best = self.predict_proba(X).argmax(axis=1)  # a tie is the first class
        return self.classes_[best]

    def predict_proba(self, X):
        """Probability of each class, in the order of classes_, for every example (see predict)."""
        return self._outputs(X)

    def score(self, X, y, sample_weight=None):
        """Accuracy: the fraction of examples that are classified correctly."""
        return float(np.average(self.predict(X) == np.asarray(y), weights=sample_weight))

    def get_params(self, deep=True):
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._parameters}

    def set_params(self, **parameters):
        """Changes parameters, for the next fit."""
        for name, value in parameters.items():
            if name not in self._parameters:
                raise ValueError(f"Invalid parameter {name!r} for {self!r}; valid are {self._parameters}")
            setattr(self, name, value)
        return self

    def __repr__(self):
        parameters = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"{type(self).__name__}({parameters})"

    def _start(self, names, X, y):
        """An untrained learner, and the scaling of its examples."""
        self.classes_ = classes_of(y)
        self.n_features_in_ = X.shape[1]
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.feature_offset_, self.feature_scale_ = np.zeros(X.shape[1]), np.ones(X.shape[1])
        with np.errstate(all="ignore"):
            if self.standardize:
                self.feature_offset_, self.feature_scale_ = self._column_scaling(X)
                # A constant column says nothing: it becomes 0 everywhere.
                self.feature_scale_[self.feature_scale_ == 0] = np.inf
            self.learner_ = self._algorithm(
                max(X.shape[1], len(self.classes_)),
                len(self.classes_),
                learning_rate=self.learning_rate,
            )

    def _column_scaling(self, X):
        """Mean and standard deviation of every column."""
        return column_scaling(X)

    def _scaled(self, X):
        scaled = X - self.feature_offset_
        scaled /= self.feature_scale_
        # Vectors have an entry for every class: with fewer features, some are 0.
        return np.pad(scaled.astype(DTYPE), ((0, 0), (0, max(0, len(self.classes_) - X.shape[1]))))

    def _train(self, X, y):
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise ValueError(f"y contains {y[unknown][0]!r}, which is none of the classes {self.classes_}")
        width = max(X.shape[1], len(self.classes_))
        labels = np.eye(len(self.classes_), width, dtype=DTYPE)[np.searchsorted(self.classes_, y)]
        with np.errstate(all="ignore"):
            prediction = self._learn_all(X, labels)
        if not np.isfinite(prediction).all():
            warnings.warn("training diverged: predictions are not finite", RuntimeWarning, stacklevel=3)

    def _learn_all(self, X, labels):
        """Learns from every example; the last prediction."""
        for features, label in zip(self._scaled(X), labels):
            prediction = self.learner_.predict(features)
            self.learner_.learn(features, label, prediction)
        return prediction

    def _outputs(self, X):
        """What the learner predicts for every example."""
        if not hasattr(self, "learner_"):
            error = scikit_learn_class("NotFittedError", ValueError)
            raise error(f"This {type(self).__name__} instance is not fitted yet; call fit first")
        names, X = column_names(X), check_features(X)
        self._check_columns(names, X)
        with np.errstate(all="ignore"):
            return self._predict_all(X)

    def _predict_all(self, X):
        """What the learner predicts for every example; its own memory stays as it is."""
        outputs = np.empty((len(X), len(self.classes_)))
        n_features = max(X.shape[1], len(self.classes_))
        rows = max(256, 2**18 // n_features**2)  # at once, so that they stay in the processor's cache
        for start in range(0, len(X), rows):
            # In float64, or the order in which NumPy adds, which depends on the other examples, would show.
            features = self._scaled(X[start : start + rows]).T.astype(float)
            outputs[start : start + rows] = predict_columns(self.learner_, features)[: outputs.shape[1]].T
        return outputs

    def _check_columns(self, names, X):
        known = getattr(self, "feature_names_in_", None)
        if names is not None and known is not None and list(names) != list(known):
            raise ValueError(
                f"The feature names should match those that were passed during fit: {list(known)}"
            )
        if X.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting "
                f"{self.n_features_in_} features as input"
            )

    def __sklearn_tags__(self):
        # Only scikit-learn asks for these, so it is there to be imported.
        from sklearn.utils import ClassifierTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(poor_score=True),
        )


def without_na(values):
    """An array with NaN in place of None and of pandas' NA."""
    array = np.asarray(values)
    if array.dtype != object:
        return array
    return np.frompyfunc(lambda v: np.nan if v is None or str(v) in ("<NA>", "NaT") else v, 1, 1)(array)


def check_features(X):
    """X as an array of finite numbers, examples x features."""
    if hasattr(X, "toarray"):
        raise TypeError("Sparse data is not supported; pass X.toarray()")
    X = without_na(X)
    if np.iscomplexobj(X):
        raise ValueError("Complex data not supported")
    X = X.astype(float, copy=False)
    if X.ndim != 2:
        raise ValueError(
            f"X has shape {X.shape}, but must be a table of examples x features. Reshape your data: "
            "X.reshape(-1, 1) if it is one feature, X.reshape(1, -1) if it is one example."
        )
    for count, what in zip(X.shape, ("sample", "feature")):
        if count == 0:
            raise ValueError(
                f"Found array with 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required."
            )
    if not np.isfinite(X).all():
        raise ValueError("X contains NaN or infinity; fill in or drop such examples first")
    return X


def check_examples(X, y):
    """Features and labels as arrays of equal length."""
    X = check_features(X)
    if y is None:
        raise ValueError("EvolvedClassifier requires y to be passed, but the target y is None")
    y = without_na(y)
    if y.ndim == 2 and y.shape[1] == 1:
        warning = scikit_learn_class("DataConversionWarning", UserWarning)
        warnings.warn("A column-vector y was passed when a 1d array was expected", warning, stacklevel=3)
        y = y.ravel()
    if y.ndim != 1:
        raise ValueError(f"y has shape {y.shape}, but must hold one label per example")
    if len(y) != len(X):
        raise ValueError(f"X has {len(X)} examples, but y has {len(y)} labels")
    if np.iscomplexobj(y):
        raise ValueError("Complex data not supported")
    if y.dtype.kind == "f":
        empty = not np.isfinite(y).all()
    else:
        empty = y.dtype.kind == "O" and any(v != v for v in y)
    if empty:
        raise ValueError("y contains NaN or infinity; drop such examples first")
    return X, y


def classes_of(y):
    """The different labels in y, sorted."""
    classes = np.unique(y)
    if classes.dtype.kind == "f" and (classes != np.round(classes)).any():
        raise ValueError("Unknown label type: continuous. y must hold classes, not measurements")
    if len(classes) < 2:
        raise ValueError("y must hold two classes or more, but holds 1 class")
    return classes


def column_scaling(x):
    """Mean and standard deviation of each column (N x F); a scale of 0 marks a constant one."""
    if x.size > 1 << 22 and x.shape[1] > 1:  # what follows takes several times the memory of x
        left, right = column_scaling(x[:, : x.shape[1] // 2]), column_scaling(x[:, x.shape[1] // 2 :])
        return np.concatenate([left[0], right[0]]), np.concatenate([left[1], right[1]])
    offset = x.mean(axis=0)
    # Two passes: mean of squares minus square of mean cancels badly for columns far from 0. Dividing by
    # the largest deviation first keeps squares of very large (or very small) numbers in range.
    # All in one array: three times as fast as an array a step.
    deviation = x - offset
    largest = np.abs(deviation, out=deviation).max(axis=0)
    safe = np.where(largest > 0, largest, 1.0)
    deviation /= safe
    scale = safe * np.sqrt(np.square(deviation, out=deviation).mean(axis=0))
    # The mean of a constant column is off by rounding alone, and so would its deviations be.
    constant = x[0] == x[-1]
    if constant.any():
        constant &= (x == x[0]).all(axis=0)
    return np.where(constant, x[0], offset), np.where(constant, 0.0, scale)


def column_names(X):
    """Names of a data frame's columns when all are text, else None."""
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=object)


def scikit_learn_class(name, default):
    """An exception of scikit-learn's, if scikit-learn is in use."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, default)


# The evolved program itself, as azgen reads and writes it. v1 is the label, v2 the prediction, v0 the
# features; everything else starts at zero.
PROGRAM = """
label, prediction = v1, v2
def Setup():
  s0 = 0.01
def Predict():
  v2 = dot(m0, v0)
def Learn():
  v3 = v1 - v2
  v3 = s0 * v3
  m1 = outer(v3, v0)
  m0 = m0 + m1
"""


# ----------------------------------------------------------------------------------------------------
# Stop reading here: all above is the algorithm and its interface. What follows reads tables as azgen
# does, does to them what azgen does, and is the command line of this file.
# ----------------------------------------------------------------------------------------------------

import argparse
import bz2
import csv
import gzip
import io
import lzma
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path

FILL, MISSING = None, ()
SEED, TEST_FRACTION = 0, 0.2  # decide which rows are for the test


class TableError(ValueError):
    """A table that cannot be used; says where and why."""


# ---- Text as cells: this is azgen's own source.

MISSING_IN_TEXT = ("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null")
"""What an empty cell of categories or classes looks like. "None" is a word like any other there."""

MISSING_IN_NUMBERS = (*MISSING_IN_TEXT, "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "None")
"""What an empty cell among numbers looks like."""

# Numbers as people write them: 1,5 and 1.234,5; then 1,234 and 1,234.5. Narrow blanks group digits, too.
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d*)?(?:[eE][-+]?\d+)?")
_GROUPED = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d*)?")
_GAPS = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3})")
_CURRENCY = re.compile(r"([-+]?)(?:[$€£¥₹₩]|EUR|USD|GBP|CHF)\s*(\S.*)|(\S*\d)\s*(?:[$€£¥₹₩]|EUR|USD|GBP|CHF)")
_PERCENT = re.compile(r"(\S*\d)\s*%")


def numbers_in(cells, delimiter):
    """The numbers that cells of text are, all written in one way; None if some cell is none.

    Args:
        cells: stripped, none of them empty.
        delimiter: of the file; a comma in a number is a decimal comma unless it separates cells as well.

    Returns:
        The numbers, and what is unusual in how they are written, in words; "" for nothing.
    """
    plain = _plain_numbers(cells)
    if plain is not None:
        return plain, ""
    if all(cell in _TRUE or cell in _FALSE for cell in cells):
        return [float(cell in _TRUE) for cell in cells], ""
    bare, signs = _without_signs(cells)
    local = [_GAPS.sub("", cell.replace("\u2212", "-")) for cell in bare]
    ways = [("decimal commas", _DECIMAL_COMMA), ("thousands commas", _GROUPED)]
    for name, pattern in ways if delimiter != "," else reversed(ways):
        if all(map(pattern.fullmatch, local)):
            if any("," in cell for cell in local):
                signs.append(name)
                if name == "decimal commas":
                    local = [cell.replace(".", "").replace(",", ".") for cell in local]
            local = [cell.replace(",", "") for cell in local]
            how = " and ".join(signs) or "gaps or typographic minus signs"
            return [float(cell) for cell in local], how
    plain = _plain_numbers(local)
    return None if plain is None else (plain, " and ".join(signs) or "gaps or typographic minus signs")


_TRUE, _FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")


def _plain_numbers(cells):
    """Cells as Python reads numbers, but for what only Python takes for one."""
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return None
    odd = any("_" in cell or not cell.isascii() for cell in cells)
    return None if odd or any(number != number for number in numbers) else numbers


def _without_signs(cells):
    """Cells without the currency or percent signs that all of them have, and which these are."""
    if all(map(_PERCENT.fullmatch, cells)):
        return [_PERCENT.sub(r"\1", cell) for cell in cells], ["percent signs"]
    if all(map(_CURRENCY.fullmatch, cells)):
        return [_CURRENCY.sub(r"\1\2\3", cell) for cell in cells], ["currency signs"]
    return list(cells), []


BLANKS = " "
"""The delimiter of columns that stand between blanks, any number of them."""

_DELIMITERS = ";\t|,"  # of equals the first: commas are decimal commas then
_EXCEL_HINT = re.compile(r"sep=(.)$", re.IGNORECASE)
_QUOTED = re.compile(r'"[^"]*"')
_HEAD_BYTES, _HEAD_LINES, _HEAD_ROWS = 65536, 200, 20

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0e-\x1f]")

COMPRESSED = (".gz", ".bz2", ".xz", ".zip")
"""Endings of compressed files."""

READING_ERRORS = (EOFError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, OSError, RuntimeError)
"""What reading a damaged file raises."""


@dataclass(frozen=True)
class Dialect:
    """How a text table is written.

    Attributes:
        delimiter: between cells; `BLANKS` stands for any number of blanks.
        n_above: lines above the header that are no part of the table.
        encoding: of the text.
        has_header: whether the first line names the columns.
    """

    delimiter: str
    n_above: int = 0
    encoding: str = "utf-8-sig"
    has_header: bool = True

    def cells_in(self, line):
        """Number of cells in a line of text, quoted ones counted as one."""
        bare = _QUOTED.sub("q", line.rstrip("\r\n"))
        return len(bare.split()) if self.delimiter == BLANKS else bare.count(self.delimiter) + 1


def opened(path):
    """The file's bytes, decompressed if its name says that it is compressed."""
    ending = path.suffix.lower()
    if ending == ".zip":
        return zipfile.ZipFile(path).open(_only_member(path))
    openers = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
    stream = openers.get(ending, open)(path, "rb")
    return stream


def inner_ending(path):
    """The ending of a file's name, of a compressed one that of what is in it."""
    if path.suffix.lower() not in COMPRESSED:
        return path.suffix.lower()
    inside = Path(path.stem).suffix.lower()
    return inside or (Path(_only_member(path)).suffix.lower() if path.suffix.lower() == ".zip" else "")


def _only_member(path):
    """Name of the one file in a ZIP archive."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if not n.endswith("/") and not n.startswith("__MACOSX")]
    if len(names) != 1:
        raise TableError(f"{path} holds {len(names)} files; an archive of one table is needed")
    return names[0]


def find_dialect(path, ending):
    """How the table in a file is written, told from its first lines.

    Args:
        path: the file.
        ending: its ending without that of a compression.
    """
    with opened(path) as file:
        start = file.read(_HEAD_BYTES)
    encoding = _encoding(path, start)
    head = start.decode(encoding, errors="replace")
    lines = head.splitlines()[:_HEAD_LINES]
    first = next((number for number, line in enumerate(lines) if line.strip()), 0)
    hint = _EXCEL_HINT.match(lines[first].strip()) if lines else None
    if hint:
        return _with_header(Dialect(hint[1], first + 1, encoding), lines)
    header = next(
        (n for n in range(first, len(lines)) if not lines[n].startswith("#") and lines[n].strip()), first
    )
    delimiter = "\t" if ending in (".tsv", ".tab") else _delimiter(lines[header:])
    dialect = Dialect(delimiter, header, encoding)
    # A line that begins with # may be the header itself: then it has as many cells as the row below it.
    if header > first and dialect.cells_in(lines[header - 1]) == dialect.cells_in(lines[header]):
        return Dialect(delimiter, header - 1, encoding)
    return _with_header(dialect if header > first else Dialect(delimiter, 0, encoding), lines)


def _encoding(path, start):
    """UTF-16 says so by its first bytes; what is no UTF-8, but text, is what Windows calls ANSI."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "utf-16"
    if b"\0" in start:
        return "utf-8-sig"  # a message says where
    with opened(path) as file:
        try:
            while part := file.readline(1 << 24):
                part.decode("utf-8-sig")
        except UnicodeDecodeError as problem:
            broken = problem.object
        else:
            return "utf-8-sig"
    if _CONTROL.search(start) or _CONTROL.search(broken):
        return "utf-8-sig"
    try:
        broken.decode("cp1252")
    except UnicodeDecodeError:
        return "utf-8-sig"
    return "cp1252"


def _delimiter(lines):
    bare = [_QUOTED.sub("q", line) for line in lines if line.strip()]
    if not bare:
        return ","
    found = max(_DELIMITERS, key=lambda delimiter: _agreement(bare[: _HEAD_ROWS + 1], delimiter))
    if found in bare[0]:
        return found
    n_names = len(bare[0].split())
    if n_names > 1 and len(bare) > 1 and len(bare[1].split()) in (n_names, n_names + 1):
        return BLANKS
    return ","


def _agreement(lines, delimiter):
    """How well a delimiter fits: the header has it, rows have it as often (or once more), it is frequent."""
    count = lines[0].count(delimiter)
    rows = [line.count(delimiter) for line in lines[1:]]
    return count > 0, 2 * rows.count(count) + rows.count(count + 1), count


def _with_header(dialect, lines):
    """The dialect, told whether its first line is a row of data: wherever the rows below have numbers, one
    stands there, too, and they are not 0, 1, 2, ... or years one after the other, as columns are called.
    """
    rows = []
    text = [_as_read(line, dialect) for line in lines[dialect.n_above :]]
    with_cells = csv.reader(text, delimiter=dialect.delimiter, skipinitialspace=True)
    try:
        for cells in with_cells:
            if any(cell.strip() for cell in cells):
                rows.append([cell.strip() for cell in cells])
            if len(rows) > _HEAD_ROWS:
                break
    except csv.Error:
        return dialect
    below = [row for row in rows[1:] if len(row) == len(rows[0])]
    if len(below) < 2:
        return dialect
    filled = [
        [row[place] for row in below if row[place] not in MISSING_IN_NUMBERS] for place in range(len(rows[0]))
    ]
    of_numbers = [p for p, cells in enumerate(filled) if cells and numbers_in(cells, dialect.delimiter)]
    here = [numbers_in([rows[0][place]], dialect.delimiter) for place in of_numbers]
    if not here or None in here:
        return dialect
    values = [found[0][0] for found in here if found]
    if len(values) > 1 and values == [float(round(values[0]) + step) for step in range(len(values))]:
        return dialect
    if len(values) == 1 and not _among(values[0], numbers_in(filled[of_numbers[0]], dialect.delimiter)):
        return dialect  # one year, say
    return Dialect(dialect.delimiter, dialect.n_above, dialect.encoding, has_header=False)


def _among(value, found):
    return found is not None and min(found[0]) <= value <= max(found[0])


def text_lines(path, file, dialect):
    """The table's lines, without those above it; blanks that separate are one blank each."""
    for number, line in enumerate(file, start=1):
        if "\0" in line:
            raise TableError(f"{path}, line {number}: a zero byte; this is not a text file, or it is damaged")
        if number > dialect.n_above:
            yield _as_read(line, dialect)


def _as_read(line, dialect):
    return line.strip().replace("\t", " ") + "\n" if dialect.delimiter == BLANKS else line


NAMELESS = "\0"
"""Begins the name of a column that has none; no file can hold it."""


@dataclass
class Scanned:
    """The rows of a text table.

    Attributes:
        names: of the columns, one for every cell of a row; those without one begin with `NAMELESS`.
        lines: of the rows that hold anything.
        kept: whether each row does.
        rows: the cells of those that do, if they were asked for.
        left_out: nameless columns that are no part of the table.
        remarks: what was left out, for people.
    """

    names: list[str]
    lines: list[int] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    left_out: set[str] = field(default_factory=set)
    remarks: list[str] = field(default_factory=list)


def scan(path, dialect, keep_cells=False):
    """Column names and the line of each row of data; every row is checked for its number of cells."""
    rows = _Rows(path, dialect, keep_cells)
    last = 0
    try:
        with opened(path) as stream, io.TextIOWrapper(stream, dialect.encoding, newline="") as file:
            lines = text_lines(path, file, dialect)
            reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=True)
            for cells in reader:
                rows.take(cells, dialect.n_above + last + 1)
                last = reader.line_num
    except UnicodeError:
        raise TableError(
            f"{path} is not UTF-8 text; save it as UTF-8 (if it is a text file at all)"
        ) from None
    except csv.Error as problem:
        line = dialect.n_above + last + 1
        raise TableError(f"{path}, line {line}: {problem}; is a quotation mark left open?") from None
    return rows.checked()


class _Rows:
    """Rows on their way to being a table: the header first, then rows of as many cells."""

    def __init__(self, path, dialect, keep_cells):
        self._path, self._dialect, self._keep_cells = path, dialect, keep_cells
        self._found = None
        self._surplus = (
            None  # first cell of a row, and whether the last is blank
        )
        self._filled = set()  # columns that hold anything

    def take(self, cells, line):
        """The next row, which begins in this line."""
        found = self._found
        if not cells or (len(cells) == 1 and not cells[0].strip()):
            # pandas skips blank lines too, but takes a lone "" or blank for a cell of a one-column table.
            if cells and found is not None and len(found.names) == 1:
                raise TableError(f"{self._path}, line {line}: the only cell is empty; remove the line")
            return
        if found is None:
            if self._dialect.has_header:
                self._found = Scanned(_unquoted([cell.strip() for cell in cells]))
                return
            found = self._found = Scanned([str(number) for number in range(1, len(cells) + 1)])
            found.remarks.append(
                f"there is no header line: columns are called by their numbers, 1 to {len(cells)}"
            )
        if not found.kept and len(cells) == len(found.names) + 1:
            self._surplus = []
        if len(cells) != len(found.names) + (self._surplus is not None):
            raise self._ragged(line, len(cells), found)
        used = {place for place, cell in enumerate(cells) if cell and not cell.isspace()}
        self._filled |= used
        found.kept.append(bool(used))
        if used:
            found.lines.append(line)
            if self._keep_cells:
                found.rows.append(cells)
            if self._surplus is not None:
                self._surplus.append((cells[0].strip(), not cells[-1].strip()))

    def checked(self):
        """What was found, with a name for every column."""
        found, path = self._found, self._path
        if found is None:
            raise TableError(
                f"{path} holds nothing but blank lines; a header line and rows of data are needed"
            )
        if not found.lines:
            check_names(str(path), found.names)
            raise TableError(f"{path} holds a header line but no rows of data")
        if self._surplus is not None and not _name_surplus(found, self._surplus):
            raise self._ragged(found.lines[0], len(found.names) + 1, found)
        _name_nameless(found, self._filled)
        check_names(str(path), [name for name in found.names if name not in found.left_out])
        if not all(found.kept):
            found.remarks.append(f"{len(found.kept) - len(found.lines)} rows of nothing left out")
        if self._dialect.encoding == "cp1252":
            found.remarks.append("the text is not UTF-8, and was read as Latin-1 (Windows-1252)")
        return found

    def _ragged(self, line, n_cells, found):
        first = "" if found.kept else ", or take the line above out if it is no header"
        return TableError(
            f"{self._path}, line {line}: {n_cells} cells, but the header has {len(found.names)}; give every "
            f"row the same number of cells{first}"
        )


def _unquoted(names):
    """Names without the single quotation marks that all of them stand in."""
    quoted = all(len(name) > 2 and name[0] == name[-1] == "'" for name in names)
    return [name[1:-1] for name in names] if quoted else names


def check_names(source, names):
    """Raise TableError if a column has no name or two columns share one."""
    seen = set()
    for position, name in enumerate(names, start=1):
        if not name:
            raise TableError(f"{source}: column {position} has no name; give it one in the header")
        if name in seen:
            raise TableError(f"{source}: two columns are called {name!r}; give each a name of its own")
        seen.add(name)


def _name_surplus(found, surplus):
    """Whether the cell that all rows have beyond the header is nothing, or the first one and a row's name."""
    if all(blank for _, blank in surplus):
        found.names.append("")
        return True
    first = [cell for cell, _ in surplus]
    counted = first == [str(number) for number in range(1, len(first) + 1)]
    words = not any(cell.replace(".", "").lstrip("+-").isdigit() for cell in first)
    if len(first) < 2 or len(set(first)) < len(first) or not (counted or words):
        return False
    found.names.insert(0, "")
    return True


def _name_nameless(found, filled):
    """Names for columns without one: the first holds row names, others must be empty."""
    for place, name in enumerate(found.names):
        if name or (place and place in filled):
            continue
        found.names[place] = f"{NAMELESS}{place}"
        found.left_out.add(found.names[place])
        if not place and 0 in filled:
            found.remarks.append("row names left out: the first column, which has no name")


# ---- Cells as features and labels.


class Table:
    """The columns of a file.

    Attributes:
        path: the file.
        columns: cells by the column's name; texts, or None where a cell holds nothing.
        lines: line (or number) of each row in the file.
        target: the column to predict that the file itself names.
    """

    def __init__(self, path):
        self.path, self.target, self.delimiter = Path(path), None, ","
        if not self.path.is_file():
            raise TableError(f"{path}: there is no such file")
        ending = self.path.suffix.lower()
        if ending == ".npz":
            self._read_npz()
        elif ending in (".parquet", ".xlsx", ".arff"):
            self._read_with_pandas(ending)
        else:
            self._read_text()
        for name, cells in self.columns.items():
            self.columns[name] = [None if cell in MISSING else cell for cell in cells]

    def numbers(self, name):
        """A column as floats, NaN where a cell is empty; None if some cell is no number."""
        cells = self.columns[name]
        filled = [cell for cell in cells if cell is not None and cell not in MISSING_IN_NUMBERS]
        found = numbers_in(filled, self.delimiter)
        if found is None:
            return None
        numbers = iter(found[0])
        values = [np.nan if c is None or c in MISSING_IN_NUMBERS else next(numbers) for c in cells]
        empty = [float(word) for word in MISSING if _plain_numbers([word])]
        return np.array([np.nan if value in empty else value for value in values])

    def words(self, name):
        """A column as text, None where a cell is empty."""
        return [None if cell in MISSING_IN_TEXT else cell for cell in self.columns[name]]

    def named_classes(self, name):
        """A column as names of classes, None where a cell is empty, and the different ones in their order."""
        numbers, words = self.numbers(name), self.words(name)
        if numbers is None or not {*words} - {*_TRUE, *_FALSE, None}:
            return words, sorted({*words} - {None})
        names = [None if np.isnan(number) else value_name(float(number)) for number in numbers]
        return names, [value_name(float(number)) for number in np.unique(numbers[~np.isnan(numbers)])]

    def keep(self, kept):
        """Leaves all other rows out."""
        self.lines = [line for line, keeps in zip(self.lines, kept) if keeps]
        self.columns = {n: [c for c, keeps in zip(cells, kept) if keeps] for n, cells in self.columns.items()}

    def require(self, name):
        """Raises TableError unless there is a column of this name."""
        if name not in self.columns:
            raise TableError(f"{self.path} has no column {name!r}; it has {', '.join(self.columns)}")

    def refuse(self, name, bad, what):
        """Raises TableError for the first row where `bad` is true."""
        for line, cell, wrong in zip(self.lines, self.columns[name], bad):
            if wrong:
                raise TableError(f"{self.path}, line {line}, column {name!r}: {cell or ''!r} {what}")

    def refuse_text(self, name, what):
        """Raises TableError for the first cell of a column that is no number."""
        cells = self.columns[name]
        filled = [cell not in (None, *MISSING_IN_NUMBERS) for cell in cells]
        bad = [some and numbers_in([cell], self.delimiter) is None for cell, some in zip(cells, filled)]
        self.refuse(name, bad if any(bad) else filled, what)

    def _read_text(self):
        try:
            dialect = find_dialect(self.path, inner_ending(self.path))
            found = scan(self.path, dialect, keep_cells=True)
        except READING_ERRORS as error:
            raise TableError(f"{self.path} cannot be read: {error}") from None
        self.delimiter, self.lines = dialect.delimiter, found.lines
        places = [(place, name) for place, name in enumerate(found.names) if name not in found.left_out]
        self.columns = {name: [row[place].strip() for row in found.rows] for place, name in places}

    def _read_npz(self):
        with np.load(self.path, allow_pickle=False) as file:
            arrays = {name.lower(): file[name] for name in file.files}
        x = arrays["x"].reshape(len(arrays["x"]), -1)
        names = arrays.get("feature_names", [f"x{i}" for i in range(x.shape[1])])
        columns = {str(name): x[:, i] for i, name in enumerate(names)} | {"y": arrays["y"]}
        self.columns, self.target = {name: self._cells(c) for name, c in columns.items()}, "y"
        self.lines = list(range(1, len(x) + 1))

    def _read_with_pandas(self, ending):
        try:
            import pandas
        except ImportError:
            raise TableError(f"{self.path}: pandas reads such files; install it, or save a CSV file") from None
        if ending == ".arff":
            from scipy.io import arff

            frame = pandas.DataFrame(arff.loadarff(self.path)[0])
            frame = frame.map(lambda cell: cell.decode() if isinstance(cell, bytes) else cell)
            frame = frame.replace("?", None)
        elif ending == ".xlsx":
            frame = pandas.read_excel(self.path)
        else:
            frame = pandas.read_parquet(self.path)
            unnamed = "__index_level_{}__"  # what pandas calls an index without a name in such a file
            frame.index.names = [name or unnamed.format(n) for n, name in enumerate(frame.index.names)]
            frame = frame.reset_index()
        self.lines = list(range(1, len(frame) + 1))
        self.columns = {}
        for name in frame.columns:
            column = frame[name]
            numeric = pandas.api.types.is_numeric_dtype(column) and not pandas.api.types.is_bool_dtype(column)
            cells = self._cells(column.astype(float)) if numeric else column.astype("str").tolist()
            self.columns[str(name)] = [None if empty else c for c, empty in zip(cells, column.isna())]

    def _cells(self, values):
        """Numbers and words as text."""
        return [value_name(value) for value in np.asarray(values).tolist()]


def value_name(value):
    """A cell's value as the name of a class: 3.0 -> "3"."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return str(value)


def imputer(x, impute):
    """A function that fills NaN by the mean or median of x's columns, by 0 where a column of x is all NaN."""
    if not impute:
        return lambda rows: rows
    x = np.asarray(x, dtype=np.float64)
    middle = np.zeros(x.shape[1])
    some = ~np.isnan(x).all(axis=0)
    middle[some] = (np.nanmean if impute == "mean" else np.nanmedian)(x[:, some], axis=0)
    return lambda rows: np.where(np.isnan(rows), middle, rows)


def random_for(seed, purpose, redraw=0):
    """Random numbers for setting rows aside (purpose 0), search (1), selection (2) or test tasks (3)."""
    return np.random.default_rng([seed, purpose, redraw])


def cut_rows(classes, rows, fraction, random):
    """(kept, cut off); at least one row of each class on either side."""
    kept, off = [], []
    for members in rows_by_class(classes, rows):
        if len(members) < 2:
            raise TableError("too few rows are left to split; use more rows, or smaller fractions")
        shuffled = random.permutation(members)
        size = min(max(1, round(fraction * len(members))), len(members) - 1)
        off.append(shuffled[:size])
        kept.append(shuffled[size:])
    return np.sort(np.concatenate(kept)), np.sort(np.concatenate(off))


def rows_by_class(classes, rows):
    """The rows of each class; without classes all of them."""
    if classes is None:
        return [rows]
    codes = classes[rows]
    return [rows[codes == code] for code in np.unique(codes)]


def all_columns(table, target):
    """All columns of numbers but the target; a column of text is refused."""
    columns = {name: () for name in table.columns if name != target}
    if not columns:
        raise TableError(f"{table.path} has one column only; at least a feature and the target are needed")
    return columns


def features_of(table, columns):
    """Features (rows x features; NaN in cells that are yet to be filled), and their names."""
    features = {}
    for name, categories in columns.items():
        table.require(name)
        if categories:
            words = table.words(name)
            for category in categories[1:] if len(categories) == 2 else categories:
                features[f"{name}={category}"] = np.array([float(word == category) for word in words])
            continue
        numbers = table.numbers(name)
        if numbers is None:
            table.refuse_text(name, "is not a number; encode or drop it")
        if FILL is None:
            table.refuse(name, np.isnan(numbers), "is not a number; fill it in")
        if not np.isfinite(numbers[~np.isnan(numbers)]).all():
            table.refuse(name, np.isinf(numbers), "is not a finite number")
        features[name] = numbers
    return np.column_stack(list(features.values())), tuple(features)


def labels_of(table, target, classes):
    """Class number of each row."""
    table.require(target)
    names, found = table.named_classes(target)
    table.refuse(target, [name is None for name in names], "is no label; remove the row")
    return np.array([classes.index(name) for name in names])


# ---- The command line.


def main(arguments=None):
    """Trains on a part of a table's rows and prints how well the others are predicted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", metavar="data.csv", help="a table with a header")
    parser.add_argument("--target", metavar="COLUMN", help="column to predict (default: the last one)")
    parser.add_argument("--predict", metavar="NEW.csv", help="also learn from all rows, and predict these")
    parser.add_argument("-o", "--output", metavar="OUT.csv", help="where the predictions go (default: shown)")
    test_fraction, seed = {"type": float, "default": TEST_FRACTION}, {"type": int, "default": SEED}
    parser.add_argument("--test-fraction", **test_fraction, help="rows held out (default: %(default)s)")
    parser.add_argument("--seed", **seed, help="decides which rows (default: %(default)s)")
    options = parser.parse_args(arguments)
    try:
        evaluate(options)
    except (ValueError, OSError) as error:
        parser.exit(2, f"error: {error}\n")


def evaluate(options):
    """What `main` does with its options."""
    if not 0 < options.test_fraction < 1:
        raise TableError(f"--test-fraction is {options.test_fraction}; it must be between 0 and 1")
    table = Table(options.table)
    target = options.target or table.target or list(table.columns)[-1]
    table.require(target)
    columns = all_columns(table, target)
    classes = table.named_classes(target)[1]
    if len(classes) < 2:
        raise TableError(f"{target!r} must hold two classes or more, but holds 1 class")
    y = labels_of(table, target, classes)
    X, names = features_of(table, columns)
    if len(X) - max(1, round(len(X) * options.test_fraction)) < 2:
        raise TableError(f"{table.path} has {len(X)} rows; too few to train on some and test on others")
    train, test = set_aside(table, y, options)
    fill = imputer(X[train], FILL)
    model = EvolvedClassifier().fit(fill(X[train]), y[train])
    print(f"{table.path}: {len(X)} rows, {len(names)} feature{'s' * (len(names) != 1)}, predicting {target!r}")
    print(f"features: {', '.join(names[:12])}{', ...' if len(names) > 12 else ''}")
    print(f"trained on {len(train)} rows, scored on the other {len(test)}:\n")
    report(model, fill(X[test]), y[train], y[test])
    if options.predict:
        fill = imputer(X, FILL)
        model = EvolvedClassifier().fit(fill(X), y)
        predict(model, fill, columns, options, classes)


def set_aside(table, y, options):
    """Rows to train on, in the order in which azgen trains on them, and rows for the test."""
    rows, classes = np.arange(len(y)), y
    random = random_for(options.seed, 0)
    train, test = cut_rows(classes, rows, options.test_fraction, random)
    return random_for(options.seed, 3).permutation(train), test


def report(model, X, y_train, y):
    """Prints how well the rows are predicted, beside the best constant."""
    counts = np.bincount(y_train)
    constant, shares = "most frequent class", np.eye(len(counts))[counts.argmax()]
    results = {}
    guesses = {"this algorithm": model.predict_proba(X), constant: np.tile(shares, (len(y), 1))}
    for name, P in guesses.items():
        right = P.argmax(axis=1) == y
        results[name] = [right.mean()]
    measures = ("accuracy",)
    print(f"{'':24}" + "".join(f"{measure:>{max(12, len(measure) + 2)}}" for measure in measures))
    for name, values in results.items():
        print(f"{name:24}" + "".join(f"{v:{max(12, len(m) + 2)}.4g}" for v, m in zip(values, measures)))


def predict(model, fill, columns, options, classes):
    """Writes predictions for the rows of another table, one a line."""
    table = Table(options.predict)
    X = fill(features_of(table, columns)[0])
    P = model.predict_proba(X)
    header = ["prediction", *(f"probability of {name}" for name in classes)]
    rows = [[classes[p.argmax()], *map(float, p)] for p in P]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows])
    if options.output:
        Path(options.output).write_text(text.getvalue(), encoding="utf-8")
        print(f"\n{options.output}: predictions for the {len(X)} rows of {table.path},")
        print(f"learned from all rows of {options.table}")
    else:
        print("\n" + text.getvalue(), end="")


if __name__ == "__main__":
    main()
