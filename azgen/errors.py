"""The errors that azgen raises on purpose. Anything else that escapes is a bug of azgen's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches


class AzgenError(Exception):
    """A mistake in what azgen was given, or a lack on this machine; the message says what to do about it.

    The command line prints the message without a traceback and ends with exit status 2.
    """


class FieldError(AzgenError):
    """What fields of a value cannot be. `{at}` in the message is where the value stands, before its names."""

    def __str__(self) -> str:
        return self.under("")

    def under(self, at: str) -> str:
        """The message about a value that stands somewhere, such as "tasks."."""
        return str(self.args[0]).replace("{at}", at)


class CompilerError(AzgenError):
    """Generated source could not be turned into native code: no compiler, no headers, source it rejects."""


class CacheError(AzgenError):
    """The compile cache cannot be used: unsafe ownership or permissions, a full disk, a read-only folder."""


class FormerName(FutureWarning):
    """A setting is called otherwise now; it was read all the same."""


def suggest(word: str, known: Iterable[str], show: Callable[[str], str] = str) -> str:
    """`Did you mean X?` for a word that is none of the known ones; empty when none is close.

    Args:
        word: what was given; capitals make no difference.
        known: what there is.
        show: how a known word is shown, such as `repr`.
    """
    folded = {name.casefold(): name for name in known}
    close = get_close_matches(word.casefold().strip(), folded, 1)
    return f"Did you mean {show(folded[close[0]])}?" if close else ""
