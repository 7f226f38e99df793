"""The op table: every basic operation a program may use, each declared once.

Kernel, candidate, export, parser, mutator, documentation and tests all read these rows; adding an op is
adding a row. Ids, types and printed forms follow AutoML-Zero (Real et al., ICML 2020, Table S1, and its
released code).

Operand types are ``s`` (scalar), ``v`` (vector of F entries) and ``m`` (matrix, F x F), where F is the number
of features.
"""

from __future__ import annotations

import copyreg
from collections.abc import Callable
from typing import Any

from azgen.language import fused, meaning
from azgen.language.later import functions as np
from azgen.language.op import Cost, Op, OpTable


def _flat(F: int) -> float:
    return 1.0


def _per_vector(F: int) -> float:
    return float(F)


def _per_matrix(F: int) -> float:
    return float(F * F)


def _times(factor: float, cost: Cost) -> Cost:
    return lambda F: factor * cost(F)


def _scalar_function(id: int, name: str, spelling: str, doc: str) -> Op:
    """A row for a mathematical function of one scalar."""
    function: Callable[..., Any] = getattr(np, spelling)
    listing = f"{spelling}({{a}})"
    return Op(
        id,
        f"scalar_{spelling}",
        "s -> s",
        listing,
        function,
        f"lane_{name}({{a}})",
        f"np.{listing}",
        _times(8, _flat),
        doc,
        family="function",
    )


_VALUE = ("value",)
_RANGE = ("low", "high")
_NORMAL = ("mean", "stdev")
_V = "(n_features,)"
_M = "(n_features, n_features)"

