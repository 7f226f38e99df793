"""Ideas in how a program predicts: models, layers, activations, interactions, noise."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from azgen.language import Address
from azgen.language.instruction import FEATURES
from azgen.study.understanding.edits import Place, at
from azgen.study.understanding.evidence import CURVED, Evidence, Idea, degree, same
from azgen.study.understanding.machine import lines_between

_PRODUCTS = ("product", "vector_product", "inner_product", "outer_product")


@dataclass(frozen=True)
class Hidden:
    """A hidden layer: a rectified vector of linear functions of the features.

    Attributes:
        before: the line that makes the pre-activation.
        activation: the line that rectifies it.
        threshold: what it is compared with; None: always 0.
        matrix: the weights' address at the start of Predict.
    """

    before: Place
    activation: Place
    threshold: Address | None
    matrix: Address | None


def hidden_layers(evidence: Evidence) -> list[Hidden]:
    """All rectified layers, in the order of the text."""
    found = []
    for place, instruction in evidence.lines(1, "v"):
        if evidence.degrees[place] != CURVED or instruction.op.name != "vector_max":
            continue
        by_degree = {evidence.degree_of(place, a): a for a in instruction.reads}
        if set(by_degree) != {0, 1}:
            continue
        before = evidence.writer(place, by_degree[1])
        if before is None:
            continue
        pre, limit = evidence.values(before), evidence.found(place, by_degree[0])
        if not same(evidence.values(place), [np.maximum(z, t) for z, t in zip(pre, limit, strict=True)]):
            continue
        zero = not any(np.any(t) for t in limit)
        found.append(Hidden(before, place, None if zero else by_degree[0], _matrix(evidence, before)))
    return found


def _matrix(evidence: Evidence, place: Place) -> Address | None:
    """The matrix that a layer's features are multiplied with, if it is memory."""
    for number in lines_between(evidence.program, 1, frozenset({FEATURES}), place.number):
        line = at(evidence.program, Place(1, number))
        if line.op.name == "matrix_vector_product":
            matrix = line.reads[0]
            return matrix if evidence.writer(Place(1, number), matrix) is None else None
    return None


def predicting(evidence: Evidence, layers: list[Hidden]) -> Iterator[Idea]:
    """Ideas in Predict."""
    if evidence.output is not None and evidence.steps:
        yield from _models(evidence, layers)
    for layer in layers:
        yield from _layer(evidence, layer)
    yield from _interactions(evidence)
    yield from _noise(evidence, layers)


def _path(evidence: Evidence, last: Place, sources: frozenset[Address]) -> tuple[Place, ...]:
    numbers = sorted(lines_between(evidence.program, 1, sources, last.number))
    return tuple(Place(1, number) for number in numbers)


def _models(evidence: Evidence, layers: list[Hidden]) -> Iterator[Idea]:
    output = evidence.output
    assert output is not None
    if evidence.degrees[output] == 1 and evidence.learned:
        at_zero = [np.any(evidence.machine.output(s, features=0 * s.features)) for s in evidence.steps]
        bias = " with a bias" if any(at_zero) else ""
        yield Idea(
            "linear model",
            f"the prediction is a linear function of the features{bias}, its weights in memory "
            f"({', '.join(map(str, evidence.learned))})",
            _path(evidence, output, frozenset({FEATURES})),
            "first differences of the prediction along random lines of features are constant, and not 0",
        )
    for layer in layers:
        if layer.matrix in evidence.learned and _affine_in(evidence, layer.activation, output):
            whole = _all_through(evidence, layer.before)
            after = frozenset({a for a in [at(evidence.program, layer.activation).writes] if a})
            lines = _after(evidence, layer.activation, after, output)
            yield Idea(
                "two-layer network",
                f"a hidden layer with weights {layer.matrix}, a rectifier, and an output layer"
                + ("" if whole else "; beside it the features have another way to the prediction"),
                tuple(dict.fromkeys((layer.before, layer.activation, *lines))),
                "the prediction is affine in the activations and not in the features"
                + ("; with the pre-activations held, the features do not matter" if whole else ""),
            )


def _after(evidence: Evidence, start: Place, made: frozenset[Address], last: Place) -> list[Place]:
    """Lines after one on the way from what it makes to the last."""
    found, touched = [], set(made)
    for number in range(start.number + 1, last.number + 1):
        line = at(evidence.program, Place(1, number))
        depends = any(a in touched for a in line.reads)
        if line.writes:
            (touched.add if depends else touched.discard)(line.writes)
        if depends:
            found.append(Place(1, number))
    return found


def _affine_in(evidence: Evidence, place: Place, output: Place) -> bool:
    """Whether the prediction is affine, and not constant, in what a line makes."""
    found = 0
    for number, step in enumerate(evidence.steps):
        random = np.random.default_rng([number, 6])
        start, along = random.normal(size=(2, *np.shape(step.values[place])))
        series = [
            np.ravel(evidence.machine.output(step, forced={place: start + t * along})) for t in range(-2, 4)
        ]
        found = max(found, degree(np.array(series)))
    return found == 1


