"""What the world outside does wrong is one message and exit status 2: no home folder, no room for output."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import platformdirs
import pytest

from azgen.codegen import cache_folder
from azgen.errors import AzgenError, CacheError
from azgen.files import write_file
from azgen.settings.resolve import resolve_settings
from azgen.tasks import image_sets
from azgen.textual import read_json, to_json
from tests.tasks.tables import table_tasks

AZGEN = [sys.executable, "-m", "azgen"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
@pytest.mark.parametrize("command", [["presets"], ["--version"], ["presets", "--help"]])
def test_output_that_has_no_room(command):
    with open("/dev/full", "w") as full:
        done = subprocess.run([*AZGEN, *command], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and "Traceback" not in done.stderr
    assert "No space left on device" in done.stderr and len(done.stderr.splitlines()) == 1


def test_output_that_is_closed():
    words = " ".join([*AZGEN, "presets", ">&-"])
    done = subprocess.run(words, shell=True, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_user_without_a_home(monkeypatch, tmp_path):
    def nowhere(name: str) -> None:
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(platformdirs, "user_cache_path", nowhere)
    monkeypatch.setattr(platformdirs, "user_data_path", nowhere)
    monkeypatch.setattr(cache_folder, "__file__", str(tmp_path / "azgen" / "codegen" / "cache_folder.py"))
    monkeypatch.delenv(cache_folder.ENVIRONMENT_VARIABLE, raising=False)
    assert image_sets.data_folders()[-1] == image_sets.SYSTEM_FOLDER
    with pytest.raises(CacheError, match=r"no home folder .*--build-dir or AZGEN_BUILD_DIR"):
        cache_folder.build_directory()


NO_UTF8 = os.fsdecode(b"n\xffme")


def test_names_that_are_no_utf8(tmp_path):
    """Runs may lie in such folders and record them; a configuration cannot hold them."""
    path = tmp_path / "record.json"
    write_file(path, to_json({"directory": NO_UTF8}, indent=2))
    assert read_json(path) == {"directory": NO_UTF8}
    write_file(tmp_path / "a.txt", f"read {NO_UTF8}")
    assert (tmp_path / "a.txt").read_text() == "read n?me"
    with pytest.raises(AzgenError, match=r"'n\\udcffme' is no UTF-8.* rename it, or make a link"):
        resolve_settings(data=f"{NO_UTF8}.csv", target="y")


def test_a_compile_cache_that_is_no_utf8(tmp_path, monkeypatch):
    monkeypatch.setenv(cache_folder.ENVIRONMENT_VARIABLE, str(tmp_path / NO_UTF8))
    with pytest.raises(CacheError, match=r"is no UTF-8, which Cython needs\. Choose another folder"):
        cache_folder.build_directory()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no such device")
def test_a_full_disk_says_what_to_do():
    with pytest.raises(AzgenError, match=r"No space left on device; free some space, or name a place"):
        write_file(Path("/dev/full"), "text")


def test_a_reader_that_has_enough_ends_well():
    words = " ".join([*AZGEN, "ops", "| head -1"])
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {words}"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_table_is_no_configuration(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(AzgenError, match=r"if it is a table, give it with --data FILE --target COLUMN"):
        resolve_settings(str(path))
    path.write_bytes(b"PAR1\xff\xfe")
    with pytest.raises(AzgenError, match="if it is a table, give it with --data"):
        resolve_settings(str(path))


def test_counts_with_a_rare_value_may_be_meant_as_numbers(tmp_path):
    path = tmp_path / "table.csv"
    counts = [*range(4)] * 15 + [9]
    path.write_text("x,y\n" + "".join(f"{i * 7 % 11},{count}\n" for i, count in enumerate(counts)))
    with pytest.raises(
        AzgenError, match=r"class '9' has 1 row; .*; if these are counts .* kind=\"regression\""
    ):
        table_tasks(path, "y")
    with pytest.raises(AzgenError, match=r"are needed; merge it with another, .*positive"):
        table_tasks(path, "y", kind="multiclass")
