"""The methods of the exported class Learner, line by line: what an exported module is at its heart."""

from __future__ import annotations

from collections.abc import Iterable

from azgen.exports.flow import Flow, Function, Parameter, Value
from azgen.exports.names import Namer
from azgen.exports.statements import Folder
from azgen.language.instruction import VECTOR

_HELPERS = ("sigmoid", "softmax", "minimum", "maximum")

Body = list[tuple[str, frozenset[Value]]]
"""Lines of a method, each with the values that it makes."""


def bodies(flow: Flow, namer: Namer) -> tuple[Body, Body, Body]:
    """Of `__init__`, predict and learn."""
    used: set[Parameter] = set()
    predict, learn = (_written(flow, function, namer, used) for function in (flow.predict, flow.learn))
    # Setup comes last: by now it is known which constants the object must keep.
    draws_later = any("self.rng." in line for line, _ in predict + learn)
    registers = {f"self.{namer.attribute(address)}": str(address) for address in sorted(flow.attributes)}
    registers |= {f"self.{c.parameters[0].name}": str(address) for address, c in flow.constants.items()}
    setup = _setup(flow, namer, used, draws_later)
    return tuple(_with_registers(body, registers) for body in (setup, predict, learn))  # type: ignore[return-value]


def _with_registers(body: Body, registers: dict[str, str]) -> Body:
    """The lines, with the program's register beside a name where it is given its first value."""
    found: Body = []
    for line, values in body:
        register = registers.pop(line.split(" = ")[0], "")
        found.append((f"{line}  # {register}" if register else line, values))
    return found


def _written(flow: Flow, function: Function, namer: Namer, used: set[Parameter]) -> Body:
    folder = Folder(flow, function, namer, used)
    return list(zip(folder.lines, folder.sources, strict=True))


def _setup(flow: Flow, namer: Namer, used: set[Parameter], draws_later: bool) -> Body:
    none = frozenset[Value]()
    body: Body = [("self.n_classes = n_classes", none)] if flow.program.form == VECTOR else []
    body += [(f"self.{p.name} = DTYPE({p.name})", frozenset({p.owner})) for p in flow.parameters if p in used]
    if draws_later:
        body.append(("self.rng = rng", none))
    body += _written(flow, flow.setup, namer, used)
    zeros = {
        "s": "DTYPE(0.0)",
        "v": "np.zeros(n_features, DTYPE)",
        "m": "np.zeros((n_features, n_features), DTYPE)",
    }
    body += [
        (f"self.{namer.attribute(address)} = {zeros[address.kind]}", none)
        for address in flow.starts_at_zero()
    ]
    return body


def helpers(lines: Iterable[str]) -> list[str]:
    """Names of the module's own functions that lines call."""
    text = "\n".join(lines)
    return [name for name in _HELPERS if f"{name}(" in text.replace(f"np.{name}(", "")]
