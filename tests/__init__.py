"""The environment of tests, and of the processes that they start; before NumPy is imported."""

import os
import sys

# Tests compile much and run little: -Og compiles a kernel in less than half the time, and its results are the
# same to the last bit. `AZGEN_CFLAGS= make test` compiles as for users.
os.environ.setdefault("AZGEN_CFLAGS", "-Og")

# Tests start Python hundreds of times, which compiles azgen each time unless what it compiled may stay.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Two processes run tests already. Threads of theirs would wait for each other for most of their time.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
