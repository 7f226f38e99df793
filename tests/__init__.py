"""The environment of tests, and of the processes that they start; before NumPy is imported."""

import os

# Tests compile much and run little: -Og compiles a kernel in less than half the time, and its results are the
# same to the last bit. `AZGEN_CFLAGS= make test` compiles as for users.
os.environ.setdefault("AZGEN_CFLAGS", "-Og")

# Two processes run tests already. Threads of theirs would wait for each other for most of their time.
for _library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{_library}_NUM_THREADS", "1")
