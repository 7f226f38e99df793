"""Damaging files, and checking that a reader says so."""

import numpy as np
import pytest

from azgen.errors import AzgenError


def refused(read, path, *words):
    with pytest.raises(AzgenError) as caught:
        read(path)
    text = str(caught.value)
    assert path.name in text and "\n" not in text
    for word in words:
        assert word in text
    return text


def written(tmp_path, name, data):
    path = tmp_path / name
    path.write_bytes(data)
    return path


def corrupted(data, kind):
    """The bytes with one kind of damage that any format can have."""
    random = np.random.default_rng(7)
    return {
        "empty": b"",
        "one byte": data[:1],
        "half": data[: len(data) // 2],
        "no end": data[:-9],
        "no start": data[9:],
        "noise": random.integers(0, 256, len(data)).astype(np.uint8).tobytes(),
        "zeros": bytes(len(data)),
        "wrong magic": b"XXXXXXXX" + data[8:],
    }[kind]


KINDS = ["empty", "one byte", "half", "no end", "no start", "noise", "zeros", "wrong magic"]
