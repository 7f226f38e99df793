"""The documentation: its links lead somewhere, its commands are there, and the short ones are carried out."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from azgen.cli.commands import COMMANDS, loaded
from tests.commands import azgen

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
WRITTEN = {"commands.md", "ops.md", "notebook.md"}
"""Pages of the site that docs/pages.py writes."""

SHORT = {"presets", "ops", "zoo", "runs", "cache"}
"""Commands that take little time."""


def ids(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=ids)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#]+)", page.read_text(encoding="utf-8")):
        assert link.startswith("http") or (page.parent / link).exists() or link in WRITTEN, link


def test_the_pictures_are_what_the_script_draws(tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install 'azgen[report]')")
    monkeypatch.setattr(sys, "argv", ["docs/drawings.py", str(tmp_path)])
    runpy.run_path(str(ROOT / "docs" / "drawings.py"), run_name="__main__")
    shown = {
        name for page in PAGES for name in re.findall(r"\]\(drawn/(\S+)\)", page.read_text(encoding="utf-8"))
    }
    kept = {path.name: said(path) for path in (ROOT / "docs" / "drawn").iterdir()}
    assert {path.name: said(path) for path in tmp_path.iterdir()} == kept
    assert shown == set(kept)


def said(picture: Path) -> list[str]:
    """The lines of text in a picture, which no version of matplotlib changes."""
    return [text.text or "" for text in ElementTree.parse(picture).iter("{http://www.w3.org/2000/svg}text")]


def test_the_site_has_every_page():
    listed = set(
        re.findall(r"([\w-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")} | WRITTEN


def commands() -> Iterator[tuple[str, str]]:
    """Page and command line, without comments and pipes; of indented and fenced blocks, and `azgen ...`."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = re.findall(r"^(?: {4,}|\$ )((?:azgen|make|python|pip) .*)$", text, re.MULTILINE)
        found += [code for code in re.findall(r"`([^`\n]+)`", text) if code.startswith(("azgen ", "make "))]
        for line in dict.fromkeys(found):
            yield ids(page), re.split(r"\s+#|[>|]", line)[0].replace("…", "").strip()


LINES = sorted(set(commands()))


@pytest.mark.parametrize(("page", "line"), LINES, ids=lambda text: text)
def test_commands_are_there(page, line, tmp_path, monkeypatch):
    program, *words = shlex.split(line)
    if program == "make":
        targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
        assert {word for word in words if "=" not in word} <= set(targets)
    elif program == "python":
        scripts = [word for word in words if word.startswith(("benchmarks", "docs/", "tools/"))]
        assert all((ROOT / script).exists() for script in scripts)
    elif program == "azgen" and words[0] in SHORT and not {"KEY", "--ops", "NAME"} & set(words):
        monkeypatch.chdir(tmp_path)
        azgen(*words)
    elif program == "azgen":
        parse(words)


def parse(words: list[str]) -> None:
    """Raises if there is no such command or option, or one has too few or too many words."""
    if words[0].startswith("-"):
        assert words == ["--version"]
        return
    assert words[0] in COMMANDS
    command = loaded(words[0])
    context = command.context_class(command, info_name=words[0])
    placeholders = [word for word in words[1:] if word not in ("RUN...", "COMMAND", "--help")]
    command.make_parser(context).parse_args(placeholders)


@pytest.mark.parametrize("name", [".pre-commit-config.yaml", ".github/workflows/ci.yml", "CITATION.cff"])
def test_files_for_other_tools_name_what_there_is(name):
    yaml = pytest.importorskip("yaml", reason="PyYAML, which MkDocs brings, is not installed")
    text = (ROOT / name).read_text(encoding="utf-8")
    content = yaml.safe_load(text)
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for targets in re.findall(r"\bmake (?:--silent )?([a-z ]+)$", text, re.MULTILINE):
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets.split()), targets
    if name == "CITATION.cff":
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
        assert (content["version"], content["license"]) == (project["version"], project["license"])


def test_help_of_make_names_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
    assert set(targets.split()) - {"help"} == set(re.findall(r'echo "make (\w+) ', makefile))


def test_the_snippet_of_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    azgen("export", "zoo:linear", "-o", tmp_path / "diabetes_model.py")
    monkeypatch.syspath_prepend(tmp_path)
    text = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
    (snippet,) = re.findall(r"^```python\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    exec(compile(snippet, "docs/tutorial.md", "exec"), {})
    score = float(capsys.readouterr().out.split()[-1])
    assert score > 0.9
    sys.modules.pop("diabetes_model")
