"""Configurations of before, in the words of today.

Sources of tasks had one table of settings for all of them, with epochs and the limit of errors in it;
teachers were called by their own names, images "projected" (pairs of classes) or "multiclass" (all of them).
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from typing import Any, get_args

from azgen.errors import AzgenError, FormerName
from azgen.plain import as_plain
from azgen.tasks.sources import SOURCES
from azgen.tasks.synthetic import Teacher

_IMAGES = {"projected": "pairs", "multiclass": "all"}
_EXECUTION = ("epochs", "tune_epochs", "max_abs_error")

_UNREAD = {"teacher": ("data", "target"), "images": ("target",), "table": ("n_features",)}
"""Settings that were not looked at, whatever they said."""


class Former:
    """Reads what was written before; notes what is called otherwise now.

    Attributes:
        told: what is, in words, each once.
    """

    def __init__(self) -> None:
        self.told: dict[str, None] = {}

    def settings(self, mapping: Mapping[str, Any]) -> dict[str, Any]:
        """A whole configuration; the mapping stays as it is."""
        found = dict(mapping)
        if "choose" in found:
            rule = found.pop("choose")
            found.setdefault("pick", "cheapest-within-error" if rule == "cheapest" else rule)
            self._tell("choose is pick now")
        if isinstance(found.get("tasks"), Mapping):
            found["tasks"], execution = self.tasks(found["tasks"], "tasks.")
            if execution and isinstance(found.get("execution", {}), Mapping):
                found["execution"] = execution | dict(found.get("execution", {}))
        islands = found.get("islands")
        if isinstance(islands, Mapping) and isinstance(islands.get("tasks"), list | tuple):
            changes = [self._change(c, f"islands.tasks.{n}.") for n, c in enumerate(islands["tasks"], 1)]
            found["islands"] = {**islands, "tasks": changes}
        if isinstance(found.get("stages"), list | tuple):
            found["stages"] = [
                {**stage, "tasks": self._change(stage["tasks"], f"stages.{number}.tasks.")}
                if isinstance(stage, Mapping) and "tasks" in stage
                else stage
                for number, stage in enumerate(found["stages"], 1)
            ]
        return found

    def tasks(self, given: Mapping[str, Any], at: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Settings of tasks, or changes to them, and those that are of execution.

        Args:
            at: where they stand, such as "tasks.".
        """
        found, name = dict(given), given.get("source")
        execution = {key: found.pop(key) for key in _EXECUTION if key in found}
        for key in execution:
            self._tell(f"{at}{key} is execution.{key} now")
        if not isinstance(name, str | None):
            return found, execution  # a mistake, which whoever reads it names
        if name in get_args(Teacher):
            found |= {"source": "teacher", "teacher": name}
            self._tell(f'{at}source = "{name}" is source = "teacher", teacher = "{name}" now')
        elif name in _IMAGES:
            found |= {"source": "images", "classes": _IMAGES[name]}
            self._tell(f'{at}source = "{name}" is source = "images", classes = "{_IMAGES[name]}" now')
        if found.get("source") == "images" and "kind" in found:
            found |= self._classes_of_kind(found.pop("kind"), at)
        before = bool(execution) or found.get("source") != name
        return (_without_others(found) if before else found), execution

    def _change(self, change: Any, at: str) -> Any:
        """Changes of an island or a stage, which may name epochs beside settings of tasks."""
        if not isinstance(change, Mapping):
            return change
        if "max_abs_error" in change:
            raise AzgenError(f"{at}max_abs_error is the same for all; set execution.max_abs_error")
        own = {name: change[name] for name in change if name == "epochs"}
        return self.tasks({k: v for k, v in change.items() if k not in own}, at)[0] | own

    def _classes_of_kind(self, kind: Any, at: str) -> dict[str, Any]:
        """What a kind meant for images: "multiclass" was all classes at once.

        Raises:
            AzgenError: images are no regression.
        """
        if kind == "regression":
            raise AzgenError(f'{at}kind is "regression", but images are told apart by their classes')
        if kind != "multiclass":
            return {}
        self._tell(f'{at}kind = "multiclass" is classes = "all" for images now')
        return {"classes": "all"}

    def _tell(self, what: str) -> None:
        self.told[what] = None


def tell(told: Mapping[str, None], source: str) -> None:
    """Warns once of all that is called otherwise now."""
    if told:
        warnings.warn(f"{source}: {'; '.join(told)}", FormerName, stacklevel=3)


def _without_others(found: dict[str, Any]) -> dict[str, Any]:
    """Settings of tasks without those of other sources, which stood beside them with their defaults."""
    source = found.get("source")
    if source not in SOURCES:
        return found
    own = {field.name for field in dataclasses.fields(SOURCES[source])}
    usual = {
        field.name: as_plain(field.default)
        for kind in SOURCES.values()
        for field in dataclasses.fields(kind)
        if field.name not in own
    }
    return {
        key: value
        for key, value in found.items()
        if not (key in _UNREAD[source] or (key in usual and as_plain(value) == usual[key]))
    }
