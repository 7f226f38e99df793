"""`AzgenRegressor` and `AzgenClassifier`: scikit-learn estimators that search for their own algorithm.

model = AzgenRegressor(time_limit="2m").fit(X_train, y_train)
model.predict(X_test)
print(model.program_)
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from azgen.extras import missing
from azgen.language.metrics import Metric
from azgen.language.zoo import zoo
from azgen.study.model import exported_class, module_of
from azgen.study.run import evolve
from azgen.tasks.table import MIN_ROWS, MIN_ROWS_PER_CLASS

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import check_is_fitted, validate_data
except ModuleNotFoundError:
    raise missing("sklearn", "AzgenRegressor and AzgenClassifier need") from None

if TYPE_CHECKING:
    from azgen.study.finished import Run

_WARNING = "{}; no program was searched for, and {} learns from them as it is"


@dataclass(kw_only=True, eq=False, repr=False)
class _Searching(BaseEstimator):
    """What both estimators have in common; its fields are their parameters."""

    time_limit: str | float | None = 60.0
    max_programs: int | None = None
    start: str | Sequence[str] | None = None
    metric: str | None = None
    epochs: int | None = None
    dtype: str | None = None
    islands: int | None = None
    workers: int | None = None
    preset: Any = None
    out: str | Path | None = None
    random_state: Any = 0

    def _search(self, X: NDArray[Any], y: NDArray[Any], kind: str, reason: str) -> None:
        """Searches for a program and makes an untrained estimator of it.

        Args:
            y: labels; classes by number.
            kind: of the labels, as `azgen.evolve` calls it.
            reason: why there is nothing to search with; "" if there is.
        """
        for name in ("run_", "champion_"):
            if hasattr(self, name):
                delattr(self, name)
        metric: Metric = "accuracy" if kind != "regression" else "rmse"
        if reason:
            name = "zoo:softmax-linear" if kind == "multiclass" else "zoo:affine"
            warnings.warn(_WARNING.format(reason, name), UserWarning, stacklevel=3)
            self.program_, epochs, dtype = zoo(name[4:]), self.epochs or 1, self.dtype or "float32"
        else:
            run = self._evolve(X, y, kind)
            self.run_, self.champion_, self.program_ = run, run.champion, run.champion.program
            epochs, dtype = run.settings.execution.epochs, run.settings.dtype
        self.model_ = exported_class(self.program_, metric, dtype, epochs)()

    def _evolve(self, X: NDArray[Any], y: NDArray[Any], kind: str) -> Run:
        with self._place() as out:
            return evolve(
                X,
                y,
                preset=self.preset,
                out=out,
                kind=kind,
                max_time=self.time_limit if self.max_programs is None else None,
                max_programs=self.max_programs,
                start=self.start,
                metric=self.metric,
                epochs=self.epochs,
                dtype=self.dtype,
                islands=self.islands,
                workers=self.workers,
                seed=_seed(self.random_state),
                baselines="few",
                tasks={"drop_constant": True},
            )

    @contextlib.contextmanager
    def _place(self) -> Iterator[Path]:
        """Where the run lies: a folder that goes again, unless one is named."""
        if self.out is not None:
            yield Path(self.out)
            return
        with tempfile.TemporaryDirectory(prefix="azgen-") as folder:
            yield Path(folder) / "run"

    @property
    def _fitted(self) -> Any:
        check_is_fitted(self, "model_")
        return self.model_

    def _rows(self, X: ArrayLike) -> NDArray[Any]:
        rows: NDArray[Any] = validate_data(self, X, reset=False, dtype=np.float64)
        return rows

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = self.max_programs is None  # a limit of time depends on the machine
        return tags

    def __getstate__(self) -> dict[str, Any]:
        # Classes made of generated source are found by pickle only where that source has been executed.
        state = dict(super().__getstate__())
        state.pop("run_", None)
        if "model_" in state:
            model = state.pop("model_")
            state["_model"] = sys.modules[type(model).__module__].SOURCE, pickle.dumps(model)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        state = dict(state)
        packed = state.pop("_model", None)
        super().__setstate__(state)
        if packed:
            module_of(packed[0])
            self.model_ = pickle.loads(packed[1])


class AzgenRegressor(RegressorMixin, _Searching):
    """A regressor that evolves its learning algorithm on the examples it is given, then trains it on them.

    `fit` sets some rows aside (`azgen.evolve` says how), searches for a program, and trains what it found
    on all rows. With fewer than 10 rows, or labels or features that are all alike, nothing is searched for:
    a linear program learns from them, and a warning says so.

    Args:
        time_limit: of the search, in seconds or as text ("10m"); `max_programs` takes its place.
        max_programs: limit of the search in programs, with which a result depends on the seed alone.
        start: what the search starts from; see `azgen.settings.overrides.Overrides`.
        metric: what fitness is: "rmse" or "r2".
        epochs: passes over the examples; None: as many as the search finds best.
        dtype: "float32" or "float64".
        islands, workers: populations side by side, and processes that run them.
        preset: preset, file or settings for tables that say everything else of the search.
        out: folder in which the run is kept; None: it is not.
        random_state: seed of the search: a number, a RandomState, or None for another one every time.

    Attributes:
        program_: the program that was found.
        champion_, run_: the same with its fitness, and the whole run, whose `test_fitness` was measured on
            rows that the search has not seen; neither if nothing was searched for. Pickles leave `run_` out.
        model_: the program as the trained estimator that its exported module holds.
        n_features_in_, feature_names_in_: as everywhere in scikit-learn.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> AzgenRegressor:
        """Searches, then trains.

        Args:
            X: examples x features, numbers.
            y: one number per example.

        Raises:
            ValueError: X or y cannot be learned from.
            AzgenError: a parameter makes no sense, or there is no compiler.
        """
        rows, labels = validate_data(self, X, y, y_numeric=True, dtype=np.float64, ensure_min_samples=2)
        self._search(rows, labels, "regression", _nothing_to_search(rows, labels))
        self.model_.fit(rows, labels)
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.float64]:
        """A number for each example; the program may remember something from one to the next."""
        found: NDArray[np.float64] = self._fitted.predict(self._rows(X))
        return found


