"""`make fuzz`: changed inputs at every door, for so many seconds each; what is found is written to a folder.

python -m tests.fuzz [--seconds 600] [--out build/fuzz] [--seed N] [DOOR...]
"""

from __future__ import annotations

import argparse
import hashlib
import random
import subprocess
import sys
import time
import traceback
from pathlib import Path

from azgen.errors import AzgenError
from azgen.search.engines.server import processor_seconds

CORPUS = Path(__file__).parent / "corpus"
HANG = 20.0
"""Seconds of processor time after which an input counts as one that hangs."""

STUCK = 600.0
"""Seconds of the clock after which it does, whatever it waits for."""


def corpus(door: str) -> list[Path]:
    """Inputs that are kept for a door."""
    folder = CORPUS / door
    return sorted(folder.iterdir()) if folder.is_dir() else []


def fuzz(name: str, seconds: float, seed: int, current: Path, out: Path) -> None:
    """Changed inputs at one door, in this process: prints how many, and writes what should not have been."""
    from tests.fuzz.doors import DOORS

    door, source = DOORS[name], random.Random(seed)
    inputs = [*door.seeds(), *(path.read_bytes() for path in corpus(name))]
    told: set[str] = set()
    n = refused = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        data = door.change(source.choice(inputs), source)
        if source.random() < 0.3:
            data = door.change(data, source)
        current.write_bytes(data)
        n += 1
        try:
            door.enter(data)
        except AzgenError:
            refused += 1
            if source.random() < 0.02 and len(inputs) < 200:
                inputs.append(data)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            kind = f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno}"
            if kind not in told:
                told.add(kind)
                print(f"  {name}: {kind}: {str(error)[:100]!r} {_kept(out, name, 'crash', data)}", flush=True)
    print(f"{name}: {n} inputs, {refused} refused, {len(told)} kinds of crash", flush=True)


def _kept(out: Path, name: str, what: str, data: bytes) -> Path:
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{name}-{what}-{hashlib.sha256(data).hexdigest()[:10]}"
    path.write_bytes(data)
    return path


def watch(name: str, seconds: float, seed: int, out: Path) -> bool:
    """The same in a process of its own, begun again when an input ends or hangs it; whether all was well."""
    out.mkdir(parents=True, exist_ok=True)
    current, well = out / f".{name}-current", True
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0.5:
        current.write_bytes(b"")
        command = [sys.executable, "-m", "tests.fuzz", "--one", "--seconds", str(left), "--seed", str(seed)]
        process = subprocess.Popen([*command, "--out", str(out), name], stdout=subprocess.PIPE, text=True)
        code = _ended(process, current)
        text = process.stdout.read() if process.stdout else ""
        print(text, end="", flush=True)
        if code and not current.read_bytes():
            return False  # before the first input: the target itself is at fault
        if code:
            what = "hang" if code == "hang" else "end"
            print(f"  {name}: {what} ({code}) {_kept(out, name, what, current.read_bytes())}", flush=True)
        well = well and not code and " 0 kinds" in text
        seed += 1
    current.unlink(missing_ok=True)
    return well


def _ended(process: subprocess.Popen[str], current: Path) -> str:
    """Waits for a process: "" if it ended well, "hang" if one input took too long, else its status.

    On a busy machine an input may wait for a processor, and the first one of a door for the library that
    reads it.
    """
    at, before = 0.0, 0.0
    while True:
        try:
            code = process.wait(1.0)
            return "" if code == 0 else f"status {code}"
        except subprocess.TimeoutExpired:
            found = current.stat()
            if found.st_mtime != at:
                at, before = found.st_mtime, processor_seconds(process.pid)
            used = processor_seconds(process.pid) - before
            if found.st_size and (used > HANG or time.time() - at > STUCK):
                process.kill()
                process.wait()
                return "hang"


def main() -> int:
    """Runs the command."""
    from tests.fuzz.doors import DOORS

    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("doors", nargs="*", metavar="DOOR", help=f"{', '.join(DOORS)}; none: all")
    parser.add_argument("--seconds", type=float, default=600.0, help="for each door (default 600)")
    parser.add_argument("--out", type=Path, default=Path("build/fuzz"), help="where findings go")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = [name for name in given.doors if name not in DOORS]
    if unknown:
        parser.error(f"there is no door {unknown[0]!r}; there are {', '.join(DOORS)}")
    if given.one:
        fuzz(given.doors[0], given.seconds, given.seed, given.out / f".{given.doors[0]}-current", given.out)
        return 0
    results = [watch(name, given.seconds, given.seed, given.out) for name in given.doors or DOORS]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
