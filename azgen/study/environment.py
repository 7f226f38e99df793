"""What a run runs on: versions, compiler, processor, lanes, data."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import os
import platform
import sys
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from azgen.codegen.compiler import DEFAULT_FLAGS, added_flags, find_toolchain
from azgen.codegen.target import Target
from azgen.language.instruction import Memory
from azgen.settings.settings import Settings
from azgen.tasks.task import TaskSplit
from azgen.version import azgen_version


def environment(settings: Settings, split: TaskSplit) -> dict[str, Any]:
    """What a run runs on, for environment.json."""
    memory = Memory(*dataclasses.astuple(settings.memory))
    lane = Target.of(memory, split.n_features, split.metric, settings.dtype, n_tasks=len(split.search)).lane
    ops = {"ops_sha256": hashlib.sha256(settings.ops_text.encode()).hexdigest()} if settings.ops_text else {}
    return {
        **machine(),
        "vector_math": bool(lane.vector_function("exp")),
        "lanes": lane.lanes,
        "dtype": settings.dtype,
        "metric": str(split.metric),
        "n_features": split.n_features,
        "classes": split.search[0].vector_classes,
        **ops,
        "data": dict(split.provenance),
    }


def machine() -> dict[str, Any]:
    """Versions, compiler and processor, whatever runs on them; and the time."""
    toolchain = find_toolchain()
    return {
        "azgen": azgen_version(),
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "implementation": sys.implementation.name,
        "platform": platform.platform(),
        **_versions("numpy", "cython", "scikit-learn", "pandas"),
        "compiler": toolchain.version,
        "compiler_command": " ".join(toolchain.command),
        "compiler_flags": [*DEFAULT_FLAGS, *added_flags()],
        "target": toolchain.target,
        "processor": _processor(),
        "processors": os.cpu_count(),
        "vector_bits": toolchain.vector_bits(),
    }


def _versions(*names: str) -> dict[str, str]:
    """Of the packages that are installed."""
    found = {}
    for name in names:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() in ("model name", "Model"):
                return value.strip()
    except OSError:
        pass  # no Linux
    return platform.processor() or platform.machine()
