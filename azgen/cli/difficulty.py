"""`azgen difficulty`: how rare acceptable programs are among random ones."""

from __future__ import annotations

import math
from pathlib import Path

from azgen.cli.commands.difficulty import Counting
from azgen.cli.listing import print_code
from azgen.cli.options import use_build_directory
from azgen.cli.output import console, thousands
from azgen.cli.progress import progress_bar
from azgen.errors import AzgenError
from azgen.files import check_file_place
from azgen.plain import as_plain
from azgen.settings.resolve import parse_duration, resolve_settings
from azgen.study import difficulty as counting
from azgen.study.difficulty import Difficulty, RandomSearch
from azgen.textual import to_json


def difficulty(config: str, wanted: Counting, json: bool, build_dir: Path | None) -> None:
    """Counts the acceptable programs among random ones; Ctrl-C ends the count."""
    use_build_directory(build_dir)
    seconds = parse_duration(wanted.max_time) if wanted.max_time is not None else math.inf
    search = counting.RandomSearch(resolve_settings(config, seed=wanted.seed), _goal(wanted.goal))
    out = wanted.out
    done = search.begin()
    if out is not None:
        check_file_place(out)
        done = counting.load(out, done) if out.exists() else done
    with progress_bar(quiet=json) as show:

        def observe(found: Difficulty) -> None:
            nonlocal done
            done = found
            if out is not None:
                counting.save(out, found)
            show(f"{found.drawn:.1e} programs, {found.acceptable} acceptable", found.drawn, wanted.programs)

        try:
            search.search(done, wanted.programs, seconds, wanted.workers, observe)
        except KeyboardInterrupt:
            if not done.drawn:
                raise
    if json:
        low, high = done.interval
        print(to_json(as_plain(done) | {"rate": done.rate, "low": low, "high": high}))
    else:
        _report(search, done)


def _goal(text: str | None) -> float | str | None:
    try:
        return float(text) if text is not None else None
    except ValueError:
        return text


def _report(search: RandomSearch, done: Difficulty) -> None:
    if not done.drawn:
        raise AzgenError("no program has been drawn; give --programs or --max-time some more")
    to = console()
    low, high = done.interval
    goal = f"a fitness of at least {done.goal:.6f}"
    goal += f", which {search.reference} has on the same tasks" if search.reference else ""
    to.print(
        f"{done.name}: {thousands(done.acceptable)} of {thousands(done.drawn)} random programs have {goal}"
    )
    if done.acceptable:
        to.print(f"one in {1 / done.rate:.2g} (95 % interval: {1 / high:.2g} to {1 / low:.2g})", style="bold")
    else:
        to.print(f"fewer than one in {1 / high:.2g} (95 % limit)", style="bold")
    able = f"{done.can_learn / done.drawn:.2%} can learn by their data flow"
    speed = f"{done.drawn / max(done.cpu_seconds, 1e-9):.1e} programs a second"
    spent = f"{done.cpu_seconds:.1f} processor seconds, {speed}"
    to.print(f"{able}; {thousands(done.evaluated)} were evaluated; {spent}")
    if done.found:
        to.print("\nThe first of them:", style="dim")
        print_code(to, done.found[0])
