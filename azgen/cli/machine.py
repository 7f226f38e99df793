"""`azgen cache` and `azgen doctor`: what azgen keeps on this machine, and what it needs there."""

from __future__ import annotations

import re
from pathlib import Path

import typer
from rich.text import Text

from azgen.cli.options import use_build_directory
from azgen.cli.output import console, grid, size
from azgen.codegen import cache_folder, store
from azgen.codegen.doctor import diagnose
from azgen.codegen.why import why
from azgen.errors import AzgenError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def cache(
    action: str | None, key: str | None, clear: bool, prune: str | None, build_dir: Path | None
) -> None:
    """Shows the compile cache, makes room, or says why a module is new."""
    if clear and prune is not None:
        raise AzgenError("--clear and --prune exclude each other; give one of them")
    limit = parse_size(prune) if prune is not None else None
    use_build_directory(build_dir)
    folder, to = cache_folder.build_directory(), console()
    if action is not None:
        if action != "why" or key is None:
            raise AzgenError(f"azgen cache does not know {action!r}; write azgen cache why KEY")
        _print_why(key)
        return
    if clear or limit is not None:
        freed = store.clear() if limit is None else store.prune(limit)
        to.print(f"{size(freed)} freed")
    entries = store.entries()
    plural = "" if len(entries) == 1 else "s"
    to.print(f"{folder}: {len(entries)} module{plural}, {size(sum(entry.size for entry in entries))}")
    kinds = sorted({entry.kind for entry in entries})
    rows = []
    for kind in kinds:
        sizes = [entry.size for entry in entries if entry.kind == kind]
        rows.append((kind, str(len(sizes)), size(sum(sizes))))
    if rows:
        to.print(grid(rows, "kind", "modules", "size", right=(1, 2)))


def _print_why(key: str) -> None:
    entry, nearest, differences = why(key)
    to = console()
    to.print(f"{entry.kind} {entry.key}: {entry.directory}")
    if nearest is None:
        to.print("It is the only one of its kind.")
        return
    names = ", ".join(difference.name for difference in differences) or "nothing that is known"
    to.print(f"nearest   {nearest.key}: {nearest.directory}")
    to.print(f"differs in {names}")
    for difference in differences:
        to.print(f"\n{difference.name}")
        for mark, text in (("+", difference.here), ("-", difference.there)):
            for line in text.splitlines():
                to.print(f"  {mark} {line}")


def parse_size(text: str) -> int:
    """Bytes of a size such as 500M or 2G.

    Raises:
        AzgenError: it is none.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?", text.strip(), re.IGNORECASE)
    if not match:
        raise AzgenError(f"{text!r} is no size; write, for example, 500M or 2G")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def doctor(build_dir: Path | None) -> None:
    """Checks that everything is there that azgen needs."""
    use_build_directory(build_dir)
    to, findings = console(), diagnose()
    for finding in findings:
        mark, style = ("ok", "green") if finding.ok else ("missing", "bold red")
        to.print(Text.assemble((f"{mark:8}", style), f"{finding.name}: {finding.detail}"), soft_wrap=True)
        for line in finding.advice.splitlines():
            to.print(" " * 8 + line, style="yellow", soft_wrap=True)
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)