def _all_through(evidence: Evidence, place: Place) -> bool:
    """Whether the features reach the prediction only through what a line makes."""
    for number, step in enumerate(evidence.steps):
        other = np.random.default_rng([number, 7]).normal(size=np.shape(step.features))
        held = {place: step.values[place]}
        if np.any(
            evidence.machine.output(step, forced=held)
            != evidence.machine.output(step, forced=held, features=other)
        ):
            return False
    return True


def _layer(evidence: Evidence, layer: Hidden) -> Iterator[Idea]:
    rows = _path(evidence, layer.before, frozenset({FEATURES}))
    name = layer.matrix or "a matrix"
    yield Idea(
        "hidden layer",
        f"pre-activations: {name} times the features",
        rows,
        f"`{evidence.text(layer.before)}` is linear in the features, memory held",
    )
    if layer.threshold is None:
        yield Idea(
            "ReLU",
            "negative pre-activations become 0",
            (layer.activation,),
            f"`{evidence.text(layer.activation)}` is max(pre-activation, 0): the other operand is 0 always",
        )
        return
    sizes = [
        np.abs(evidence.found(layer.activation, layer.threshold)[i]).mean() / max(np.abs(z).mean(), 1e-30)
        for i, z in enumerate(evidence.values(layer.before))
    ]
    yield Idea(
        "ReLU",
        f"almost: the threshold is {layer.threshold} in place of 0, about {np.median(sizes):.2g} of a "
        "pre-activation's size on random data",
        (layer.activation,),
        f"`{evidence.text(layer.activation)}` is max(pre-activation, {layer.threshold}), and "
        f"{layer.threshold} does not depend on the features",
    )


def _interactions(evidence: Evidence) -> Iterator[Idea]:
    for place, instruction in evidence.lines(1):
        is_product = instruction.op.name.partition("_")[2] in _PRODUCTS or "product" in instruction.op.name
        if not is_product or evidence.degrees[place] != 2:
            continue
        if all(evidence.degree_of(place, a) == 1 for a in instruction.reads):
            parts = [w for a in instruction.reads if (w := evidence.writer(place, a))]
            lines = {p for part in parts for p in _path(evidence, part, frozenset({FEATURES}))}
            kind = "bilinear form" if place == evidence.output else "product of two linear functions"
            yield Idea(
                "multiplicative interaction",
                f"features are multiplied with features: a {kind}",
                (*sorted(lines), place),
                "second differences along random lines of features are constant, and not 0",
            )


def _noise(evidence: Evidence, layers: list[Hidden]) -> Iterator[Idea]:
    inputs: dict[Address, list[Place]] = {}
    for place, instruction in evidence.lines(1):
        if instruction.op.name not in ("vector_sum", "vector_diff"):
            continue
        for noise, other in (instruction.reads, instruction.reads[::-1]):
            source = random_source(evidence, place, noise)
            if source is None or evidence.degree_of(place, other) != 1:
                continue
            difference = [
                np.abs(np.abs(u - x) - np.abs(n)).max()
                for u, x, n in zip(
                    evidence.values(place),
                    evidence.found(place, other),
                    evidence.found(place, noise),
                    strict=True,
                )
            ]
            plain = instruction.op.name == "vector_sum" or noise == instruction.reads[1]
            if not plain or not difference or max(difference) > 1e-9:
                continue
            if other == FEATURES and evidence.writer(place, FEATURES) is None:
                inputs.setdefault(noise, []).extend([source, place])
            else:
                yield Idea(
                    "noise on the hidden layer",
                    f"{noise} is drawn anew for every example and added to pre-activations",
                    (source, place),
                    f"`{evidence.text(place)}`: what is added is drawn in every step, whatever the features",
                )
    for noise, lines in inputs.items():
        yield Idea(
            "input noise",
            f"{noise}, drawn anew for every training example, is added to the features"
            + (" and taken from them" if len(lines) > 2 else ""),
            tuple(sorted(set(lines))),
            f"what is added to the features is {noise} alone, and `{evidence.text(lines[0])}` draws it",
        )


def random_source(evidence: Evidence, place: Place, address: Address) -> Place | None:
    """The line that draws, with every example, what a line of Predict finds at an address; None: no draw."""
    source = evidence.writer(place, address)
    if source is None:
        if evidence.last_writer(1, address) is not None or address not in evidence.entries:
            return None
        source = evidence.last_writer(2, address)
    if source is None or not at(evidence.program, source).op.stochastic:
        return None
    found: list[Any] = evidence.found(place, address)
    varied = len({np.asarray(v).tobytes() for v in found}) == len(found)
    return source if varied and found else None
