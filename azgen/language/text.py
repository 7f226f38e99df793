"""Program text: printing, and parsing through Python's own grammar.

The text is the paper's listing and valid Python syntax. Constants print with as many digits as they need to
be read back exactly, so parsing inverts printing.
"""

from __future__ import annotations

import ast
import math
import re
from functools import lru_cache
from itertools import islice

from azgen.errors import AzgenError
from azgen.language.instruction import (
    FEATURES,
    FORMS,
    FUNCTIONS,
    MAX_ADDRESS,
    MAX_INSTRUCTIONS,
    SCALAR,
    Address,
    Form,
    Function,
    Functions,
    Instruction,
)
from azgen.language.op import Op, OpTable

_ADDRESS = re.compile(r"[svm](0|[1-9][0-9]{0,8})")
_NUMBER = "<number>"
_HEADERS = tuple(name.capitalize() for name in FUNCTIONS)
_MAX_CHARACTERS = 1_000_000
_MAX_NODES = 64
"""Most parts of one line's syntax tree; instructions have about twenty."""


def print_functions(functions: Functions, form: Form) -> str:
    """A program's text, ending in a newline."""
    lines = [] if form == SCALAR else [_form_line(form)]
    for name, function in zip(_HEADERS, functions, strict=True):
        lines.append(f"def {name}():")
        lines += [f"  {instruction}" for instruction in function] or ["  pass"]
    return "\n".join(lines) + "\n"


def parse_functions(text: str, source: str, ops: OpTable) -> tuple[Form, Functions]:
    """Reads program text; see `Program.parse`."""
    if len(text) > _MAX_CHARACTERS or "\0" in text:
        raise AzgenError(f"{source}: this is not program text (over {_MAX_CHARACTERS} characters, or binary)")
    try:
        module = ast.parse(text)
    except SyntaxError as error:
        raise _mistake(
            source, error.lineno or 1, error.offset or 1, f"not valid syntax: {error.msg}"
        ) from None
    except ValueError as error:  # half of a surrogate pair, say
        raise AzgenError(f"{source}: this is not program text ({error})") from None
    except (RecursionError, MemoryError):
        raise AzgenError(f"{source}: the text is nested too deeply to be a program") from None
    functions: dict[str, Function] = {}
    form, body = _parse_form(module.body, source)
    for node in body:
        name = node.name if isinstance(node, ast.FunctionDef) else None
        if not isinstance(node, ast.FunctionDef) or name not in _HEADERS or not _is_plain(node):
            raise _mistake(source, node.lineno, node.col_offset + 1, f"expected one of {_expected_headers()}")
        if name in functions:
            raise _mistake(source, node.lineno, node.col_offset + 1, f"{name} is defined twice")
        if len(node.body) > MAX_INSTRUCTIONS:
            message = f"{name} has more than {MAX_INSTRUCTIONS} instructions; no search makes as many"
            raise _mistake(source, node.lineno, node.col_offset + 1, message)
        functions[name] = tuple(
            _parse_statement(statement, source, ops, form)
            for statement in node.body
            if not isinstance(statement, ast.Pass)
        )
    missing = [name for name in _HEADERS if name not in functions]
    if missing:
        last = text.count("\n") + 1
        raise _mistake(
            source, last, 1, f"there is no `def {missing[0]}():`; write `pass` in an empty function"
        )
    setup, predict, learn = (functions[name] for name in _HEADERS)
    return form, (setup, predict, learn)


def _form_line(form: Form) -> str:
    """The first line of a program that is not of the scalar form."""
    return f"label, prediction = {form.label}, {form.prediction}"


def _parse_form(body: list[ast.stmt], source: str) -> tuple[Form, list[ast.stmt]]:
    """The program's form, from its first line if that says it, and the other lines."""
    if not body or not isinstance(body[0], ast.Assign):
        return SCALAR, body
    if _is_short(body[0]):
        line = ast.unparse(body[0]).replace("(", "").replace(")", "")
        for form in FORMS:
            if line == _form_line(form):
                return form, body[1:]
    choices = " or ".join(f"`{_form_line(form)}`" for form in FORMS)
    raise _mistake(source, body[0].lineno, 1, f"expected {choices}, or a function")


def _is_plain(node: ast.FunctionDef) -> bool:
    """Whether a function has neither parameters nor decorators nor a type."""
    arguments = any(True for _ in ast.iter_child_nodes(node.args))
    return not (arguments or node.decorator_list or node.returns)


def _is_short(node: ast.stmt) -> bool:
    """Whether a line has as few parts as instructions have; others may be nested too deeply to look at."""
    return sum(1 for _ in islice(ast.walk(node), _MAX_NODES + 1)) <= _MAX_NODES


def _expected_headers() -> str:
    return ", ".join(f"`def {name}():`" for name in _HEADERS)


def _mistake(source: str, line: int, column: int, message: str) -> AzgenError:
    return AzgenError(f"{source}, line {line}, column {column}: {message}")


