"""A learning algorithm discovered by azgen: a classifier, trained one example at a time.

The algorithm itself is the class Learner, right below; around it, EvolvedClassifier is an estimator with
scikit-learn's interface. NumPy is all that this file needs:

    from winner import EvolvedClassifier

    model = EvolvedClassifier().fit(X_train, y_train)
    model.predict(X_test)

On a table, to train on one part of the rows and be scored on the rest:

    python winner.py data.csv --target COLUMN
"""

import argparse
import copy
import csv
import sys
import warnings

import numpy as np

DTYPE = np.float32  # the number type that the algorithm was evolved with


class Learner:
    """The discovered algorithm: what it remembers, how it predicts, how it learns from one example.

    All vectors have n_features entries, labels and probabilities too: theirs from n_classes on are 0.
    """

    def __init__(self, n_features, n_classes, learning_rate):
        self.n_classes = n_classes
        self.learning_rate = DTYPE(learning_rate)
        self.weights = np.zeros((n_features, n_features), DTYPE)

    def predict(self, features):
        """Probabilities of the classes for one example, a vector of n_features."""
        return softmax(self.weights @ features, self.n_classes)

    def learn(self, features, label, probabilities):
        """Learns from one example, given its label (1 for its class, else 0) and what was just predicted."""
        self.weights += np.outer(self.learning_rate * (label - probabilities), features)


def softmax(scores, n_classes):
    """Probabilities of the classes from the first n_classes scores; the entries beyond become 0."""
    exponentials = np.exp(scores[:n_classes] - scores[:n_classes].max())
    probabilities = np.zeros_like(scores)
    probabilities[:n_classes] = exponentials / exponentials.sum()
    return probabilities


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

    def fit(self, X, y):
        """Trains from scratch on X (examples x features) and y (classes, one per example)."""
        if not isinstance(self.epochs, (int, np.integer)) or self.epochs < 1:
            raise ValueError(f"epochs is {self.epochs!r}; it must be a whole number of at least 1")
        names = column_names(X)
        X, y = check_examples(X, y)
        self._start(names, X, y)
        for epoch in range(self.epochs):
            order = np.arange(len(X))
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

    def score(self, X, y):
        """Accuracy: the fraction of examples that are classified correctly."""
        return float(np.mean(self.predict(X) == np.asarray(y)))

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
                self.feature_offset_, self.feature_scale_ = X.mean(axis=0), X.std(axis=0)
                # A constant column says nothing: it becomes 0 everywhere.
                self.feature_scale_[(X == X[0]).all(axis=0)] = np.inf
            self.learner_ = Learner(
                max(X.shape[1], len(self.classes_)),
                len(self.classes_),
                learning_rate=self.learning_rate,
            )

    def _scaled(self, X):
        scaled = ((X - self.feature_offset_) / self.feature_scale_).astype(DTYPE)
        # Vectors have an entry for every class: with fewer features, some are 0.
        return np.pad(scaled, ((0, 0), (0, max(0, len(self.classes_) - X.shape[1]))))

    def _train(self, X, y):
        unknown = ~np.isin(y, self.classes_)
        if unknown.any():
            raise ValueError(f"y contains {y[unknown][0]!r}, which is none of the classes {self.classes_}")
        width = max(X.shape[1], len(self.classes_))
        labels = np.eye(len(self.classes_), width, dtype=DTYPE)[np.searchsorted(self.classes_, y)]
        with np.errstate(all="ignore"):
            for features, label in zip(self._scaled(X), labels):
                prediction = self.learner_.predict(features)
                self.learner_.learn(features, label, prediction)
        if not np.isfinite(prediction).all():
            warnings.warn("training diverged: predictions are not finite", RuntimeWarning, stacklevel=3)

    def _outputs(self, X):
        """What the learner predicts for every example."""
        if not hasattr(self, "learner_"):
            error = scikit_learn_class("NotFittedError", ValueError)
            raise error(f"This {type(self).__name__} instance is not fitted yet; call fit first")
        names, X = column_names(X), check_features(X)
        self._check_columns(names, X)
        learner = copy.deepcopy(self.learner_)
        with np.errstate(all="ignore"):
            outputs = np.empty((len(X), len(self.classes_)))
            for output, features in zip(outputs, self._scaled(X)):
                output[:] = learner.predict(features)[: len(output)]
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


