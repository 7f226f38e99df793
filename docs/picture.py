"""Makes the README's picture and its example from a real run: `python docs/picture.py [PRESET [SEED]]`.

Writes docs/evolve.svg, and puts the champion's class Learner between the two marks in README.md.
"""

import ast
import io
import re
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from azgen.cli.report import print_summary
from azgen.cli.view import LiveView
from azgen.runs.events import Event, Finished
from azgen.settings.resolve import resolve_settings
from azgen.study.run import evolve

ROOT = Path(__file__).resolve().parents[1]
MARKS = ("<!-- docs/picture.py writes from here -->", "<!-- to here -->")


def main(preset: str = "two-layer", seed: str = "0") -> None:
    """Runs the preset, draws what the terminal shows, and quotes what the run wrote."""
    settings = resolve_settings(preset, seed=int(seed))
    to = Console(
        record=True,
        width=112,
        force_terminal=True,
        color_system="truecolor",
        file=io.StringIO(),
        markup=False,
        highlight=False,
    )
    view = LiveView(settings)

    def observe(event: Event) -> None:
        if isinstance(event, Finished):
            to.print(view.render())
        view.observe(event)

    with tempfile.TemporaryDirectory() as folder:
        run = evolve(settings, observer=observe, out=Path(folder) / "run")
        learner = class_of(run.export_path.read_text(encoding="utf-8"), "Learner")
        result = run.as_record() | {
            "directory": f"runs/{preset}-{seed}",
            "export": f"runs/{preset}-{seed}/champion.py",
        }
    to.print()
    print_summary(to, result, run.learner)
    to.save_svg(str(ROOT / "docs" / "evolve.svg"), title=f"azgen evolve {preset} --seed {seed}")
    page = ROOT / "README.md"
    block = f"{MARKS[0]}\n```python\n{learner}\n```\n{MARKS[1]}"
    pattern = "|".join(re.escape(mark) for mark in MARKS)
    before, _, after = re.split(pattern, page.read_text(encoding="utf-8"))
    page.write_text(f"{before}{block}{after}", encoding="utf-8")


def class_of(source: str, name: str) -> str:
    """The source of a class in a module."""
    node = next(n for n in ast.parse(source).body if isinstance(n, ast.ClassDef) and n.name == name)
    return ast.get_source_segment(source, node) or ""


if __name__ == "__main__":
    main(*sys.argv[1:])
