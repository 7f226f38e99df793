"""Every door: what is kept in the corpus, and some changed inputs, are let in or refused with a message."""

from __future__ import annotations

import io
import json
import random
from contextlib import suppress

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.language.program import Program
from azgen.search.snapshot import check_settings
from azgen.settings.reading import settings_from
from azgen.settings.values import as_mapping
from azgen.tasks.readers import isolated
from azgen.tasks.readers.svhn import read_svhn
from tests.fuzz.__main__ import CORPUS, corpus
from tests.fuzz.doors import DOORS, small_space

KEPT = [(door, path) for door in DOORS for path in corpus(door)]


@pytest.mark.parametrize(("door", "path"), KEPT, ids=[f"{door}-{path.name}" for door, path in KEPT])
def test_what_is_kept_is_let_in_or_refused(door, path):
    with suppress(AzgenError):
        DOORS[door].enter(path.read_bytes())


@pytest.mark.parametrize("door", DOORS)
def test_changed_inputs_are_let_in_or_refused(door):
    source = random.Random(door)
    seeds = DOORS[door].seeds()
    for seed in seeds:
        DOORS[door].enter(seed)
    for _ in range(12):
        with suppress(AzgenError):
            DOORS[door].enter(DOORS[door].change(source.choice(seeds), source))


def checkpoint(change):
    """The checkpoint of a run, its values changed, with checksums that are right."""
    with np.load(io.BytesIO(small_space()[1]), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    values = json.loads(arrays.pop("header").tobytes())
    change(values)
    out = io.BytesIO()
    np.savez(out, header=np.frombuffer(json.dumps(values).encode(), np.uint8), **arrays)
    return out.getvalue()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v: v["hall"][0].update(select_fitness=0.99), "is said to have the fitness 0.99"),
        (lambda v: v["hall"][0].update(program="def Setup():\n  s2 = s1 + s1\n"), "there is no `def"),
        (lambda v: v["hall"][0].update(number=True), "number is True; it must be a whole number"),
        (lambda v: v.update(hall=[3]), "hall.1 is 3; it must be a table"),
        (lambda v: v["progress"]["lives"][0].update(best_number=-5), "lives.1.best_number is -5"),
        (lambda v: v["progress"].update(seconds="1e400"), "seconds is '1e400'; it must be a number"),
        (lambda v: v["islands"][0].update(random=2**65), "it must be a whole number of at most 64 bits"),
    ],
)
def test_values_of_a_checkpoint_are_checked(change, words):
    with pytest.raises(AzgenError) as caught:
        DOORS["checkpoint"].enter(checkpoint(change))
    assert words in str(caught.value) and "checkpoint-000001.npz is damaged" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("encrypted.npz", "encrypted"),
        ("other-method.npz", "compression method"),
        ("array-header.npz", "is damaged"),
    ],
)
def test_archives_that_numpy_cannot_read_are_named(name, words):
    with pytest.raises(AzgenError) as caught:
        DOORS["checkpoint"].enter((CORPUS / "checkpoint" / name).read_bytes())
    assert words in str(caught.value) and "checkpoint-000001.npz is damaged" in str(caught.value)


def test_a_reader_that_crashes_takes_nothing_with_it():
    with pytest.raises(AzgenError, match=r"segfault\.mat is damaged .*; get it again"):
        read_svhn(CORPUS / "svhn" / "segfault.mat")
    child = isolated._child  # not even the process that reads
    DOORS["svhn"].enter(DOORS["svhn"].seeds()[0])
    assert child is not None and isolated._child is child


def test_program_texts_are_bounded():
    with pytest.raises(AzgenError, match="Setup has more than 1000 instructions"):
        Program.parse((CORPUS / "program" / "too-many-lines.az").read_text())
    chain = Program.parse((CORPUS / "program" / "chain-of-addresses.az").read_text())
    assert chain.normalized().size == "0 + 998 + 0"


def test_numbers_and_texts_that_no_file_holds_are_named():
    with pytest.raises(AzgenError, match=r"evolution\.population is 1000.*…; it must be .* 64 bits"):
        settings_from({"evolution": {"population": 10**400}})
    with pytest.raises(AzgenError, match=r"description is .* without zero bytes"):
        settings_from({"description": "a\0b"})


def test_a_checkpoint_names_no_file_whose_code_is_run(tmp_path):
    """Its settings may say that the user's own ops are in a file; the run's settings say which they are."""
    trap = tmp_path / "trap.py"
    trap.write_text("raise SystemExit('code of a checkpoint was run')")
    space, _ = small_space()
    stored = {**as_mapping(space.settings), "ops_file": str(trap)}
    check_settings(space.settings, stored)