def check_features(X):
    """X as an array of finite numbers, examples x features."""
    if hasattr(X, "toarray"):
        raise TypeError("Sparse data is not supported; pass X.toarray()")
    X = np.asarray(X)
    if np.iscomplexobj(X):
        raise ValueError("Complex data not supported")
    X = X.astype(float)
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
    y = np.asarray(y)
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
    if y.dtype.kind == "f" and not np.isfinite(y).all():
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


def column_names(X):
    """Names of a data frame's columns when all are text, else None."""
    names = getattr(X, "columns", None)
    if names is None or not all(isinstance(name, str) for name in names):
        return None
    return np.array(names, dtype=object)


def scikit_learn_class(name, default):
    """An exception of scikit-learn's, if scikit-learn is in use."""
    return getattr(sys.modules.get("sklearn.exceptions"), name, default)


def read_table(path, target):
    """Features (rows x features), labels, and the target's name, from a file of separated values."""
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            first_line = file.readline()
            file.seek(0)
            separator = max(",;\t", key=first_line.count)
            reader = csv.reader(file, delimiter=separator)
            lines = [(reader.line_num, [cell.strip() for cell in row]) for row in reader if any(row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"cannot read {path}: {getattr(error, 'strerror', None) or error}") from None
    if not lines:
        raise ValueError(f"{path} is empty")
    names = lines[0][1]
    if all(is_number(name) for name in names):
        names = [str(number) for number in range(1, len(names) + 1)]  # no header: columns go by number
    else:
        lines = lines[1:]
    target = names[-1] if target is None else target
    if target not in names:
        raise ValueError(f"{path} has no column {target!r}; it has {', '.join(names)}")
    place = names.index(target)
    features, labels = [], []
    for number, row in lines:
        if len(row) != len(names):
            raise ValueError(f"{path}, line {number}: {len(row)} cells where {len(names)} are expected")
        for name, cell in zip(names, row):
            if name != target and not is_number(cell):
                raise ValueError(
                    f"{path}, line {number}, column {name!r}: {cell!r} is not a number; encode or drop it"
                )
        labels.append(row.pop(place))
        features.append([float(cell) for cell in row])
    if len(names) < 2:
        raise ValueError(f"{path} has one column only; at least a feature and the target are needed")
    if "" in labels:
        raise ValueError(f"{path}, column {target!r}: line {lines[labels.index('')][0]} has no label")
    labels = [float(label) for label in labels] if all(is_number(label) for label in labels) else labels
    return np.array(features), np.array(labels), target


def is_number(cell):
    """Whether a cell holds a finite number."""
    try:
        return bool(np.isfinite(float(cell)))
    except ValueError:
        return False


def main(arguments=None):
    """Trains on a part of a table's rows and prints how well the others are predicted."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("table", metavar="data.csv", help="a table of numbers with a header")
    parser.add_argument("--target", metavar="COLUMN", help="column to predict (default: the last one)")
    parser.add_argument("--test-fraction", type=float, default=0.2, help="rows held out (default: 0.2)")
    parser.add_argument("--seed", type=int, default=0, help="decides which rows (default: 0)")
    options = parser.parse_args(arguments)
    try:
        evaluate(options)
    except ValueError as error:
        parser.exit(2, f"error: {error}\n")


def evaluate(options):
    """What `main` does with its options."""
    if not 0 < options.test_fraction < 1:
        raise ValueError(f"--test-fraction is {options.test_fraction}; it must be between 0 and 1")
    X, y, target = read_table(options.table, options.target)
    n_test = max(1, round(len(X) * options.test_fraction))
    if len(X) - n_test < 2:
        raise ValueError(f"{options.table} has {len(X)} rows; too few to train on some and test on others")
    order = np.random.default_rng(options.seed).permutation(len(X))
    test, train = order[:n_test], order[n_test:]
    model = EvolvedClassifier().fit(X[train], y[train])
    prediction = model.predict(X[test])
    classes, counts = np.unique(y[train], return_counts=True)
    guesses = {"this algorithm": prediction, "most frequent class": classes[counts.argmax()]}
    results = {name: (np.mean(guess == y[test]),) for name, guess in guesses.items()}
    measures = ("accuracy",)
    print(f"{options.table}: {len(X)} rows, {X.shape[1]} features, predicting {target!r}")
    print(f"trained on {len(train)} rows, scored on the other {len(test)}:\n")
    print(f"{'':24}" + "".join(f"{measure:>12}" for measure in measures))
    for name, values in results.items():
        print(f"{name:24}" + "".join(f"{value:12.4g}" for value in values))


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

if __name__ == "__main__":
    main()
