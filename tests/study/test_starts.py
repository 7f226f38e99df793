"""Tuned programs of the zoo to start from."""

import dataclasses

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.execution.rating import Rating
from azgen.language.conditions import Conditions
from azgen.language.instruction import SCALAR, VECTOR, Memory
from azgen.language.program import Program
from azgen.language.zoo import zoo, zoo_names
from azgen.search.starts import start_programs
from azgen.settings.resolve import resolve_settings
from azgen.study.racer import Start, TuningTasks
from azgen.study.starts import (
    chosen_epochs,
    fitting_programs,
    has_bias,
    level_starts,
    tune_starts,
    tuned_starts,
    with_bias,
)
from azgen.tasks.synthetic import teacher_tasks

ROOM = Memory(8, 10, 3)


def tasks(source="affine", count=6, n_train=60, first=0):
    return teacher_tasks(
        source,
        count,
        4,
        n_train,
        30,
        data_seeds=range(first, first + count),
        param_seeds=range(first, first + count),
    )


@pytest.fixture(scope="module")
def starts():
    programs = {f"zoo:{name}": zoo(name) for name in ("linear", "affine", "neural-net")}
    return tune_starts(
        programs, TuningTasks(tasks(), tasks(first=50)), epochs=(1, 2, 5), conditions=Conditions(seed=3)
    )


def test_programs_that_fit_form_features_and_memory():
    found = fitting_programs(SCALAR, 16, ROOM, biased=False)
    assert set(found) == {f"zoo:{name}" for name in zoo_names() if zoo(name).form == SCALAR}
    assert set(fitting_programs(VECTOR, 16, Memory(8, 11, 3), biased=True)) == {
        "zoo:softmax-linear",
        "zoo:softmax-mean-weight-rate",
        "zoo:softmax-neural-net",
        "zoo:softmax-ridge",
        "zoo:softmax-ridge-net",
    }
    wide = fitting_programs(VECTOR, 300, Memory(8, 11, 3), biased=True)
    assert set(wide) == {"zoo:softmax-linear", "zoo:softmax-ridge"}
    assert set(fitting_programs(SCALAR, 16, Memory(5, 9, 0), biased=False)) == {"zoo:linear", "zoo:affine"}
    vectors_alone = {f"zoo:{name}" for name in ("linear", "affine", "ridge", "additive")}
    assert set(fitting_programs(SCALAR, 500, ROOM, biased=False)) == vectors_alone


def test_programs_without_a_bias_come_with_one_too():
    found = fitting_programs(SCALAR, 16, ROOM, biased=True)
    more = set(found) - set(fitting_programs(SCALAR, 16, ROOM, biased=False))
    # Linear with a bias is affine.
    plain = ("best-evolved", "best-evolved-raw", "discovered-net", "discovered-quadratic", "evolved-net")
    assert more == {f"zoo:{n} with a bias" for n in plain}
    for name in more:
        assert has_bias(found[name]) and not has_bias(
            zoo(name.removeprefix("zoo:").removesuffix(" with a bias"))
        )
    assert [name for name in zoo_names() if zoo(name).form == SCALAR and has_bias(zoo(name))] == [
        "additive",
        "additive-net",
        "affine",
        "mean-weight-rate",
        "neural-net",
        "noisy-relu",
        "quadratic",
        "rate-decay",
        "ridge",
        "skip-net",
    ]


def test_a_bias_learns_what_linear_cannot():
    biased = with_bias(zoo("linear"))
    shifted = [
        dataclasses.replace(t, y_train=t.y_train + 1.0, y_valid=t.y_valid + 1.0)
        for t in tasks("linear", 4, 300)
    ]
    plain, better = (execute(p, shifted, epochs=5).fitness.mean() for p in (zoo("linear"), biased))
    assert better > 0.95 > 0.7 > plain
    np.testing.assert_allclose(
        execute(biased, shifted).fitness, execute(zoo("affine"), shifted).fitness, atol=1e-5
    )


@pytest.mark.parametrize("line", ["s1 = s0 - s1", "s1 = s1 + s1"])
def test_a_bias_takes_its_error_from_the_prediction_even_if_that_is_overwritten(line):
    program = Program.parse(f"def Setup():\n  pass\ndef Predict():\n  s1 = s2 + s1\ndef Learn():\n  {line}\n")
    assert with_bias(program).memory.scalars == program.memory.scalars + 3
    assert with_bias(zoo("best-evolved")).memory.scalars == zoo("best-evolved").memory.scalars + 2


def test_starts_are_tuned_ranked_and_true(starts):
    assert [member.epochs for member in starts.members] == [starts.epochs] * len(starts.members)
    fitness = [member.fitness for member in starts.members if member.select.holds]
    assert fitness == sorted(fitness, reverse=True) and starts.settings > 300
    affine = next(s for s in starts.tried if s.name == "zoo:affine" and s.epochs == 2)
    assert affine.program.structure_hash == zoo("affine").structure_hash
    for found, where in ((affine.search_fitness, tasks()), (affine.select.fitness, tasks(first=50))):
        again = execute(affine.program, where, seed=3, epochs=2).fitness
        np.testing.assert_array_equal(found, again)
        assert again.mean() > execute(zoo("affine"), where, seed=3, epochs=2).fitness.mean() + 0.1
    assert {s.name for s in starts.members} <= {"zoo:affine", "zoo:neural-net"}  # the teacher has a bias


