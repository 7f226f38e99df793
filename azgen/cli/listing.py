"""Source on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.syntax import Syntax


def print_code(to: Console, text: str, language: str = "python") -> None:
    """Prints source, in colours on a terminal."""
    if not to.is_terminal:
        to.out(text.rstrip("\n"), highlight=False)
        return
    to.print(
        Syntax(text.rstrip("\n"), language, theme="ansi_dark", background_color="default", word_wrap=True)
    )
