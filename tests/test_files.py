"""Files that are written whole: content, mode, and what is left of a failure."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import BinaryIO

import pytest

from azgen.files import remove_parts, write_whole


@pytest.mark.parametrize("content", ["ä\n", "ä\n".encode(), lambda file: file.write("ä\n".encode())])
def test_all_kinds_of_content_are_written_with_one_mode(content: object, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old, and longer")
    write_whole(path, content)  # type: ignore[arg-type]
    assert path.read_bytes() == "ä\n".encode()
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(file: BinaryIO) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        write_whole(path, fail)
    assert path.read_text() == "old" and len(list(tmp_path.iterdir())) == 1


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    for name in (".a.txt.x1.part", "kept.part", ".kept"):
        (tmp_path / name).touch()
    remove_parts(tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [".kept", "kept.part"]
