"""Does azgen work here? `make smoke`: what a newcomer does first, in a folder of its own, in about a minute.

python tools/smoke.py          # exit status 1 at the first command that fails
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

TABLE = "".join(f"{x / 10},{x % 7},{3 * x / 10 - x % 7 + (x * 37 % 11) / 20}\n" for x in range(120))
STEPS = """
azgen doctor
azgen evolve linear --max-programs 5000 --islands 2 --workers 2 --out linear
azgen show linear
azgen evolve --data table.csv --target y --max-time 5s --out table
python table/champion.py table.csv --target y
azgen explain table
"""
WORDS = {"azgen": [sys.executable, "-m", "azgen"], "python": [sys.executable]}


def main() -> int:
    """Takes the steps; says how long each took."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "table.csv").write_text("a,b,y\n" + TABLE, encoding="utf-8")
        for step in STEPS.strip().splitlines():
            first, *words = step.split()
            started = time.perf_counter()
            done = subprocess.run([*WORDS[first], *words], cwd=folder, capture_output=True, text=True)
            print(f"{time.perf_counter() - started:5.1f} s  {step}", flush=True)
            if done.returncode:
                print(done.stdout[-2000:], done.stderr[-2000:], sep="\n")
                return 1
    print("azgen works here.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
