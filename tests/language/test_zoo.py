"""The zoo: every program parses, round-trips and learns what it is for."""

import re
from pathlib import Path

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.execution.execute import execute
from azgen.language import Program
from azgen.language.zoo import find_program, zoo, zoo_for_classes, zoo_names
from azgen.tasks import load_data_set
from azgen.tasks.synthetic import affine_tasks, linear_tasks, two_layer_tasks
from azgen.tasks.task import Task
from tests.agreement import compile_all
from tests.tasks.labelled import image_tasks

NAMES = (
    "additive",
    "additive-net",
    "affine",
    "best-evolved",
    "best-evolved-raw",
    "discovered-net",
    "discovered-quadratic",
    "evolved-net",
    "linear",
    "mean-weight-rate",
    "neural-net",
    "noisy-relu",
    "quadratic",
    "rate-decay",
    "ridge",
    "skip-net",
)
FOR_CLASSES = (
    "softmax-linear",
    "softmax-mean-weight-rate",
    "softmax-neural-net",
    "softmax-ridge",
    "softmax-ridge-net",
)
ADAPTED = ("mean-weight-rate", "noisy-relu", "rate-decay")


@pytest.fixture(scope="module", autouse=True)
def _compiled_together():
    """One by one they would take several times as long to compile."""
    for n_features, names in ((16, NAMES), (8, ("linear", "neural-net", *ADAPTED))):
        compile_all(list(map(zoo, names)), n_features, "accuracy", "float32", n_tasks=8)


def mixed_tasks(n_tasks, n_features=16, n_train=8000, n_valid=1000):
    """Classification by the sign of a linear plus a quadratic form: no linear model is good at it."""
    tasks = []
    for seed in range(n_tasks):
        random = np.random.default_rng(seed)
        x = random.normal(size=(n_train + n_valid, n_features))
        w = random.normal(size=n_features)
        q = random.normal(size=(n_features, n_features)) / np.sqrt(n_features)
        z = x @ w + np.einsum("ni,ij,nj->n", x, q, x)
        y = (z > np.median(z)).astype(float)
        tasks.append(Task(x[:n_train], y[:n_train], x[n_train:], y[n_train:], metric="accuracy"))
    return tasks


def test_names():
    assert zoo_names() == tuple(sorted((*NAMES, *FOR_CLASSES)))
    with pytest.raises(AzgenError, match="neural-net"):
        zoo("nonsense")
    assert find_program("zoo:linear") == zoo("linear")


def test_the_documentation_names_all():
    text = (Path(__file__).resolve().parents[2] / "docs" / "data.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`zoo:([-a-z]+)`", text.partition("## The zoo")[2])) == set(zoo_names())


@pytest.mark.parametrize("name", [*NAMES, *FOR_CLASSES])
def test_programs_round_trip_and_are_live(name):
    program = zoo(name)
    assert Program.parse(str(program)) == program
    assert program.live() == program, "a program that ships has no dead code"
    assert program.normalized().normalized() == program.normalized()


@pytest.mark.parametrize("name", NAMES)
def test_every_program_tells_classes_of_a_linear_rule_apart(name):
    tasks = linear_tasks(8, 16, 8000, 1000, metric="accuracy")
    fitness = execute(zoo(name), tasks).fitness
    assert fitness.mean() > 0.85 and fitness.min() > 0.7


def test_linear_and_affine_regression():
    assert execute(zoo("linear"), linear_tasks(16, 8, 2000, 100)).fitness.min() > 0.99
    tasks = affine_tasks(16, 8, 2000, 100)
    assert execute(zoo("affine"), tasks).fitness.min() > 0.99
    assert execute(zoo("linear"), tasks).fitness.mean() < 0.9, "there is no bias in it"


def test_networks_learn_what_a_linear_model_cannot():
    tasks = two_layer_tasks(8, 8, 5000, 500, metric="accuracy")
    linear = execute(zoo("linear"), tasks).fitness.mean()
    for name in ("neural-net", "noisy-relu", "rate-decay", "mean-weight-rate"):
        assert execute(zoo(name), tasks).fitness.mean() > linear + 0.05, name


@pytest.mark.parametrize("name", ADAPTED)
def test_an_adapted_program_is_the_network_with_one_mechanism(name):
    mechanism = {
        "noisy-relu": {"vector_gaussian_set", "vector_sum"},
        "rate-decay": {"scalar_arctan"},
        "mean-weight-rate": {"matrix_mean", "scalar_abs", "scalar_sin"},
    }[name]
    net, program = list(zoo("neural-net").instructions()), list(zoo(name).instructions())
    added = [str(i) for i in program if str(i) not in map(str, net)]
    assert {i.op.name for i in program if str(i) in added} - {"scalar_const_set"} == mechanism


def test_the_discovered_network_learns_regression_at_a_gentler_rate():
    tasks = two_layer_tasks(8, 8, 10_000, 500)
    program = zoo("evolved-net").with_constants((-1e-10, 0.1, 0.03, -0.033, 0.01))
    assert np.median(execute(program, tasks).fitness) > 0.8


def test_the_best_evolved_program_learns_a_mixed_rule():
    """Measured before azgen was written, with other draws of the rule: 0.77 to 0.89 with the constants as
    printed, 0.90 to 0.93 with s4 = 0.1."""
    tasks = mixed_tasks(8)
    program = zoo("best-evolved")
    printed = execute(program, tasks).fitness
    assert printed.min() > 0.77 and 0.82 < printed.mean() < 0.93
    larger = execute(program.with_constants((0.1, *program.constants[1:])), tasks).fitness
    assert larger.mean() > max(0.9, printed.mean())
    assert execute(zoo("best-evolved-raw"), tasks).fitness.mean() > 0.9
    assert execute(zoo("linear"), tasks).fitness.mean() < 0.8


def test_programs_for_several_classes_learn_them():
    """With what the binary programs use, rates and spreads for ten digits in 16 features and a few epochs."""
    digits = load_data_set("digits")
    tasks = image_tasks(digits.x, digits.y, "all", n_search=1, n_select=1, n_test=4).test
    fitness = {name: execute(zoo(name), tasks, epochs=10).fitness.mean() for name in FOR_CLASSES}
    assert fitness["softmax-linear"] > 0.8 and fitness["softmax-neural-net"] > 0.8
    assert fitness["softmax-mean-weight-rate"] > 0.5


def test_a_program_of_the_zoo_stands_for_another_where_there_are_several_classes():
    assert zoo_for_classes("zoo:linear") == zoo("softmax-linear")
    assert zoo_for_classes("zoo:rate-decay") is None and zoo_for_classes("linear.az") is None
