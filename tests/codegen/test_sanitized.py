"""What `make sanitize` would find: the sanitizers see into the code of kernels and of candidates."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.sanitize import ROOT, libraries


@pytest.mark.parametrize(
    ("planted", "words"),
    [
        ("candidate-bounds", "AddressSanitizer: stack-buffer-overflow"),
        ("kernel-shift", "shift exponent 40 is too large"),
    ],
)
def test_a_planted_mistake_is_found(planted, words):
    try:
        libraries()
    except SystemExit as missing:
        pytest.skip(str(missing))
    command = [sys.executable, "-m", "tests.sanitize", "--programs", "1", "--plant", planted]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode and words in run.stderr
    assert ("run_" if planted.startswith("candidate") else "azgen_kernel") in run.stderr
