"""How exactly runs end: `--max-time`, and Ctrl-C while data are read, starts are tuned and programs evolve.

    python benchmarks/limits.py [--max-time 10] [--folder FOLDER]

Tables of 442 x 10, 100 000 x 20 (CSV) and 100 000 x 200 (NPZ, float32), and a search by an archive. What is
printed is a table in Markdown: seconds by the clock from the command to its end, beside the processor time
that it had; and for Ctrl-C the seconds until something was said, and until the end. On a machine that is busy
with other things all by the clock is longer.
"""

from __future__ import annotations

import argparse
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

AZGEN = [sys.executable, "-m", "azgen", "evolve"]


def tables(folder: Path) -> dict[str, list[str]]:
    """The commands, without limits, by what they are about."""
    random = np.random.default_rng(7)
    wide, long = folder / "wide.npz", folder / "long.csv"
    x = random.normal(size=(100_000, 200)).astype(np.float32)
    y = (x @ random.normal(size=200) + np.tanh(x[:, 0] * x[:, 1])).astype(np.float32)
    np.savez(wide, x=x, y=y)
    names = ",".join([*(f"x{place}" for place in range(20)), "y"])
    rows = np.column_stack([x[:, :20], x[:, :20].sum(axis=1)])
    np.savetxt(long, rows, fmt="%.7g", delimiter=",", header=names, comments="")
    return {
        "442 x 10": ["--data", "diabetes"],
        "100 000 x 20, CSV": ["--data", str(long), "--target", "y"],
        "100 000 x 200, NPZ": ["--data", str(wide)],
        "an archive (two-layer)": ["two-layer"],
    }


def run(words: list[str], interrupted_after: float = 0.0) -> tuple[float, float, float]:
    """Seconds to the end, of processor time, and from Ctrl-C to the first word (0: none was needed).
    That last is -1 where the run had ended before.

    Args:
        interrupted_after: seconds until Ctrl-C, from which on the others count then; 0: none.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if interrupted_after:

        def interrupt() -> None:
            nonlocal began, answered
            if process.poll() is None:
                began, answered = time.perf_counter(), 0.0
                process.send_signal(signal.SIGINT)

        timer = threading.Timer(interrupted_after, interrupt)
        timer.start()
    answered = -1.0 if interrupted_after else 0.0
    assert process.stdout
    for line in process.stdout:
        if answered == 0 and "nterrupted" in line:
            answered = time.perf_counter() - began
    process.wait()
    if interrupted_after:
        timer.cancel()
    ended = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, answered


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--max-time", type=float, default=10.0)
    parser.add_argument("--interrupt", type=float, nargs="*", default=[6.0, 20.0], metavar="SECONDS")
    parser.add_argument("--folder", type=Path)
    arguments = parser.parse_args()
    folder = arguments.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    heads = [f"Ctrl-C after {seconds:g} s: answer, end" for seconds in arguments.interrupt]
    print(f"| run | --max-time {arguments.max_time:g}s | processor time | {' | '.join(heads)} |")
    print("|---|---|---|" + "---|" * len(heads))
    for name, words in tables(folder).items():
        place = folder / f"run-{time.time_ns()}"
        command = [*AZGEN, *words, "--out", str(place)]
        ended, cpu, _ = run([*command, "--max-time", str(arguments.max_time)])
        cells = [f"{ended:.1f} s", f"{cpu:.1f} s"]
        for number, seconds in enumerate(arguments.interrupt):
            command[-1] = f"{place}-{number}"
            ended, _, answered = run([*command, "--max-time", "5m"], seconds)
            cells.append(f"{answered:.1f} s, {ended:.1f} s" if answered >= 0 else "ended before")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main()
