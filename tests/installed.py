"""azgen as its wheel installs it, in an environment with what the named extras bring, and nothing else.

Nothing is downloaded: the environment's packages are links to those of this one.
"""

from __future__ import annotations

import subprocess
import sys
import zipfile
from collections.abc import Iterable
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]


def build(kind: str, folder: Path) -> Path:
    """The wheel or sdist of this checkout, as `python -m build` makes it: kind is "wheel" or "sdist"."""
    code = f"from hatchling.build import build_{kind} as build; import sys; print(build(sys.argv[1]))"
    command = [sys.executable, "-c", code, str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return folder / done.stdout.split()[-1]


def environment(folder: Path, wheel: Path, *extras: str) -> Path:
    """An environment with the wheel and what it asks for; its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    zipfile.ZipFile(wheel).extractall(site)
    (metadata,) = site.glob("azgen-*.dist-info")
    for found in needed(Distribution.at(metadata).requires or (), extras):
        for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
            (site / top).symlink_to(Path(str(found.locate_file(top))))
    return folder / "bin" / "python"


def needed(requirements: Iterable[str], extras: Iterable[str] = ()) -> list[Distribution]:
    """What satisfies requirements, and what that requires in turn."""
    found: dict[str, Distribution] = {}
    left = [(text, frozenset(extras)) for text in requirements]
    while left:
        text, wanted = left.pop()
        requirement = Requirement(text)
        marker = requirement.marker
        if marker and not any(marker.evaluate({"extra": extra}) for extra in wanted or ("",)):
            continue
        assert requirement.name != "azgen", "an extra that names others: give those"
        known = requirement.name in found
        dist = found.setdefault(requirement.name, distribution(requirement.name))
        if not known or requirement.extras:
            left += [(inner, frozenset(requirement.extras)) for inner in dist.requires or ()]
    return list(found.values())
