"""What values are for: facts about a program's dataflow on which names rest."""

from __future__ import annotations

from functools import cached_property

from azgen.exports.flow import SOFTMAX, Flow, Value
from azgen.language import Address

_ADDING = ("sum", "difference")


class Roles:
    """Facts about values and attributes.

    Args:
        flow: the program's values.
    """

    def __init__(self, flow: Flow):
        self._flow = flow

    @cached_property
    def corrections(self) -> frozenset[Value]:
        """Values of Learn that are made from the label, up to where they are added to what was learned."""
        found: set[Value] = set()
        for value in self._flow.learn.steps:
            accumulated = self._flow.learn.kept.get(value.address) is value and changes(value)
            if not accumulated and any(o.leaf == "label" or o in found for o in value.operands):
                found.add(value)
        return frozenset(found)

    @cached_property
    def learned(self) -> frozenset[Address]:
        """Attributes that Learn corrects by adding something made from the label."""
        return frozenset(
            address
            for address, value in self._flow.learn.kept.items()
            if any(change in self.corrections or change.leaf == "label" for change in changes(value))
        )

    @cached_property
    def weight_matrices(self) -> frozenset[Address]:
        """Learned matrices that Predict multiplies with a vector or a matrix."""
        return self.learned_operands("m", "matrix_product") | self._shifted("m", "matrix_product")

    @cached_property
    def weight_vectors(self) -> frozenset[Address]:
        """Learned vectors that Predict takes an inner product with."""
        return self.learned_operands("v", "inner_product") | self._shifted("v", "inner_product")

    @cached_property
    def activations(self) -> frozenset[Value]:
        """Values of Predict that are computed from a learned matrix."""
        found: set[Value] = set()
        for value in self._flow.predict.steps:
            if any(o in found or _is_entry(o, self.weight_matrices) for o in value.operands):
                found.add(value)
        return frozenset(found)

    @cached_property
    def layered(self) -> bool:
        """Whether there is a hidden layer: learned weights times what a learned matrix feeds."""
        return bool(self.output_matrices) or any(
            value.op is not None
            and value.op.family == "inner_product"
            and value in self.activations
            and any(_is_entry(operand, self.weight_vectors) for operand in value.operands)
            for value in self._flow.predict.steps
        )

    @cached_property
    def output_matrices(self) -> frozenset[Address]:
        """Learned matrices that Predict multiplies with what a learned matrix feeds."""
        return frozenset(
            value.operands[0].address
            for value in self._flow.predict.steps
            if value.op is not None
            and value.op.family == "matrix_product"
            and value.kind == "v"
            and _is_entry(value.operands[0], self.weight_matrices)
            and value.operands[1] in self.activations
        )

    @cached_property
    def output_biases(self) -> frozenset[Address]:
        """Learned vectors that Predict adds last, to the scores of the classes."""
        scores = [value.operands[0] for value in self._flow.predict.steps if value.op is SOFTMAX]
        return frozenset(
            operand.address
            for score in scores
            if score.op is not None and score.op.family == "sum"
            for operand in score.operands
            if _is_entry(operand, self.learned)
        )

    def learned_operands(self, kind: str, family: str) -> frozenset[Address]:
        """Learned attributes of a kind that Predict uses directly as operands of a family of ops."""
        return frozenset(
            operand.address
            for value in self._flow.predict.steps
            if value.op and value.op.family == family
            for operand in value.operands
            if operand.kind == kind and _is_entry(operand, self.learned)
        )

    def _shifted(self, kind: str, family: str) -> frozenset[Address]:
        """Learned attributes to which Predict adds something before it uses them so."""
        found = set[Address]()
        for value in self._flow.predict.steps:
            if not value.op or value.op.family != family:
                continue
            if any(_is_entry(operand, self.learned) for operand in value.operands):
                continue
            sums = [
                [inner for inner in operand.operands if _is_entry(inner, self.learned)]
                for operand in value.operands
                if operand.kind == kind and operand.op and operand.op.family in _ADDING
            ]
            if len(sums) == 1 and len(sums[0]) == 1:
                found.add(sums[0][0].address)
        return frozenset(found)

    def definitions(self, address: Address) -> list[Value]:
        """What Predict and Learn leave at an address."""
        return [f.kept[address] for f in (self._flow.predict, self._flow.learn) if address in f.kept]

    def scales_corrections(self, address: Address) -> bool:
        """Whether an attribute's only use is that corrections are multiplied by it."""
        uses = [
            (value, [o for o in value.operands if o is not operand])
            for value in self._flow.values()
            for operand in value.operands
            if operand.address == address and operand.leaf == "entry"
        ]
        return bool(uses) and all(
            value.function == "learn"
            and is_product(value)
            and others
            and all(other in self.corrections for other in others)
            for value, others in uses
        )


def _is_entry(value: Value, addresses: frozenset[Address]) -> bool:
    return value.leaf == "entry" and value.address in addresses


def is_product(value: Value) -> bool:
    """Whether a value is an entrywise product, or a scalar times something."""
    return value.op is not None and value.op.family == "product"


def changes(value: Value) -> list[Value]:
    """All that is added to (or subtracted from) an address's old content on the way to this value.

    Empty when the value comes about in another way.
    """
    found: list[Value] = []
    while value.op and value.op.family in _ADDING:
        a, b = value.operands
        old, change = (a, b) if a.address == value.address else (b, a)
        if old.address != value.address:
            return []
        found.append(change)
        value = old
    return found if value.leaf == "entry" else []


def depends_on(value: Value, address: Address) -> bool:
    """Whether a value is computed from what its function found at an address."""
    seen, todo = {value}, [value]
    while todo:
        value = todo.pop()
        if value.leaf == "entry" and value.address == address:
            return True
        new = [operand for operand in value.operands if operand not in seen]
        seen.update(new)
        todo += new
    return False
