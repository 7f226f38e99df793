"""Synthetic teachers: distributions, seeds, noise, and sets that share nothing."""

import numpy as np
import pytest

from azgen.errors import AzgenError
from azgen.tasks import (
    ORIGINAL_DATA_SEEDS,
    ORIGINAL_PARAM_SEEDS,
    TEACHERS,
    TeacherTasks,
    affine_tasks,
    draw_seeds,
    linear_tasks,
    teacher_tasks,
    two_layer_tasks,
)
from azgen.tasks.teacher_seeds import extend_seeds


def x_and_y(task):
    return np.concatenate([task.x_train, task.x_valid]), np.concatenate([task.y_train, task.y_valid])


def test_features_are_standard_normal_and_independent():
    (task,) = linear_tasks(1, 4, 20_000, 20_000, seed=3)
    x, _ = x_and_y(task)
    error = 5 / np.sqrt(len(x))  # five standard errors of a mean
    assert np.abs(x.mean(axis=0)).max() < error
    assert np.abs(np.cov(x.T) - np.eye(4)).max() < 2 * error
    assert np.abs((x**3).mean(axis=0)).max() < 4 * error
    assert np.abs((x**4).mean(axis=0) - 3).max() < 10 * error


def test_linear_labels_are_an_exact_inner_product_with_standard_normal_weights():
    weights = []
    for task in linear_tasks(400, 4, 20, 5, seed=1):
        x, y = x_and_y(task)
        w = np.linalg.lstsq(x, y, rcond=None)[0]
        assert np.abs(x @ w - y).max() < 1e-10  # no bias, no noise
        weights.append(w)
    w = np.array(weights).ravel()
    assert abs(w.mean()) < 5 / np.sqrt(w.size)
    assert abs(w.var() - 1) < 5 * np.sqrt(2 / w.size)


def test_affine_labels_have_a_standard_normal_bias():
    biases = []
    for task in affine_tasks(400, 3, 20, 5, seed=1):
        x, y = x_and_y(task)
        solution = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), y, rcond=None)[0]
        assert np.abs(np.column_stack([x, np.ones(len(x))]) @ solution - y).max() < 1e-10
        biases.append(solution[-1])
    assert abs(np.mean(biases)) < 5 / np.sqrt(400)
    assert abs(np.var(biases) - 1) < 5 * np.sqrt(2 / 400)


def test_two_layer_labels_come_from_the_live_units_alone():
    (task,) = two_layer_tasks(1, 4, 2000, 100, seed=5)
    x, y = x_and_y(task)
    w = np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.abs(x @ w - y).max() > 0.1
    random = np.random.default_rng([draw_seeds(1, 5)[1][0], 2])
    hidden = random.standard_normal((4, 4))
    final = random.standard_normal(4)
    live = [1, 3]  # the original zeroes units 0 and 2
    assert np.allclose(np.maximum(0, x @ hidden[live].T) @ final[live], y, atol=1e-12)
    (task,) = two_layer_tasks(1, 4, 2000, 100, seed=5, live_units="all")
    x_all, y_all = x_and_y(task)
    assert np.array_equal(x, x_all)
    assert np.allclose(np.maximum(0, x @ hidden.T) @ final, y_all, atol=1e-12)
    assert not np.allclose(y, y_all)


def test_quadratic_labels_are_a_quadratic_form_of_which_lines_have_a_half():
    shares = []
    for task in teacher_tasks("quadratic", 40, 4, 300, 100, seed=2):
        x, y = x_and_y(task)
        products = np.column_stack([x[:, i] * x[:, j] for i in range(4) for j in range(i, 4)])
        both = np.column_stack([x, products])
        assert np.abs(both @ np.linalg.lstsq(both, y, rcond=None)[0] - y).max() < 1e-9
        line = np.column_stack([x, np.ones(len(x))])
        rest = y - line @ np.linalg.lstsq(line, y, rcond=None)[0]
        shares.append(rest.var() / y.var())
    assert 0.3 < np.mean(shares) < 0.7


