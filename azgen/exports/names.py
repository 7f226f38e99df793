"""Names for what a program remembers, its constants and its intermediate values, inferred from their use.

A name is given only where the use leaves no doubt: a vector that predictions multiply the features with and
that learning corrects by an error is *weights*. Everything else is named after the operation that makes it,
or honestly after nothing: ``vector_2``, ``constant_1``.
"""

from __future__ import annotations

import keyword

from azgen.exports.flow import SIGMOID, SOFTMAX, Flow, Parameter, Value
from azgen.exports.roles import Roles, changes, depends_on, is_product
from azgen.language import Address

_TAKEN = ("self", "np", "rng", "features", "label", "prediction", "n_features", "predict", "learn")
_TAKEN_FOR_CLASSES = ("softmax", "n_classes", "probabilities")
_TAKEN_BY_MODULE = ("sigmoid", "minimum", "maximum", "standardize", "epochs", "random_state")

_KIND = {"s": "scalar", "v": "vector", "m": "matrix"}

_RESULT = {
    "sum": "total",
    "difference": "difference",
    "product": "product",
    "quotient": "ratio",
    "reciprocal": "reciprocal",
    "absolute": "magnitude",
    "sin": "sine",
    "cos": "cosine",
    "tan": "tangent",
    "arcsin": "arc_sine",
    "arccos": "arc_cosine",
    "arctan": "arc_tangent",
    "exp": "exponential",
    "log": "logarithm",
    "sqrt": "root",
    "step": "active",
    "broadcast": "repeated",
    "columns": "repeated",
    "rows": "repeated",
    "norm": "norm",
    "column_norm": "norm",
    "row_norm": "norm",
    "inner_product": "inner_product",
    "outer_product": "outer_product",
    "transpose": "transposed",
    "matrix_product": "matrix_product",
    "minimum": "lower",
    "maximum": "upper",
    "mean": "mean",
    "row_mean": "mean",
    "st_dev": "st_dev",
    "row_st_dev": "st_dev",
    "uniform": "noise",
    "normal": "noise",
}
"""What an operation's result is called, by its family; functions of a scalar by how text spells them."""

_DESCRIPTION = {
    "learning_rate": "how far one error moves what has been learned.",
    "start": "what {target} starts with.",
    "low": "one end of the random draws of {target}.",
    "high": "the other end of the random draws of {target}.",
    "mean": "mean of the random draws of {target}.",
    "stdev": "standard deviation of the random draws of {target}.",
    "upper_limit": "upper limit of an intermediate value.",
    "lower_limit": "lower limit of an intermediate value.",
    "entry": "value of one entry of {target}.",
    "scale": "what learned numbers are multiplied with.",
    "": "a constant of the algorithm.",
}
"""What a parameter is, by its role."""


