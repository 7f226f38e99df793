"""Cython's steps that are left out where there is nothing of Python."""

import shutil
from pathlib import Path

import pytest

from azgen.codegen import translation
from azgen.errors import CompilerError

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


@pytest.mark.parametrize(
    "name", ["candidate-batch", "candidate-classes", "candidate-learner", "kernel-linear"]
)
def test_the_c_is_the_same(name, tmp_path):
    source = tmp_path / "source.pyx"
    shutil.copyfile(GOLDEN / f"{name}.pyx", source)
    translation.cython_to_c(source, tmp_path / "whole.c")
    translation.cython_to_c(source, tmp_path / "less.c", functions_alone=True)
    assert (tmp_path / "less.c").read_bytes() == (tmp_path / "whole.c").read_bytes()


def test_steps_are_left_out():
    assert (
        len(translation._steps_for_python_alone()) >= 15
    )  # of this Cython, as of all that azgen was tried with


def test_what_needs_python_is_refused(tmp_path):
    source = tmp_path / "source.pyx"
    source.write_text("cdef double f(double x) noexcept nogil:\n    return unknown(x)\n", encoding="utf-8")
    with pytest.raises(CompilerError, match=r"source.pyx:2:"):
        translation.cython_to_c(source, functions_alone=True)


def test_nothing_is_left_out_afterwards(tmp_path):
    source = tmp_path / "twice.pyx"
    source.write_text("cdef double f(double x) noexcept nogil:\n    return x\n", encoding="utf-8")
    translation.cython_to_c(source, functions_alone=True)
    source.write_text("def twice(double x):\n    return [x + y for y in (x,)]\n", encoding="utf-8")
    translation.cython_to_c(source)
    assert "PyList" in source.with_suffix(".c").read_text()
