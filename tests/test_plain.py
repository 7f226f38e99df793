"""Dataclasses to and from plain values: round trips, and every mistake named by its path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from azgen.language.program import Program
from azgen.language.zoo import zoo
from azgen.plain import PlainError, as_plain, read


@dataclass(frozen=True)
class Inner:
    name: str
    size: int = 1
    share: float | None = None


@dataclass(frozen=True)
class Outer:
    inner: Inner
    kind: Literal["a", "b"] = "a"
    sizes: tuple[int, int, int] = (1, 2, 3)
    shares: tuple[float, ...] = ()
    inners: list[Inner] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)
    on: bool = False
    of: Inner | str = "x"


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
NUMBERS = st.integers(-(2**63), 2**64 - 1)
inners = st.builds(Inner, TEXTS, NUMBERS, st.none() | st.floats(allow_nan=False))
outers = st.builds(
    Outer,
    inners,
    st.sampled_from(["a", "b"]),
    st.tuples(*[NUMBERS] * 3),
    st.lists(st.floats(allow_nan=False)).map(tuple),
    st.lists(inners, max_size=3),
    st.dictionaries(TEXTS, NUMBERS, max_size=3),
    st.dictionaries(TEXTS, NUMBERS | TEXTS, max_size=3),
    st.booleans(),
    inners | TEXTS,
)


@given(outers)
def test_what_is_written_is_read_back(value: Outer) -> None:
    assert read(Outer, json.loads(json.dumps(as_plain(value))), "test") == value


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "c"}, "mine: kind is 'c'; it must be one of 'a', 'b'"),
        ({"knd": "a"}, "mine: there is no setting knd. Did you mean kind?"),
        ({"inner": {"name": "x", "size": 1.5}}, "mine: inner.size is 1.5; it must be a whole number"),
        ({"inner": {"name": "x", "size": True}}, "mine: inner.size is True; it must be a whole number"),
        ({"inner": {"size": 1}}, "mine: inner.name is missing"),
        ({"inner": {"name": "x", "share": "all"}}, "mine: inner.share is 'all'; it must be a number"),
        ({"inner": [1]}, "mine: inner must be a table of settings"),
        ({"inners": [{"name": "x"}, {"name": 3}]}, "mine: inners.2.name is 3; it must be a text in quotes"),
        ({"sizes": [1, 2]}, "mine: sizes is [1, 2]; it must be a list of 3 numbers"),
        ({"sizes": [1, 2, "3"]}, "mine: sizes.3 is '3'; it must be a whole number"),
        ({"shares": 0.5}, "mine: shares is 0.5; it must be a list"),
        ({"counts": {"seen": "many"}}, "mine: counts.seen is 'many'; it must be a whole number"),
        ({"counts": [1]}, "mine: counts is [1]; it must be a table"),
        ({"on": 1}, "mine: on is 1; it must be true or false"),
    ],
)
def test_a_mistake_is_named_by_its_path(change: dict[str, Any], message: str) -> None:
    with pytest.raises(PlainError) as caught:
        read(Outer, {"inner": {"name": "x"}, **change}, "mine")
    assert message in str(caught.value)


def test_whole_numbers_are_taken_for_numbers_and_known_fields_are_given() -> None:
    value = read(Inner, {"share": 2, "hash": "f00"}, "mine", given={"name": "known"}, extra=True)
    assert value == Inner("known", 1, 2.0) and isinstance(value.share, float)


def test_other_types_are_written_and_read_by_functions() -> None:
    @dataclass(frozen=True)
    class Found:
        program: Program
        fitness: float

    found = Found(zoo("neural-net"), 0.5)
    plain = as_plain(found, {Program: str})
    assert plain == {"program": str(found.program), "fitness": 0.5}
    assert as_plain({"x": np.arange(3), "y": np.float32(0.5)}) == {"x": [0, 1, 2], "y": 0.5}
    with pytest.raises(TypeError, match="object has no plain form"):
        as_plain([object()])

    def parse(text: Any, path: str) -> Program:
        assert path == "program"
        return Program.parse(text)

    # Local classes have no annotations that can be looked up by name.
    Found.__annotations__.update(program=Program, fitness=float)
    assert read(Found, plain, "mine", readers={Program: parse}) == found