@pytest.mark.parametrize("teacher", TEACHERS)
@pytest.mark.parametrize("metric", ["rmse", "accuracy"])
def test_a_seed_gives_the_same_tasks_and_another_seed_others(teacher, metric):
    first = teacher_tasks(teacher, 3, 5, 30, 10, seed=7, metric=metric)
    again = teacher_tasks(teacher, 3, 5, 30, 10, seed=7, metric=metric)
    other = teacher_tasks(teacher, 3, 5, 30, 10, seed=8, metric=metric)
    for a, b, c in zip(first, again, other, strict=True):
        for name in ("x_train", "y_train", "x_valid", "y_valid"):
            assert np.array_equal(getattr(a, name), getattr(b, name))
        assert not np.array_equal(a.x_train, c.x_train)
    assert not np.array_equal(first[0].x_train, first[1].x_train)


def test_more_tasks_keep_the_first_ones_and_larger_ones_keep_the_parameters():
    few = linear_tasks(2, 4, 30, 10, seed=1)
    many = linear_tasks(5, 4, 30, 10, seed=1)
    assert all(np.array_equal(a.x_train, b.x_train) for a, b in zip(few, many, strict=False))
    larger = linear_tasks(1, 4, 60, 10, seed=1)[0]
    assert np.array_equal(larger.x_train[:30], few[0].x_train)
    assert np.array_equal(larger.y_train[:30], few[0].y_train)


def test_data_and_parameter_seeds_act_apart():
    a, b, c = linear_tasks(3, 4, 30, 10, data_seeds=[5, 5, 6], param_seeds=[5, 6, 5])
    assert np.array_equal(a.x_train, b.x_train) and not np.array_equal(a.y_train, b.y_train)
    assert not np.array_equal(a.x_train, c.x_train)
    w_a = np.linalg.lstsq(a.x_train, a.y_train, rcond=None)[0]
    w_c = np.linalg.lstsq(c.x_train, c.y_train, rcond=None)[0]
    assert np.allclose(w_a, w_c)
    assert not np.allclose(a.x_train[0], w_a)  # equal seeds of both kinds do not mean equal numbers


def test_a_short_list_of_seeds_goes_on_from_its_last():
    assert extend_seeds([7, 3], 5) == (7, 3, 4, 5, 6)
    assert extend_seeds(ORIGINAL_PARAM_SEEDS, 10)[8:] == (1004, 1005)
    assert extend_seeds(ORIGINAL_DATA_SEEDS, 3) == (11001, 11012, 11010)


def test_centred_labels_have_the_mean_0_on_the_training_examples():
    (plain,), (centred,) = (two_layer_tasks(1, 4, 300, 50, seed=2, centred=c) for c in (False, True))
    mean = plain.y_train.mean()
    assert abs(mean) > 0.01 and abs(centred.y_train.mean()) < 1e-12
    assert np.allclose(centred.y_valid, plain.y_valid - mean) and np.array_equal(
        centred.x_train, plain.x_train
    )


def test_noise_changes_labels_by_its_standard_deviation_and_leaves_features():
    (clean,) = linear_tasks(1, 4, 20_000, 10, seed=2)
    (noisy,) = linear_tasks(1, 4, 20_000, 10, seed=2, noise=0.3)
    assert np.array_equal(clean.x_train, noisy.x_train)
    difference = noisy.y_train - clean.y_train
    assert abs(difference.std() - 0.3) < 0.01 and abs(difference.mean()) < 0.01


def test_classification_is_the_sign_of_the_regression_output():
    for teacher in TEACHERS:
        regression = teacher_tasks(teacher, 4, 5, 200, 100, seed=4)
        classes = teacher_tasks(teacher, 4, 5, 200, 100, seed=4, metric="accuracy")
        for a, b in zip(regression, classes, strict=True):
            assert np.array_equal(b.y_train, (a.y_train > 0).astype(float))
            assert b.metric == "accuracy"


