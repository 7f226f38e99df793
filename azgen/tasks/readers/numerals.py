"""Numbers as people write them, and cells that hold nothing.

This needs the standard library alone, because exported programs carry this source (all but its imports), and
so read a table as azgen does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

MISSING_IN_TEXT = ("", "#N/A", "#N/A N/A", "#NA", "<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null")
"""What an empty cell of categories or classes looks like. "None" is a word like any other there."""

MISSING_IN_NUMBERS = (*MISSING_IN_TEXT, "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "None")
"""What an empty cell among numbers looks like."""

# Numbers as people write them: 1,5 and 1.234,5; then 1,234 and 1,234.5. Narrow blanks group digits, too.
_DECIMAL_COMMA = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:\.\d{3})+)(?:,\d*)?(?:[eE][-+]?\d+)?")
_GROUPED = re.compile(r"[-+]?(?:\d+|[1-9]\d{0,2}(?:,\d{3})+)(?:\.\d*)?")
_GAPS = re.compile("(?<=[0-9])[\u00a0\u202f\u2009](?=[0-9]{3})")
_CURRENCY = re.compile(r"([-+]?)(?:[$€£¥₹₩]|EUR|USD|GBP|CHF)\s*(\S.*)|(\S*\d)\s*(?:[$€£¥₹₩]|EUR|USD|GBP|CHF)")
_PERCENT = re.compile(r"(\S*\d)\s*%")


def numbers_in(cells: Sequence[str], delimiter: str) -> tuple[list[float], str] | None:
    """The numbers that cells of text are, all written in one way; None if some cell is none.

    Args:
        cells: stripped, none of them empty.
        delimiter: of the file; a comma in a number is a decimal comma unless it separates cells as well.

    Returns:
        The numbers, and what is unusual in how they are written, in words; "" for nothing.
    """
    plain = _plain_numbers(cells)
    if plain is not None:
        return plain, ""
    if all(cell in _TRUE or cell in _FALSE for cell in cells):
        return [float(cell in _TRUE) for cell in cells], ""
    bare, signs = _without_signs(cells)
    local = [_GAPS.sub("", cell.replace("\u2212", "-")) for cell in bare]
    ways = [("decimal commas", _DECIMAL_COMMA), ("thousands commas", _GROUPED)]
    for name, pattern in ways if delimiter != "," else reversed(ways):
        if all(map(pattern.fullmatch, local)):
            if any("," in cell for cell in local):
                signs.append(name)
                if name == "decimal commas":
                    local = [cell.replace(".", "").replace(",", ".") for cell in local]
            local = [cell.replace(",", "") for cell in local]
            how = " and ".join(signs) or "gaps or typographic minus signs"
            return [float(cell) for cell in local], how
    plain = _plain_numbers(local)
    return None if plain is None else (plain, " and ".join(signs) or "gaps or typographic minus signs")


_TRUE, _FALSE = ("True", "TRUE", "true"), ("False", "FALSE", "false")


def _plain_numbers(cells: Sequence[str]) -> list[float] | None:
    """Cells as Python reads numbers, but for what only Python takes for one."""
    try:
        numbers = [float(cell) for cell in cells]
    except ValueError:
        return None
    odd = any("_" in cell or not cell.isascii() for cell in cells)
    return None if odd or any(number != number for number in numbers) else numbers


def _without_signs(cells: Sequence[str]) -> tuple[list[str], list[str]]:
    """Cells without the currency or percent signs that all of them have, and which these are."""
    if all(map(_PERCENT.fullmatch, cells)):
        return [_PERCENT.sub(r"\1", cell) for cell in cells], ["percent signs"]
    if all(map(_CURRENCY.fullmatch, cells)):
        return [_CURRENCY.sub(r"\1\2\3", cell) for cell in cells], ["currency signs"]
    return list(cells), []
