"""A program run step by step in double precision, every value kept, and what changed values do to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from azgen.language import Address, Instruction, Program
from azgen.language.instruction import FEATURES, SCALAR
from azgen.language.meaning import softmax
from azgen.language.random import Generator, task_state
from azgen.study.understanding.edits import Place

N_FEATURES = 4
CLASSES = 3
"""Of programs for several classes."""

_RUNS = 6
_STEPS = 40
_KEPT = (3, 5, 8, 16, 32)
"""Steps looked at of each run: early ones too, for a program may diverge, or its units die."""

_SCALES = (1.0, 0.3, 0.1)
"""Of features and labels, in turn: what diverges on one may learn on another."""

Memory = dict[Address, Any]
Values = dict[Place, Any]


@dataclass
class Step:
    """One training example: Predict, then Learn.

    Attributes:
        before, middle, after: memory when Predict starts, when Learn starts and when Learn is done.
        values: what every line of Predict and Learn made.
        found: memory as every line of Learn found it.
        error: label minus prediction, as a classifier after the sigmoid or softmax.
        earlier: the step before this one, if there was one.
        number: decides the draws.
    """

    before: Memory
    features: Any
    label: Any
    number: int
    earlier: Step | None
    values: Values = field(default_factory=dict)
    found: dict[Place, Memory] = field(default_factory=dict)
    middle: Memory = field(default_factory=dict)
    after: Memory = field(default_factory=dict)
    error: Any = 0.0


class Machine:
    """Runs a program's live code on random data.

    Args:
        program: live code.
        classifier: whether predictions become probabilities; of the vector form they do.
    """

    def __init__(self, program: Program, classifier: bool):
        self.program, self.form = program, program.form
        self.classifier = classifier or program.form != SCALAR
        memory = program.memory
        shapes = {"s": (), "v": (N_FEATURES,), "m": (N_FEATURES, N_FEATURES)}
        self.shapes = shapes
        self._zero = {
            Address(kind, number): np.zeros(shape)[()]
            for kind, shape in shapes.items()
            for number in range(memory.of(kind))
        }
        self._lines = [
            [(Place(f, n), i.writes, self._line(i)) for n, i in enumerate(function)]
            for f, function in enumerate(program.functions)
        ]

    def steps(self) -> list[Step]:
        """Some steps of runs on random data, those where everything is finite; may be empty."""
        found: list[Step] = []
        with np.errstate(all="ignore"):
            for run in range(_RUNS):
                found += self._steps_of(run, _SCALES[run % len(_SCALES)])
        return found

    def _steps_of(self, run: int, scale: float) -> list[Step]:
        random = np.random.default_rng([run, 11])
        weights = random.normal(size=(N_FEATURES, CLASSES)), random.normal(size=(N_FEATURES, N_FEATURES))
        memory = self.run(0, dict(self._zero), Generator(task_state(run, 0), np.float64))
        steps: list[Step] = []
        for number in range(_STEPS):
            x = scale * random.normal(size=N_FEATURES)
            output = x @ weights[0] + np.maximum(0, weights[1] @ x)[:CLASSES]
            earlier = steps[-1] if steps else None
            step = Step(memory, x, self._label(output, scale), run * _STEPS + number + 1, earlier)
            self._complete(step)
            # False for NaN as well.
            if not all(np.abs(v).max() < 1e6 for v in (*step.after.values(), *step.values.values())):
                break
            memory = step.after
            steps.append(step)
        return [steps[number] for number in _KEPT if number < len(steps)]

    def _label(self, output: Any, scale: float) -> Any:
        if self.form != SCALAR:
            label = np.zeros(N_FEATURES)
            label[int(np.argmax(output))] = 1.0
            return label
        return np.float64(output[0] > 0) if self.classifier else output[0]

    def _complete(self, step: Step) -> None:
        step.middle = self.predict(step, step.values)
        middle = dict(step.middle)
        raw = middle[self.form.prediction]
        if self.form != SCALAR:
            middle[self.form.prediction] = softmax(raw, CLASSES)
        elif self.classifier:
            middle[self.form.prediction] = 1 / (1 + np.exp(-raw))
        step.error = step.label - middle[self.form.prediction]
        if self.form != SCALAR:
            step.error = step.error * (np.arange(N_FEATURES) < CLASSES)
        middle[self.form.label] = step.label
        step.middle = middle
        generator = Generator(task_state(step.number, 2), np.float64)
        step.after = self.run(2, dict(middle), generator, step.values, found=step.found)

    def predict(
        self,
        step: Step,
        values: Values | None = None,
        *,
        features: Any = None,
        memory: Mapping[Address, Any] | None = None,
        forced: Mapping[Place, Any] | None = None,
    ) -> Memory:
        """Memory after Predict, with the step's own draws.

        Args:
            values: collects what every line makes.
            features: in place of the step's.
            memory: what some addresses hold at the start instead.
            forced: what some lines make instead.
        """
        start = {**step.before, **(memory or {})}
        start[FEATURES] = step.features if features is None else features
        start[self.form.label] = np.zeros(self.shapes[self.form.label.kind])[()]
        generator = Generator(task_state(step.number, 1), np.float64)
        return self.run(1, start, generator, values, forced=forced)

    def output(self, step: Step, **changes: Any) -> Any:
        """The prediction before any sigmoid or softmax; see `predict`."""
        return self.predict(step, **changes)[self.form.prediction]

    def run(
        self,
        function: int,
        memory: Memory,
        generator: Generator,
        values: Values | None = None,
        *,
        forced: Mapping[Place, Any] | None = None,
        found: dict[Place, Memory] | None = None,
    ) -> Memory:
        """Memory after a function (0 to 2)."""
        with np.errstate(all="ignore"):
            for place, out, value in self._lines[function]:
                if found is not None:
                    found[place] = dict(memory)
                result = forced[place] if forced and place in forced else value(memory, generator)
                if values is not None:
                    values[place] = result
                if out:
                    memory[out] = result
        return memory

    def _line(self, instruction: Instruction) -> Callable[[Memory, Generator], Any]:
        """What a line makes of memory, as a function: lines run some thousand times."""
        op, numpy, reads = instruction.op, instruction.op.numpy, instruction.reads
        constants = [
            v if k == "index" else np.float64(v)
            for k, v in zip(op.constants, instruction.constants, strict=True)
        ]
        if op.stochastic:
            shape = self.shapes[op.result]
            return lambda memory, generator: numpy(generator, *constants, shape)
        rest = [N_FEATURES] if op.name == "scalar_broadcast" else constants
        return lambda memory, generator: numpy(*[memory[address] for address in reads], *rest)

    # ---- derivatives

    def ascent(self, step: Step, where: Address | Place, memory: Mapping[Address, Any] | None = None) -> Any:
        """Derivative of error times prediction, the error held, by an address at the start of Predict or by
        what a line of Predict makes: minus the gradient of half the squared error (of classes: the log-loss).

        NaN at a kink.
        """
        given = dict(memory or {})
        base = given.get(where, step.before.get(where)) if isinstance(where, Address) else None
        if base is None:
            values: Values = {}
            self.predict(step, values, memory=given)
            base = values[where]  # type: ignore[index]
        size = float(np.sqrt(np.mean(np.square(base)))) or 1e-3
        slopes = np.zeros((2, *np.shape(base)))
        middle = np.sum(step.error * self._with(step, where, base, given))
        for index in np.ndindex(np.shape(base)):
            for side, sign in enumerate((1.0, -1.0)):
                changed = np.array(base)
                changed[index] += sign * 1e-6 * size
                end = np.sum(step.error * self._with(step, where, changed[()], given))
                slopes[(side, *index)] = sign * (end - middle) / (1e-6 * size)
        largest = np.abs(slopes).max()
        if not np.abs(slopes[0] - slopes[1]).max() <= 1e-4 * largest:
            return np.full(np.shape(base), np.nan)[()]  # at a kink, such as that of a rectifier
        return slopes.mean(axis=0)[()]

    def _with(self, step: Step, where: Address | Place, value: Any, given: Memory) -> Any:
        if isinstance(where, Address):
            return self.output(step, memory={**given, where: value})
        return self.output(step, memory=given, forced={where: value})


def lines_between(program: Program, function: int, sources: frozenset[Address], last: int) -> Iterator[int]:
    """Numbers of a function's lines, up to `last`, on the way from some addresses to the last of them."""
    touched, reached = set(sources), []
    for number, instruction in enumerate(program.functions[function][: last + 1]):
        depends = any(a in touched for a in instruction.reads)
        if instruction.writes:
            (touched.add if depends else touched.discard)(instruction.writes)
        if depends:
            reached.append(number)
    needed = {a for a in [program.functions[function][last].writes] if a}
    for number in range(last, -1, -1):
        instruction = program.functions[function][number]
        if instruction.writes in needed:
            needed.discard(instruction.writes)
            needed.update(instruction.reads)
            if number in reached:
                yield number
