"""No settings are made out of bounds, however they are made."""

import dataclasses
import math
import pickle
from typing import Literal, get_args, get_origin, get_type_hints

import pytest

from azgen.bounds import Bounded, bounds_of
from azgen.errors import AzgenError, FieldError
from azgen.settings import evolution, settings
from azgen.settings.presets import preset
from azgen.settings.reading import settings_from
from azgen.tasks.sources import SOURCES

OF_TWO_MODULES = {
    kind
    for module in (settings, evolution)
    for kind in vars(module).values()
    if dataclasses.is_dataclass(kind) and kind.__module__ == module.__name__
}
CLASSES = sorted({*OF_TWO_MODULES, *SOURCES.values()}, key=lambda kind: kind.__name__)


def wrong_values(kind):
    """Name, and values just outside, of each field that is bounded."""
    for name, bounds in bounds_of(kind).items():
        for limit, outwards in ((bounds.least, -math.inf), (bounds.most, math.inf)):
            if math.isfinite(limit):
                yield name, limit if bounds.inside else math.nextafter(limit, outwards)
    for name, hint in get_type_hints(kind).items():
        if get_origin(hint) is Literal:
            yield name, f"no {get_args(hint)[0]}"


@pytest.mark.parametrize("kind", CLASSES)
def test_settings_are_never_out_of_bounds(kind):
    assert issubclass(kind, Bounded)
    usual = kind(tasks={}) if kind is evolution.StageSettings else kind()
    for name, value in wrong_values(kind):
        before = getattr(usual, name)
        wrong = (*before[:-1], value) if isinstance(before, tuple) else value
        with pytest.raises(FieldError, match=f"^{name} is "):
            dataclasses.replace(usual, **{name: wrong})


def test_a_value_is_named_by_its_place_where_it_is_read_and_by_its_field_where_it_is_made():
    digits = preset("digits")
    with pytest.raises(AzgenError, match=r"^batch is 100; it must be between 1 and 64$"):
        dataclasses.replace(digits.evolution, batch=100)
    with pytest.raises(AzgenError, match=r"^mine: evolution\.batch is 100; it must be between 1 and 64$"):
        settings_from({"evolution": {"batch": 100}}, "mine")


def test_errors_of_fields_travel_between_processes():
    error = FieldError("{at}groups and {at}time exclude each other")
    found = pickle.loads(pickle.dumps(error))
    assert str(found) == str(error) == "groups and time exclude each other"
    assert found.under("tasks.") == "tasks.groups and tasks.time exclude each other"