class AzgenClassifier(ClassifierMixin, _Searching):
    """A classifier of two or more classes that evolves its learning algorithm, then trains it.

    See `AzgenRegressor`; `metric` is "accuracy", "balanced-accuracy" or "log-loss", and nothing is searched
    for with fewer than 5 rows of a class.

    Attributes:
        classes_: the classes in sorted order, which is that of the columns of `predict_proba`.
    """

    def fit(self, X: ArrayLike, y: ArrayLike) -> AzgenClassifier:
        """Searches, then trains.

        Args:
            X: examples x features, numbers.
            y: one class per example, of two at least.

        Raises:
            ValueError: X or y cannot be learned from.
            AzgenError: a parameter makes no sense, or there is no compiler.
        """
        rows, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds 1 class; a classifier needs two or more")
        reason = _nothing_to_search(rows, codes)
        fewest = int(np.bincount(codes).min())
        if not reason and fewest < MIN_ROWS_PER_CLASS:
            reason = f"a class has {fewest} rows, fewer than {MIN_ROWS_PER_CLASS}"
        kind = "classification" if len(self.classes_) == 2 else "multiclass"
        self._search(rows, codes, kind, reason)
        self.model_.fit(rows, codes)
        return self

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """A class for each example; the program may remember something from one to the next."""
        numbers = self._fitted.predict(self._rows(X))
        found: NDArray[Any] = self.classes_[numbers]
        return found

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float64]:
        """Probability of each class, examples x classes."""
        found: NDArray[np.float64] = self._fitted.predict_proba(self._rows(X))
        return found


def _nothing_to_search(X: NDArray[Any], y: NDArray[Any]) -> str:
    """Why no program can be searched for with these examples; "" if one can."""
    if len(X) < MIN_ROWS:
        return f"there are {len(X)} rows, fewer than {MIN_ROWS}"
    if (y == y[0]).all():
        return "all labels are the same"
    if (X[0] == X).all():
        return "all rows are the same"
    return ""


def _seed(random_state: Any) -> int:
    if isinstance(random_state, (int, np.integer)):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))