class Namer:
    """Names of a program's attributes, parameters and local variables, all different.

    Args:
        flow: the program's values. Its parameters get their names and roles here.
    """

    def __init__(self, flow: Flow):
        self._flow = flow
        self._roles = Roles(flow)
        self._used = {*_TAKEN, *_TAKEN_BY_MODULE, *(_TAKEN_FOR_CLASSES if flow.several else ())}
        self._suggested: dict[Address, str] = {}
        order = {a: position for position, a in reversed(list(enumerate(self._reads())))}
        addresses = sorted(flow.attributes, key=lambda address: (order.get(address, -1), address))
        self._attributes = {address: self._unique(self._suggestion(address)) for address in addresses}
        for parameter in flow.parameters:
            if not parameter.literal:
                parameter.role, parameter.name = self._parameter(parameter)

    def attribute(self, address: Address) -> str:
        """Name of what outlasts a call at this address, without ``self.``."""
        return self._attributes[address]

    def local(self, value: Value) -> str:
        """A fresh name for a value that lives within one call."""
        if value is self._flow.predict.result and not self._flow.classifier:
            return "prediction"
        return self._unique(self._described(value))

    def given(self, value: Value) -> str:
        """Name of an argument: features, label or prediction."""
        return "probabilities" if value.leaf == "prediction" and self._flow.several else value.leaf

    def description(self, parameter: Parameter) -> str:
        """What a parameter is, for the class's documentation."""
        return _DESCRIPTION[parameter.role].format(target=self._target(parameter.owner))

    def _reads(self) -> list[Address]:
        return [o.address for value in self._flow.values() for o in value.operands if o.leaf == "entry"]

    def _unique(self, name: str) -> str:
        name = f"{name}_" if keyword.iskeyword(name) else name
        result, number = name, 1
        while result in self._used:
            number += 1
            result = f"{name}_{number}"
        self._used.add(result)
        return result

    # ---- attributes

    def _suggestion(self, address: Address) -> str:
        """Name that an attribute deserves, before names are made different."""
        if address not in self._suggested:
            self._suggested[address] = _KIND[address.kind]  # for whoever asks on the way round a cycle
            self._suggested[address] = self._attribute_name(address)
        return self._suggested[address]

    def _attribute_name(self, address: Address) -> str:
        roles = self._roles
        definitions = roles.definitions(address)
        if address == self._flow.prediction:
            return "last_probabilities" if self._flow.several else "last_prediction"
        if address in roles.learned:
            return self._learned_name(address)
        if definitions and all(changes(value) for value in definitions):
            added = {c.address for value in definitions for c in changes(value) if c.address in roles.learned}
            return f"sum_of_{self._suggestion(added.pop())}" if len(added) == 1 else "running_sum"
        scaled = {self._scaled_name(value) for value in definitions}
        if len(scaled) == 1 and "" not in scaled:
            return scaled.pop()
        if len(definitions) == 1 and not depends_on(definitions[0], address):
            return self._described(definitions[0])
        if roles.scales_corrections(address):
            return "learning_rate"
        start = self._flow.setup.kept.get(address)
        if not definitions and start is not None and start.op and start.op.stochastic:
            return f"random_{_KIND[address.kind]}"
        return _KIND[address.kind]

    def _learned_name(self, address: Address) -> str:
        roles = self._roles
        if address in roles.weight_vectors or address in roles.output_matrices:
            return "output_weights" if roles.layered else "weights"
        if address in roles.weight_matrices:
            return "hidden_weights" if roles.layered else "weights"
        if address in roles.learned_operands("s", "sum") or address in roles.output_biases:
            return "output_bias" if roles.layered else "bias"
        if address in roles.learned_operands("v", "sum"):
            return "hidden_bias" if roles.layered else "bias"
        return "learned_scalar" if address.kind == "s" else "weights"

    def _scaled_name(self, value: Value) -> str:
        """``scaled_weights`` for a scalar times learned weights or their sum."""
        if is_product(value) and value.op and value.op.operands in ("sv", "sm"):
            source = value.operands[1].address
            if source in self._flow.attributes:
                name = self._suggestion(source).removeprefix("sum_of_")
                return f"scaled_{name}" if name.endswith("weights") else ""
        return ""

    # ---- parameters

    def _parameter(self, parameter: Parameter) -> tuple[str, str]:
        """Role and name of a parameter."""
        owner = parameter.owner
        if owner.op:
            role = parameter.kind if owner.op.stochastic else "entry"
            return role, self._unique(f"{self._target(owner)}_{role}")
        if self._flow.setup.kept.get(owner.address) is owner:
            name = self._attributes[owner.address]
            if name == "learning_rate":
                return "learning_rate", name
            return "start", self._unique(f"initial_{name.removeprefix('last_')}")
        role, name = self._constant(owner)
        return role, self._unique(name)

    def _constant(self, constant: Value) -> tuple[str, str]:
        """Role and name of a scalar constant."""
        users = [user for user in self._flow.users.get(constant, []) if user.op]
        factors = [operand for user in users for operand in user.operands if operand is not constant]
        if factors and all(map(is_product, users)):
            if all(self._scales_correction(user, constant) for user in users):
                return "learning_rate", "learning_rate"
            scaled = {self._attributes[f.address] for f in factors if f.address in self._roles.learned}
            if len(scaled) == 1:
                return "scale", f"scale_of_{scaled.pop()}"
        families = {user.op.family for user in users if user.op}
        if families in ({"minimum"}, {"maximum"}):
            role = "upper_limit" if families == {"minimum"} else "lower_limit"
            return role, role
        number = 1 + sum(p.name.startswith("constant_") for p in self._flow.parameters)
        return "", f"constant_{number}"

    def _scales_correction(self, product: Value, constant: Value) -> bool:
        """Whether a constant times something is a correction, or does nothing but scale corrections."""
        corrections = self._roles.corrections
        if any(factor in corrections for factor in product.operands if factor is not constant):
            return True
        users = self._flow.users.get(product, [])
        kept = any(f.kept.get(product.address) is product for f in self._flow.functions)
        others = [operand for user in users for operand in user.operands if operand is not product]
        scaling = all(is_product(user) and user.function == "learn" for user in users)
        return bool(others) and not kept and scaling and all(other in corrections for other in others)

    def _target(self, value: Value) -> str:
        """Name of what a value becomes, for names and descriptions of its parameters."""
        kept = any(function.kept.get(value.address) is value for function in self._flow.functions)
        if kept or (value.op and value.op.keeps_rest and value.address in self._attributes):
            return self._attributes[value.address]
        return "noise" if value.op and value.op.stochastic else _KIND[value.kind]

    # ---- intermediate values

    def _described(self, value: Value) -> str:
        """A name that says how a value is made, or better, what it is for."""
        if value.op is None or value.op.keeps_rest:
            return _KIND[value.kind]
        purpose = self._purpose(value)
        if purpose:
            return purpose
        if value.op.family == "matrix_product" and value.kind == "v":
            return "projection"
        key = value.op.listing.split("(")[0] if value.op.family == "function" else value.op.family
        return _RESULT.get(key, _KIND[value.kind])

    def _purpose(self, value: Value) -> str:
        op, operands, roles = value.op, value.operands, self._roles
        assert op is not None
        leaves = [operand.leaf for operand in operands]
        users = [user.op for user in self._flow.users.get(value, []) if user.op]
        if op.family == "difference" and set(leaves) == {"label", "prediction"}:
            return "error"
        if SIGMOID in users:
            return "logit"
        if SOFTMAX in users:
            return "scores"
        if value in roles.corrections and op.family in ("product", "quotient", "outer_product"):
            gated = any(operand.op and operand.op.family == "step" for operand in operands)
            return "step" if value.kind == "s" else "hidden_update" if gated and roles.layered else "update"
        if op.family in ("sum", "difference") and "features" in leaves:
            names = [self._known(operand) for operand in operands]
            word = "plus" if op.family == "sum" else "minus"
            if op.commutative:
                names.sort(key=lambda name: name != "features")
            return f"{names[0]}_{word}_{names[1]}" if all(names) else ""
        if op.family in ("sum", "difference"):
            learned = [o for o in operands if o.leaf == "entry" and o.address in roles.learned]
            what = self._suggestion(learned[0].address) if len(learned) == 1 else ""
            if what.endswith("weights") and not any(operand in roles.corrections for operand in operands):
                return f"shifted_{what}"
        if roles.layered and value.function == "predict":
            if op.family == "maximum" and value.kind == "v" and value in roles.activations:
                return "hidden"
            if any(user.family == "maximum" for user in users):
                return "pre_activation"
        return ""

    def _known(self, value: Value) -> str:
        if value.leaf == "entry" and value.address in self._flow.attributes:
            return self._suggestion(value.address)
        return "features" if value.leaf == "features" else ""