def _parse_statement(statement: ast.stmt, source: str, ops: OpTable, form: Form) -> Instruction:
    def mistake(message: str, node: ast.AST | None = None) -> AzgenError:
        place = node if hasattr(node, "lineno") else statement
        return _mistake(source, place.lineno, place.col_offset + 1, message)  # type: ignore[union-attr]

    if not _is_short(statement):
        raise mistake("this line is longer than any instruction; `azgen ops` lists them all")
    pattern, text = _Pattern(), _unparsed(statement)
    shape = _unparsed(pattern.visit(statement))
    candidates = _patterns(ops).get(shape, ())
    match = next(((op, roles) for op, roles in candidates if _literals_agree(roles, pattern.numbers)), None)
    if match is None:
        raise mistake(f"`{text[:80]}` is no known instruction; `azgen ops` lists them all")
    op, roles = match
    numbers: dict[str, float] = {
        role: float(value)
        for role, (value, _) in zip(roles, pattern.numbers, strict=True)
        if isinstance(role, str)
    }
    addresses = [(Address(name[0], int(name[1:])), node) for name, node in pattern.addresses]
    for address, node in addresses:
        if address.number > MAX_ADDRESS:
            raise mistake(f"address {address} is out of range; numbers go from 0 to {MAX_ADDRESS}", node)
    if not op.result:
        return Instruction(op)
    # ast visits an assignment's target first.
    target, *operands = addresses
    if target[0] in form.reserved:
        role = "features" if target[0] == FEATURES else "label"
        raise mistake(f"{target[0]} holds the {role} and is never written by a program", target[1])
    constants = tuple(numbers[name] for name in "xyz"[: len(op.constants)])
    for kind, value in zip(op.constants, constants, strict=True):
        if kind == "index" and not 0 <= value < 1:
            raise mistake(f"element position {value!r} is not a fraction in [0, 1)")
    return Instruction.of(op, target[0].number, [address.number for address, _ in operands], constants)


def _unparsed(statement: ast.AST) -> str:
    """The first line of a syntax tree."""
    try:
        return ast.unparse(statement).split("\n")[0]
    except ValueError:  # an integer of thousands of digits, say
        return "..."


class _Pattern(ast.NodeTransformer):
    """Replaces addresses by their type and numbers by a placeholder, noting both in order. (Placeholders are
    no names that a program can have.)

    Args:
        constants: names that stand for numbers.
    """

    def __init__(self, constants: frozenset[str] = frozenset()) -> None:
        self._constants = constants
        self.addresses: list[tuple[str, ast.AST]] = []
        self.numbers: list[tuple[float | str, ast.AST]] = []

    def _number(self, value: float | str, node: ast.AST) -> ast.AST:
        self.numbers.append((value, node))
        return ast.copy_location(ast.Name(_NUMBER, ast.Load()), node)

    def visit_Name(self, node: ast.Name) -> ast.AST:
        if _ADDRESS.fullmatch(node.id):
            self.addresses.append((node.id, node))
            return ast.copy_location(ast.Name(f"<{node.id[0]}>", node.ctx), node)
        if node.id in ("inf", "nan"):
            return self._number(math.inf if node.id == "inf" else math.nan, node)
        if node.id in self._constants:
            return self._number(node.id, node)
        return node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            try:
                return self._number(float(node.value), node)
            except OverflowError:
                return self._number(math.inf, node)
        return node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.AST:
        inner = self.visit(node.operand)
        if isinstance(node.op, ast.USub) and isinstance(inner, ast.Name) and inner.id == _NUMBER:
            value, _ = self.numbers[-1]
            if isinstance(value, float):
                self.numbers[-1] = (-value, node)
                return inner
        node.operand = inner
        return node


_Roles = tuple[float | str, ...]


@lru_cache(maxsize=16)
def _patterns(ops: OpTable) -> dict[str, list[tuple[Op, _Roles]]]:
    """Shape of a line -> ops printed in that shape, with what each number in it is: a constant's name or a
    literal."""
    patterns: dict[str, list[tuple[Op, _Roles]]] = {}
    for op in ops:
        names = {name: f"_constant_{name}" for name in "xyz"}
        operands = {name: f"{kind}1" for name, kind in zip("ab", op.operands, strict=False)}
        line = op.listing.format(**operands, **names)
        if op.target:
            line = f"{op.target.format(out=f'{op.result}1', **names)} = {line}"
        pattern = _Pattern(frozenset(names.values()))
        shape = ast.unparse(pattern.visit(ast.parse(line).body[0]))
        roles = tuple(
            value.removeprefix("_constant_") if isinstance(value, str) else value
            for value, _ in pattern.numbers
        )
        patterns.setdefault(shape, []).append((op, roles))
    return patterns


def _literals_agree(roles: _Roles, numbers: list[tuple[float | str, ast.AST]]) -> bool:
    return all(
        isinstance(role, str) or role == value for role, (value, _) in zip(roles, numbers, strict=True)
    )
