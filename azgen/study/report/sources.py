"""A program, its generated Cython and its Python side by side: which lines carry out the same instruction."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from azgen.codegen.candidate_source import Candidate, candidate_source
from azgen.codegen.target import Target
from azgen.exports.module import learner_source
from azgen.language.instruction import FUNCTIONS
from azgen.language.metrics import Metric
from azgen.language.program import Program

_COMMENT = re.compile(r"(?<=\S)\s{2,}# .*$")


@dataclass(frozen=True)
class Line:
    """A line of source.

    Attributes:
        text: as it is.
        carries: names of the instructions of the normal form that it carries out, such as "learn-3" for the
            fourth of Learn.
    """

    text: str
    carries: tuple[str, ...] = ()

    @property
    def indent(self) -> int:
        """Spaces that it begins with."""
        return len(self.text) - len(self.text.lstrip(" "))

    @property
    def code(self) -> str:
        """Without the comment that stands in a column of its own, for which a page has no room."""
        return _COMMENT.sub("", self.text)


def program_lines(program: Program) -> tuple[Line, ...]:
    """The text of a program's normal form."""
    program, found = program.normalized(), list[Line]()
    for name, function in zip(FUNCTIONS, program.functions, strict=True):
        found.append(Line(f"def {name.capitalize()}():"))
        found += [Line(f"  {line}", (f"{name}-{number}",)) for number, line in enumerate(function)]
        found += [] if function else [Line("  pass")]
    return tuple(found)


def cython_lines(program: Program, target: Target) -> tuple[Line, ...]:
    """What of the generated Cython is the program's own; what it calls is left out."""
    candidate = Candidate(program, target, show_values=True)
    text = candidate_source(program, target)
    lines = text[text.index("cdef public void run_") :].split("\n\n# ---")[0].splitlines()
    expected = list[tuple[str, tuple[str, ...]]]()
    for name in FUNCTIONS:
        number = 0
        for line in getattr(candidate, name):
            carried = tuple(f"{name}-{k}" for k in range(number, number + line.instructions))
            expected.append((line.codes[0], carried))
            number += line.instructions
    return tuple(_matched(lines, expected))


def _matched(lines: Iterable[str], expected: list[tuple[str, tuple[str, ...]]]) -> Iterable[Line]:
    """Lines that begin with what is expected next carry that out."""
    at = 0
    for line in lines:
        found = at < len(expected) and line.strip().startswith(expected[at][0])
        yield Line(line, expected[at][1] if found else ())
        at += found


def python_lines(program: Program, metric: Metric, dtype: str) -> tuple[Line, ...]:
    """The class Learner of the exported module."""
    return tuple(
        Line(line.text, tuple(f"{FUNCTIONS[f]}-{number}" for f, number in sorted(line.instructions)))
        for line in learner_source(program, metric=metric, dtype=dtype)
    )
