"""Finding the C compiler, translating, compiling, loading: what comes out, and what is said when it fails."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from azgen.codegen import compiler, doctor, toolchain, translation
from azgen.codegen.cache_folder import set_build_directory
from azgen.confinement import landlock_version
from azgen.errors import CompilerError
from azgen.study.environment import machine

SOURCE = """
def multiply_add(double a, double b, double c):
    return a * b + c

def negated_difference(double a, double b):
    return -(a - b)
"""


@pytest.fixture(autouse=True)
def own_build_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("AZGEN_BUILD_DIR", "")  # so that monkeypatch puts back whatever was there
    set_build_directory(tmp_path / "build")


@pytest.fixture
def no_compiler(tmp_path, monkeypatch):
    empty = tmp_path / "no programs here"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setattr(toolchain, "find_spec", lambda name: None)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    folder = tmp_path_factory.mktemp("compiled")
    source, c_file, library = folder / "arithmetic.pyx", folder / "arithmetic.c", folder / "arithmetic.so"
    source.write_text(SOURCE)
    seconds = translation.cython_to_c(source), compiler.compile_c(c_file, library)
    return compiler.load_module("arithmetic", library), seconds, folder


def test_compiled_code_does_ieee_arithmetic(compiled):
    module, _, _ = compiled
    a = 1.0 + 2.0**-30
    # A fused multiply-add would keep the last bit of a * a, which rounding the product drops.
    assert module.multiply_add(a, a, -(1.0 + 2.0**-29)) == 0.0
    assert str(module.negated_difference(1.0, 1.0)) == "-0.0"


def test_stage_times_are_returned_and_only_the_products_are_left(compiled):
    _, seconds, folder = compiled
    assert all(stage > 0.0 for stage in seconds)
    assert sorted(path.name for path in folder.iterdir()) == [
        "arithmetic.c",
        "arithmetic.pyx",
        "arithmetic.so",
    ]


def test_generated_c_does_not_depend_on_the_folder(compiled):
    _, _, folder = compiled
    assert str(folder) not in (folder / "arithmetic.c").read_text()


def test_translating_takes_little_memory_and_other_scripts_stay_in_comments(tmp_path):
    (tmp_path / "arithmetic.pyx").write_text(f"# Größe 大 {SOURCE}", encoding="utf-8")
    program = (
        "import sys; from pathlib import Path; from azgen.codegen.translation import cython_to_c;"
        "from benchmarks.processes import peak_memory; from Cython.Compiler import Main;"
        "before = peak_memory(); cython_to_c(Path(sys.argv[1])); print(peak_memory() - before)"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "arithmetic.pyx")]
    checkout = Path(__file__).resolve().parents[2]
    more = float(subprocess.run(command, check=True, capture_output=True, text=True, cwd=checkout).stdout)
    assert more < 60  # MB; 180 with Cython's own scanner of all scripts


def test_default_flags_keep_values():
    forbidden = {
        "-ffast-math",
        "-Ofast",
        "-fno-signed-zeros",
        "-funsafe-math-optimizations",
        "-ffinite-math-only",
    }
    assert not forbidden.intersection(compiler.DEFAULT_FLAGS)
    assert "-ffp-contract=off" in compiler.DEFAULT_FLAGS


def test_own_options_come_after_azgen_s(compiled, tmp_path, monkeypatch):
    source, library = compiled[2] / "arithmetic.c", tmp_path / "arithmetic.so"
    monkeypatch.setenv("AZGEN_CFLAGS", "-Og '-DNAME=\"of two words\"' -fno-such-option")
    with pytest.raises(CompilerError, match="-fno-such-option"):
        compiler.compile_c(source, library)
    monkeypatch.setenv("AZGEN_CFLAGS", "-Og '-DNAME=\"of two words\"'")
    compiler.compile_c(source, library)
    assert compiler.load_module("arithmetic", library).multiply_add(2.0, 3.0, 4.0) == 10.0
    assert machine()["compiler_flags"][-2:] == ["-Og", '-DNAME="of two words"']
    monkeypatch.setenv("AZGEN_CFLAGS", "'-Og")
    with pytest.raises(CompilerError, match=r"AZGEN_CFLAGS is \"'-Og\", which cannot be split .*unset it"):
        compiler.compile_c(source, library)


def test_bad_source_is_one_clear_error_and_leaves_nothing(tmp_path, capfd):
    source = tmp_path / "wrong.pyx"
    source.write_text("def f(:\n    return undefined\n")
    with pytest.raises(CompilerError) as raised:
        translation.cython_to_c(source)
    assert str(source) in str(raised.value)
    assert "wrong.pyx:1:" in str(raised.value)
    assert list(tmp_path.iterdir()) == [source]
    assert capfd.readouterr() == ("", "")


def test_errors_of_the_c_compiler_are_shown(tmp_path):
    c_file, library = tmp_path / "wrong.c", tmp_path / "wrong.so"
    c_file.write_text("int f(void) { return no_such_name; }\n")
    with pytest.raises(CompilerError, match="no_such_name"):
        compiler.compile_c(c_file, library)
    assert not library.exists()


def test_missing_library_is_shown(compiled, tmp_path):
    with pytest.raises(CompilerError, match="no_such_library"):
        compiler.compile_c(compiled[2] / "arithmetic.c", tmp_path / "x.so", libraries=["no_such_library"])


def test_file_that_is_no_library_is_refused(tmp_path):
    library = tmp_path / "text.so"
    library.write_text("this is text")
    with pytest.raises(CompilerError, match="cannot be loaded"):
        compiler.load_module("text", library)


def test_without_a_compiler_one_message_says_what_to_install(no_compiler):
    with pytest.raises(CompilerError) as raised:
        compiler.find_toolchain()
    for part in (
        "apt install gcc",
        "dnf install gcc",
        "xcode-select --install",
        "azgen[zig]",
        "CC",
        "azgen doctor",
    ):
        assert part in str(raised.value)


def test_ziglang_wheel_is_the_last_resort(no_compiler, monkeypatch):
    monkeypatch.setattr(toolchain, "find_spec", lambda name: object() if name == "ziglang" else None)
    answers = {"--version": "clang version 99\n", "-dumpmachine": "somewhere\n"}
    monkeypatch.setattr(toolchain, "_output", lambda command: answers[command[-1]])
    found = compiler.find_toolchain()
    assert found.command == (sys.executable, "-m", "ziglang", "cc")
    assert "clang version 99" in found.version


def test_cc_with_arguments_is_used(monkeypatch):
    path = compiler.find_toolchain().command[0]
    monkeypatch.setenv("CC", f"{path} -pipe")
    assert compiler.find_toolchain().command == (path, "-pipe")


@pytest.mark.parametrize("value", ["no-such-compiler", "false", '"gcc'])
def test_unusable_cc_is_an_error_and_not_ignored(monkeypatch, value):
    monkeypatch.setenv("CC", value)
    with pytest.raises(CompilerError, match=f"CC is '{value}'"):
        compiler.find_toolchain()


def test_a_compiler_that_makes_nothing_is_told(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler, "_run", lambda *given: subprocess.CompletedProcess([], 0, "", ""))
    with pytest.raises(CompilerError, match=r"says that it has compiled .*there is no m\.so.*\bCC\b"):
        compiler.compile_c(tmp_path / "m.c", tmp_path / "m.so")


def test_missing_python_headers_are_one_clear_message(tmp_path, monkeypatch):
    monkeypatch.setattr(compiler.sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(CompilerError, match=r"Python\.h") as raised:
        compiler.python_headers()
    assert "apt install python3" in str(raised.value)


def test_toolchain_describes_compiler_and_machine():
    found = compiler.find_toolchain()
    assert Path(found.command[0]).is_file()
    assert found.version and found.target and found.cpu_features
    assert found == compiler.find_toolchain()
    assert found.vector_bits() in (128, 256, 512)


def test_vector_math_names_fit_the_machine():
    found = compiler.find_toolchain()
    names = found.vector_math()
    kinds = {name[4] for name in names}
    widths = {"b": 128, "n": 128, "d": 256, "e": 512}
    assert all(widths[kind] <= found.vector_bits() for kind in kinds)
    if platform.machine() == "x86_64" and names:  # glibc had these from the first version of libmvec on
        assert {"_ZGVbN4v_sinf", "_ZGVbN2v_sin", "_ZGVbN4v_expf", "_ZGVbN4v_logf"} <= names


def test_vector_math_is_empty_without_the_library(monkeypatch):
    def no_library(name):
        raise OSError(f"{name}: not found")

    monkeypatch.setattr(toolchain.ctypes, "CDLL", no_library)
    toolchain._vector_math.cache_clear()
    try:
        assert compiler.find_toolchain().vector_math() == frozenset()
    finally:
        toolchain._vector_math.cache_clear()


def test_doctor_finds_a_working_machine_well():
    findings = doctor.diagnose()
    assert [finding.name for finding in findings if not finding.ok] == []
    if landlock_version():
        assert "workers write in the compile cache alone" in findings[-1].detail
    again = {finding.name: finding for finding in doctor.diagnose()}
    assert "compiled before by the same compiler" in again["compile and load"].detail
    assert again["confinement"] == findings[-1]
    assert not any(path.name.startswith(".") for path in Path(os.environ["AZGEN_BUILD_DIR"]).iterdir())


def test_doctor_reports_a_missing_compiler_once(no_compiler):
    findings = {finding.name: finding for finding in doctor.diagnose()}
    assert not findings["C compiler"].ok
    assert "apt install gcc" in findings["C compiler"].advice
    assert findings["Python headers"].ok
    assert not findings["compile and load"].ok
    assert sum("apt install gcc" in finding.advice for finding in findings.values()) == 1


def test_the_same_source_gives_the_same_bytes(tmp_path):
    """In another folder, at another time, by another process: what is compiled is reproducible."""
    found = []
    for name in ("one", "another/folder"):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        (folder / "twice.pyx").write_text("def twice(double x):\n    return x + x\n", encoding="utf-8")
        translation.cython_to_c(folder / "twice.pyx", folder / "twice.c")
        compiler.compile_c(folder / "twice.c", folder / "twice.so")
        found.append((folder / "twice.so").read_bytes())
    assert found[0] == found[1]