def test_the_same_seed_gives_the_same_starts(starts):
    programs = {f"zoo:{name}": zoo(name) for name in ("linear", "affine", "neural-net")}
    again = tune_starts(
        programs, TuningTasks(tasks(), tasks(first=50)), epochs=(1, 2, 5), conditions=Conditions(seed=3)
    )
    assert [str(s.program) for s in again.tried] == [str(s.program) for s in starts.tried]
    other = tune_starts(
        programs, TuningTasks(tasks(), tasks(first=50)), epochs=(1, 2, 5), conditions=Conditions(seed=4)
    )
    assert [str(s.program) for s in other.tried] != [str(s.program) for s in starts.tried]
    alone = tune_starts(
        programs, TuningTasks(tasks(), tasks(first=50)), epochs=(2,), conditions=Conditions(seed=3)
    )
    assert {s.epochs for s in alone.tried} == {2} and alone.epochs == 2


def test_less_is_tried_where_it_costs_much(starts):
    programs = {f"zoo:{name}": zoo(name) for name in ("linear", "affine", "neural-net")}
    seen = []
    few = tune_starts(
        programs,
        TuningTasks(tasks(), tasks(first=50)),
        conditions=Conditions(seed=3),
        budget=1e6,
        observe=lambda *what: seen.append(what),
    )
    assert few.settings < starts.settings and {s.name for s in few.tried} == set(programs)
    assert seen[:3] == [(name, 1) for name in programs]


def test_starts_are_good_on_search_and_selection_tasks_and_never_fail():
    def start(epochs, select, search=(0.8, 0.8), lasts=True):
        return Start("x", zoo("linear"), epochs, np.array(search), Rating(np.array(select), lasts))

    good = start(2, [0.8, 0.8])
    assert chosen_epochs([good, start(5, [0.801, 0.801])]) == 2
    assert chosen_epochs([good, start(5, [0.9, 0.9])]) == 5
    failing, short = start(5, [1.0, 0.0]), start(5, [0.9, 0.9], lasts=False)
    assert chosen_epochs([good, failing]) == 2 and chosen_epochs([good, short]) == 2
    assert chosen_epochs([failing]) == 5
    assert not failing.select.holds and not short.select.holds
    lucky = start(5, [0.9, 0.9], search=(0.6, 0.61))
    assert chosen_epochs([good, lucky]) == 2
    close = start(5, [0.85, 0.85], search=(0.73, 0.77))
    assert close.rating == pytest.approx(0.8) and level_starts([good, failing, short, lucky, close]) == [
        good,
        close,
    ]


def test_cross_validation_decides_where_there_is_one():
    def start(epochs, select, cross):
        rating = Rating(np.array(select), lasts=True)
        return Start("x", zoo("linear"), epochs, np.array(select), rating, np.array(cross))

    lucky, sound = start(2, [0.9, 0.9], [0.6, 0.6]), start(5, [0.8, 0.8], [0.7, 0.7])
    assert chosen_epochs([lucky, sound]) == 5 and level_starts([lucky, sound]) == [sound]


def test_many_passes_are_tuned_where_cross_validation_tells_what_they_bring(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(120, 3))
    path = tmp_path / "net.csv"
    rows = np.column_stack([x, np.abs(x[:, 0]) + x[:, 1]])
    np.savetxt(path, rows, "%.4f", ",", header="a,b,c,y", comments="")
    settings = resolve_settings(data=str(path), target="y", max_time=20)
    split = settings.tasks.split(0)
    assert len(split.cross) == 24 and split.cross[0].n_train > split.search[0].n_train
    found = tuned_starts(settings, split)
    for start in found.tried:
        again = execute(start.program, split.cross, epochs=start.epochs).fitness
        np.testing.assert_array_equal(start.cross, again)
    assert max(start.epochs for start in found.tried) > 30
    for record in found.as_records():
        start = next(s for s in found.members if s.name == record["name"])
        assert record["cross_validation_fitness"] == pytest.approx(start.cross.mean())
    shorter = tuned_starts(resolve_settings(data=str(path), target="y", max_time=2), split)
    assert shorter.settings < found.settings


def test_there_must_be_a_program_of_the_right_form():
    with pytest.raises(AzgenError, match="no program to start from"):
        tune_starts({}, TuningTasks(tasks(), tasks()))
    with pytest.raises(AzgenError, match="several classes"):
        tune_starts({"zoo:softmax-linear": zoo("softmax-linear")}, TuningTasks(tasks(), tasks()))


def test_a_named_start_is_tuned_to_the_width_of_a_table(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=(90, 150))
    rows = np.column_stack([x, x @ random.normal(size=150)])
    path = tmp_path / "wide.csv"
    names = [*(f"c{i}" for i in range(150)), "y"]
    np.savetxt(path, rows, "%.4f", ",", header=",".join(names), comments="")
    settings = resolve_settings(data=str(path), target="y", start="zoo:linear", epochs=5, max_time=1)
    split = settings.tasks.split(0)
    starts = tuned_starts(settings, split)
    (name,) = starts.programs
    assert name == "zoo:linear, tuned" and starts.epochs == 5
    ((given, tuned),) = start_programs(settings, split.select, tuple(starts.programs.values()))
    assert given == zoo("linear")
    fitness = [execute(p, split.test, epochs=5).fitness.mean() for p in (given, tuned)]
    assert fitness[1] > fitness[0]