def test_sets_of_a_split_share_no_example_and_no_teacher():
    split = TeacherTasks("linear", 4, n_search=4, n_select=5, n_test=6).split(9)
    assert [len(tasks) for _, tasks in split.sets()] == [4, 5, 6]
    assert [tasks[0].n_train for _, tasks in split.sets()] == [100, 1000, 1000]
    seen: set[bytes] = set()
    for _, tasks in split.sets():
        for task in tasks:
            rows = {row.tobytes() for row in x_and_y(task)[0]}
            assert len(rows) == task.n_train + task.n_valid
            assert not rows & seen
            seen |= rows
    assert len(set(split.provenance["param_seeds"])) == 15


def test_redrawn_search_tasks_have_seeds_that_no_other_task_has():
    source = TeacherTasks("affine", 4, n_search=4, n_select=5, n_test=6)
    splits = [source.split(9, redraw) for redraw in range(4)]
    for split in splits[1:]:
        assert split.provenance["data_seeds"][4:] == splits[0].provenance["data_seeds"][4:]
        for a, b in zip((*split.select, *split.test), (*splits[0].select, *splits[0].test), strict=True):
            assert np.array_equal(a.x_train, b.x_train) and np.array_equal(a.y_valid, b.y_valid)
    for kind in ("data_seeds", "param_seeds"):
        seeds = [seed for split in splits for seed in split.provenance[kind][:4]]
        assert len({*seeds, *splits[0].provenance[kind][4:]}) == 4 * 4 + 11
    with pytest.raises(AzgenError, match="redraw is -1"):
        TeacherTasks("linear").split(0, redraw=-1)


def test_one_feature_is_enough_but_for_the_zeroed_teacher():
    for teacher in ("linear", "affine", "two-layer-live"):
        assert teacher_tasks(teacher, 1, 1, 10, 10)[0].n_features == 1
    with pytest.raises(AzgenError, match="n_features is 2; the two-layer teacher needs at least 3"):
        two_layer_tasks(1, 2, 10, 10)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"teacher": "cubic"}, "no teacher is called 'cubic'"),
        ({"n_tasks": 0}, "n_tasks is 0"),
        ({"n_train": 0}, "n_train is 0"),
        ({"n_valid": -1}, "n_valid is -1"),
        ({"n_features": 0}, "n_features is 0"),
        ({"seed": -1}, "the seed is -1"),
        ({"noise": -0.1}, "noise is -0.1"),
        ({"noise": float("nan")}, "noise is nan"),
        ({"data_seeds": []}, "the list of seeds is empty"),
        ({"param_seeds": [-4]}, "a seed is -4"),
    ],
)
def test_arguments_out_of_range(arguments, words):
    good = {"teacher": "linear", "n_tasks": 2, "n_features": 4, "n_train": 10, "n_valid": 10}
    with pytest.raises(AzgenError) as caught:
        teacher_tasks(**{**good, **arguments})
    assert words in str(caught.value)


@pytest.mark.parametrize("metric", ["accuracy", "balanced-accuracy", "log-loss", "r2"])
def test_labels_suit_the_metric(metric):
    plain = linear_tasks(2, 4, 50, 20, seed=3)
    tasks = linear_tasks(2, 4, 50, 20, seed=3, metric=metric)
    for task, other in zip(tasks, plain, strict=True):
        assert task.metric == metric
        labels = other.y_valid if metric == "r2" else (other.y_valid > 0)
        assert np.array_equal(task.y_valid, labels)


def test_fresh_tasks_are_like_selection_tasks_and_others_than_any_of_the_run():
    source = TeacherTasks(n_features=4, n_search=3, n_select=5, n_test=4, n_fresh=7)
    split, fresh = source.split(1), source.fresh(1)
    names = {task.name for task in (*split.search, *split.select, *split.test, *source.search(1, redraw=5))}
    assert len(fresh) == 7
    assert not names & {task.name for task in fresh}
    assert {task.x_train.shape for task in fresh} == {split.select[0].x_train.shape}
    assert not TeacherTasks(n_features=4).fresh(1)