# fmt: off
OPS = OpTable([
    Op(0, "no_op", " -> ", "NoOp()", lambda: None, "pass", "pass", lambda F: 0.0,
       "Nothing.", target=""),
    Op(1, "scalar_sum", "ss -> s", "{a} + {b}", np.add, "{a} + {b}", "{a} + {b}", _flat,
       "Sum of two scalars.", commutative=True, family="sum"),
    Op(2, "scalar_diff", "ss -> s", "{a} - {b}", np.subtract, "{a} - {b}", "{a} - {b}", _flat,
       "Difference of two scalars.", family="difference"),
    Op(3, "scalar_product", "ss -> s", "{a} * {b}", np.multiply, "{a} * {b}", "{a} * {b}", _flat,
       "Product of two scalars.", commutative=True, family="product"),
    Op(4, "scalar_division", "ss -> s", "{a} / {b}", np.divide, "{a} / {b}", "{a} / {b}", _times(4, _flat),
       "Quotient of two scalars; x / 0 is infinite, 0 / 0 is NaN.", family="quotient"),
    Op(5, "scalar_abs", "s -> s", "abs({a})", np.abs, "lane_abs({a})", "np.abs({a})", _flat,
       "Absolute value of a scalar.", family="absolute"),
    Op(6, "scalar_reciprocal", "s -> s", "1 / {a}", np.reciprocal, "lane_reciprocal({a})", "DTYPE(1) / {a}", _times(4, _flat),
       "Reciprocal of a scalar.", family="reciprocal"),
    _scalar_function(7, "sin", "sin", "Sine of a scalar, in radians."),
    _scalar_function(8, "cos", "cos", "Cosine of a scalar, in radians."),
    _scalar_function(9, "tan", "tan", "Tangent of a scalar, in radians."),
    _scalar_function(10, "asin", "arcsin", "Arc sine of a scalar; NaN outside [-1, 1]."),
    _scalar_function(11, "acos", "arccos", "Arc cosine of a scalar; NaN outside [-1, 1]."),
    _scalar_function(12, "atan", "arctan", "Arc tangent of a scalar."),
    _scalar_function(13, "exp", "exp", "Exponential of a scalar; overflows to infinity."),
    _scalar_function(14, "log", "log", "Natural logarithm of a scalar; log 0 is -infinity, of a negative number NaN."),
    Op(15, "scalar_heaviside", "s -> s", "heaviside({a}, 1.0)", meaning.step_from_zero, "lane_step_from_zero({a})",
       "DTYPE({a} >= 0)", _flat, "1 if the scalar is at least 0, else 0 (1 at exactly 0, as the original).", family="step"),
    Op(16, "vector_heaviside", "v -> v", "heaviside({a}, 0.0)", meaning.step_above_zero, "lane_step_above_zero({a})",
       "({a} > 0).astype(DTYPE)", _per_vector, "1 where the entry is above 0, else 0 (0 at exactly 0, as the original).", family="step"),
    Op(17, "matrix_heaviside", "m -> m", "heaviside({a}, 0.0)", meaning.step_above_zero, "lane_step_above_zero({a})",
       "({a} > 0).astype(DTYPE)", _per_matrix, "1 where the entry is above 0, else 0 (0 at exactly 0, as the original).", family="step"),
    Op(18, "scalar_vector_product", "sv -> v", "{a} * {b}", np.multiply, "{a} * {b}", "{a} * {b}", _per_vector,
       "Vector scaled by a scalar.", family="product"),
    Op(19, "scalar_broadcast", "s -> v", "bcast({a})", meaning.broadcast, "{a}", "np.full(n_features, {a})", _per_vector,
       "Vector with every entry equal to the scalar.", family="broadcast"),
    Op(20, "vector_reciprocal", "v -> v", "1 / {a}", np.reciprocal, "lane_reciprocal({a})", "1 / {a}", _times(4, _per_vector),
       "Reciprocal of every entry.", family="reciprocal"),
    Op(21, "vector_norm", "v -> s", "norm({a})", meaning.norm, "vector_norm({a})", "np.linalg.norm({a})",
       _times(2, _per_vector), "Euclidean norm of a vector.", family="norm", fused=fused.norm),
    Op(22, "vector_abs", "v -> v", "abs({a})", np.abs, "lane_abs({a})", "np.abs({a})", _per_vector,
       "Absolute value of every entry.", family="absolute"),
    Op(23, "vector_sum", "vv -> v", "{a} + {b}", np.add, "{a} + {b}", "{a} + {b}", _per_vector,
       "Sum of two vectors.", commutative=True, family="sum"),
    Op(24, "vector_diff", "vv -> v", "{a} - {b}", np.subtract, "{a} - {b}", "{a} - {b}", _per_vector,
       "Difference of two vectors.", family="difference"),
    Op(25, "vector_product", "vv -> v", "{a} * {b}", np.multiply, "{a} * {b}", "{a} * {b}", _per_vector,
       "Entrywise product of two vectors.", commutative=True, family="product"),
    Op(26, "vector_division", "vv -> v", "{a} / {b}", np.divide, "{a} / {b}", "{a} / {b}", _times(4, _per_vector),
       "Entrywise quotient of two vectors.", family="quotient"),
    Op(27, "vector_inner_product", "vv -> s", "dot({a}, {b})", meaning.inner_product, "vector_inner_product({a}, {b})",
       "{a} @ {b}", _times(2, _per_vector), "Inner product of two vectors.", commutative=True, family="inner_product", fused=fused.fused_sum),
    Op(28, "vector_outer_product", "vv -> m", "outer({a}, {b})", np.multiply.outer, "vector_outer_product({out}, {a}, {b})",
       "np.outer({a}, {b})", _per_matrix, "Outer product: entry (i, j) is a_i * b_j.", family="outer_product"),
    Op(29, "scalar_matrix_product", "sm -> m", "{a} * {b}", np.multiply, "{a} * {b}", "{a} * {b}", _per_matrix,
       "Matrix scaled by a scalar.", family="product"),
    Op(30, "matrix_reciprocal", "m -> m", "1 / {a}", np.reciprocal, "lane_reciprocal({a})", "1 / {a}", _times(4, _per_matrix),
       "Reciprocal of every entry.", family="reciprocal"),
    Op(31, "matrix_vector_product", "mv -> v", "dot({a}, {b})", meaning.matrix_vector_product,
       "matrix_vector_product({out}, {a}, {b})", "{a} @ {b}", _times(2, _per_matrix), "Matrix times vector.", family="matrix_product", fused=fused.matrix_vector_product),
    Op(32, "vector_column_broadcast", "v -> m", "bcast({a}, axis=0)", meaning.columns, "vector_column_broadcast({out}, {a})",
       "np.tile({a}[:, None], (1, n_features))", _per_matrix, "Matrix with every column equal to the vector.", family="columns"),
    Op(33, "vector_row_broadcast", "v -> m", "bcast({a}, axis=1)", meaning.rows, "vector_row_broadcast({out}, {a})",
       "np.tile({a}, (n_features, 1))", _per_matrix, "Matrix with every row equal to the vector.", family="rows"),
    Op(34, "matrix_norm", "m -> s", "norm({a})", meaning.norm, "matrix_norm({a})", "np.linalg.norm({a})",
       _times(2, _per_matrix), "Frobenius norm of a matrix.", family="norm", fused=fused.norm),
    Op(35, "matrix_column_norm", "m -> v", "norm({a}, axis=0)", meaning.column_norms, "matrix_column_norm({out}, {a})",
       "np.linalg.norm({a}, axis=0)", _times(2, _per_matrix), "Euclidean norm of every column.", family="column_norm", fused=fused.column_norms),
    Op(36, "matrix_row_norm", "m -> v", "norm({a}, axis=1)", meaning.row_norms, "matrix_row_norm({out}, {a})",
       "np.linalg.norm({a}, axis=1)", _times(2, _per_matrix), "Euclidean norm of every row.", family="row_norm", fused=fused.row_norms),
    Op(37, "matrix_transpose", "m -> m", "transpose({a})", np.transpose, "matrix_transpose({out}, {a})", "{a}.T",
       _per_matrix, "Transpose of a matrix.", family="transpose"),
    Op(38, "matrix_abs", "m -> m", "abs({a})", np.abs, "lane_abs({a})", "np.abs({a})", _per_matrix,
       "Absolute value of every entry.", family="absolute"),
    Op(39, "matrix_sum", "mm -> m", "{a} + {b}", np.add, "{a} + {b}", "{a} + {b}", _per_matrix,
       "Sum of two matrices.", commutative=True, family="sum"),
    Op(40, "matrix_diff", "mm -> m", "{a} - {b}", np.subtract, "{a} - {b}", "{a} - {b}", _per_matrix,
       "Difference of two matrices.", family="difference"),
    Op(41, "matrix_product", "mm -> m", "{a} * {b}", np.multiply, "{a} * {b}", "{a} * {b}", _per_matrix,
       "Entrywise product of two matrices.", commutative=True, family="product"),
    Op(42, "matrix_division", "mm -> m", "{a} / {b}", np.divide, "{a} / {b}", "{a} / {b}", _times(4, _per_matrix),
       "Entrywise quotient of two matrices.", family="quotient"),
    Op(43, "matrix_matrix_product", "mm -> m", "matmul({a}, {b})", meaning.matrix_matrix_product,
       "matrix_matrix_product({out}, {a}, {b})", "{a} @ {b}", lambda F: 2.0 * F**3, "Matrix product.", family="matrix_product", fused=fused.matrix_matrix_product),
    Op(44, "scalar_min", "ss -> s", "minimum({a}, {b})", meaning.smaller, "lane_min({a}, {b})",
       "minimum({a}, {b})", _flat, "Smaller of two scalars; the first when either is NaN.", family="minimum"),
    Op(45, "vector_min", "vv -> v", "minimum({a}, {b})", meaning.smaller, "lane_min({a}, {b})",
       "minimum({a}, {b})", _per_vector, "Entrywise smaller of two vectors; the first when either is NaN.", family="minimum"),
    Op(46, "matrix_min", "mm -> m", "minimum({a}, {b})", meaning.smaller, "lane_min({a}, {b})",
       "minimum({a}, {b})", _per_matrix, "Entrywise smaller of two matrices; the first when either is NaN.", family="minimum"),
    Op(47, "scalar_max", "ss -> s", "maximum({a}, {b})", meaning.larger, "lane_max({a}, {b})",
       "maximum({a}, {b})", _flat, "Larger of two scalars; the first when either is NaN.", family="maximum"),
    Op(48, "vector_max", "vv -> v", "maximum({a}, {b})", meaning.larger, "lane_max({a}, {b})",
       "maximum({a}, {b})", _per_vector, "Entrywise larger of two vectors; the first when either is NaN.", family="maximum"),
    Op(49, "matrix_max", "mm -> m", "maximum({a}, {b})", meaning.larger, "lane_max({a}, {b})",
       "maximum({a}, {b})", _per_matrix, "Entrywise larger of two matrices; the first when either is NaN.", family="maximum"),
    Op(50, "vector_mean", "v -> s", "mean({a})", meaning.mean, "vector_mean({a})", "np.mean({a})", _per_vector,
       "Arithmetic mean of a vector's entries.", family="mean"),
    Op(51, "matrix_mean", "m -> s", "mean({a})", meaning.mean, "matrix_mean({a})", "np.mean({a})", _per_matrix,
       "Arithmetic mean of a matrix's entries.", family="mean"),
    Op(52, "matrix_row_mean", "m -> v", "mean({a}, axis=1)", meaning.row_means, "matrix_row_mean({out}, {a})",
       "np.mean({a}, axis=1)", _per_matrix, "Arithmetic mean of every row.", family="row_mean"),
    Op(53, "matrix_row_st_dev", "m -> v", "std({a}, axis=1)", meaning.row_st_devs, "matrix_row_st_dev({out}, {a})",
       "np.std({a}, axis=1)", _times(3, _per_matrix), "Population standard deviation of every row (two-pass).", family="row_st_dev", fused=fused.row_st_devs),
    Op(54, "vector_st_dev", "v -> s", "std({a})", meaning.st_dev, "vector_st_dev({a})", "np.std({a})", _times(3, _per_vector),
       "Population standard deviation of a vector's entries (two-pass).", family="st_dev", fused=fused.st_dev),
    Op(55, "matrix_st_dev", "m -> s", "std({a})", meaning.st_dev, "matrix_st_dev({a})", "np.std({a})", _times(3, _per_matrix),
       "Population standard deviation of a matrix's entries (two-pass).", family="st_dev", fused=fused.st_dev),
    Op(56, "scalar_const_set", " -> s", "{x}", lambda x: x, "{x}", "{x}", _flat,
       "Scalar constant.", _VALUE, family="constant"),
    Op(57, "vector_const_set", " -> v", "{y}", meaning.with_element, "{out}[{x}] = {y}",
       "{out}[int({x} * n_features)] = {y}", _flat,
       "Sets one entry of a vector, at a fraction of its length; the others stay.", ("index", "value"), "{out}[{x}]", family="element"),
    Op(58, "matrix_const_set", " -> m", "{z}", meaning.with_element, "{out}[{x} * {n_features} + {y}] = {z}",
       "{out}[int({x} * n_features), int({y} * n_features)] = {z}", _flat,
       "Sets one entry of a matrix, at fractions of its height and width; the others stay.",
       ("index", "index", "value"), "{out}[{x}, {y}]", family="element"),
    Op(59, "scalar_uniform_set", " -> s", "uniform({x}, {y})", meaning.uniform, "scalar_uniform_set({random}, {x}, {y})",
       "rng.uniform({x}, {y})", _times(8, _flat), "Uniform draw from the open interval between the two constants.", _RANGE, family="uniform"),
    Op(60, "vector_uniform_set", " -> v", "uniform({x}, {y}, n_features)", meaning.uniform,
       "vector_uniform_set({out}, {random}, {x}, {y})", f"rng.uniform({{x}}, {{y}}, {_V})", _times(8, _per_vector),
       "Vector of independent uniform draws.", _RANGE, family="uniform"),
    Op(61, "matrix_uniform_set", " -> m", "uniform({x}, {y}, (n_features, n_features))", meaning.uniform,
       "matrix_uniform_set({out}, {random}, {x}, {y})", f"rng.uniform({{x}}, {{y}}, {_M})", _times(8, _per_matrix),
       "Matrix of independent uniform draws, row by row.", _RANGE, family="uniform"),
    Op(62, "scalar_gaussian_set", " -> s", "gaussian({x}, {y})", meaning.gaussian, "scalar_gaussian_set({random}, {x}, {y})",
       "rng.normal({x}, {y})", _times(24, _flat), "Normal draw with the given mean and standard deviation.", _NORMAL, family="normal"),
    Op(63, "vector_gaussian_set", " -> v", "gaussian({x}, {y}, n_features)", meaning.gaussian,
       "vector_gaussian_set({out}, {random}, {x}, {y})", f"rng.normal({{x}}, {{y}}, {_V})", _times(24, _per_vector),
       "Vector of independent normal draws.", _NORMAL, family="normal"),
    Op(64, "matrix_gaussian_set", " -> m", "gaussian({x}, {y}, (n_features, n_features))", meaning.gaussian,
       "matrix_gaussian_set({out}, {random}, {x}, {y})", f"rng.normal({{x}}, {{y}}, {_M})", _times(24, _per_matrix),
       "Matrix of independent normal draws, row by row.", _NORMAL, family="normal"),
    # Those above are the paper's; it can say a root only as the norm of a vector that it has to make first.
    _scalar_function(65, "sqrt", "sqrt", "Square root of a scalar; NaN below 0. Not one of the paper's."),
])
# fmt: on


def _row(name: str) -> Op:
    return OPS[name]


def _reduced(op: Op) -> Any:
    """How a row is pickled: by its name, as lambdas cannot be. An op of a user's own is as it is."""
    return (_row, (op.name,)) if any(op is row for row in OPS) else op.__reduce_ex__(4)


copyreg.pickle(Op, _reduced)
