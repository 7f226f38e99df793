"""Projected class pairs: no shared pair, no shared example, standardisation, the same on every machine."""

from itertools import combinations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from azgen.errors import AzgenError
from azgen.tasks import ORIGINAL_SELECT_PAIRS, ORIGINAL_TEST_PAIRS, load_data_set
from azgen.tasks.projection import project
from tests.tasks.labelled import image_tasks


@pytest.fixture(scope="module")
def digits():
    return load_data_set("digits")


@pytest.fixture(scope="module")
def split(digits):
    return image_tasks(digits.x, digits.y, seed=1)


def coded(n_per_class, n_classes=5, seed=0):
    """Examples whose 64 values are random bits: the signs of a standardised row tell which example it was."""
    y = np.repeat(np.arange(n_classes), n_per_class)
    return np.random.default_rng(seed).integers(0, 2, (len(y), 64)), y


def decode(rows, x):
    """Which examples of `coded` some standardised rows are; a standardised 1 is positive and a 0 negative."""
    number_of = {bits.tobytes(): number for number, bits in enumerate(x == 1)}
    return [number_of[bits.tobytes()] for bits in rows > 0]


def test_digits_have_45_pairs_27_9_9(split):
    pairs = split.provenance["pairs"]
    assert [len(pairs[name]) for name in ("search", "select", "test")] == [27, 9, 9]
    every = [tuple(pair) for name in pairs for pair in pairs[name]]
    assert sorted(every) == list(combinations(range(10), 2))


def test_tasks_of_a_set_agree_in_shape_and_are_balanced(split):
    for _, tasks in split.sets():
        assert len({task.shape_key for task in tasks}) == 1
        for task in tasks:
            assert task.y_train.mean() == 0.5 and task.y_valid.mean() == 0.5
            assert task.n_features == 16 and task.metric == "accuracy"


def test_label_1_is_the_smaller_class():
    x, y = coded(40)
    for name, tasks in (split := image_tasks(x, y, n_features=0, seed=0)).sets():
        for number, task in enumerate(tasks):
            pairs = split.provenance["pairs"][name]
            smaller, larger = pairs[number % len(pairs)]
            assert smaller < larger
            for rows, labels in ((task.x_train, task.y_train), (task.x_valid, task.y_valid)):
                assert np.array_equal(y[decode(rows, x)], np.where(labels == 1, smaller, larger))


def test_features_are_standardised_by_training_statistics_alone(split):
    for _, tasks in split.sets():
        for task in tasks:
            assert np.abs(task.x_train.mean(axis=0)).max() < 1e-12
            assert np.abs(task.x_train.std(axis=0) - 1).max() < 1e-12
            assert np.abs(task.x_valid.mean(axis=0)).max() > 1e-3  # validation has statistics of its own


def used_examples(split, x):
    used = {}
    for name, tasks in split.sets():
        used[name] = set()
        for task in tasks:
            train, valid = decode(task.x_train, x), decode(task.x_valid, x)
            assert (
                len(set(train) | set(valid)) == task.n_train + task.n_valid
            )  # none twice, none in both parts
            used[name] |= {*train, *valid}
    return used


def test_sets_share_no_example():
    x, y = coded(60)
    used = used_examples(image_tasks(x, y, n_features=0, n_search=8, n_select=4, n_test=6, seed=3), x)
    assert not used["search"] & used["select"]
    assert not used["search"] & used["test"]
    assert not used["select"] & used["test"]
    assert len(used["search"]) > len(used["test"]) > len(used["select"]) > 0


def test_redrawn_search_tasks_stay_within_the_search_sets_share():
    x, y = coded(60)
    first, again = (image_tasks(x, y, n_features=0, n_train=20, n_search=8, seed=3, redraw=n) for n in (0, 1))
    assert first.provenance["pairs"] == again.provenance["pairs"]
    for a, b in zip((*first.select, *first.test), (*again.select, *again.test), strict=True):
        assert np.array_equal(a.x_train, b.x_train) and np.array_equal(a.x_valid, b.x_valid)
    assert not any(
        np.array_equal(a.x_train, b.x_train) for a, b in zip(first.search, again.search, strict=True)
    )
    used = used_examples(again, x)
    assert not used["search"] & (used["select"] | used["test"] | used_examples(first, x)["test"])


def test_a_data_sets_own_test_part_is_for_test_tasks_alone():
    x, y = coded(60)
    own_test = np.flatnonzero(np.arange(len(y)) % 4 == 3)
    split = image_tasks(x, y, n_features=0, own_test=own_test, n_search=20, n_test=20, seed=3)
    used = used_examples(split, x)
    assert used["test"] <= set(own_test)
    assert not (used["search"] | used["select"]) & set(own_test)
    assert not used["search"] & used["select"]


def test_projection_is_gaussian(digits):
    rows = np.arange(1000)
    x = np.eye(1000, 1000)  # projecting the identity shows the matrix itself
    matrix = []

    class Recorder:
        def __init__(self):
            self.random = np.random.default_rng(0)

        def standard_normal(self, shape):
            matrix.append(self.random.standard_normal(shape))
            return matrix[-1]

    train, valid = project(x, rows, rows[:10], 8, Recorder())
    (drawn,) = matrix
    assert drawn.shape == (1000, 8)
    expected = (drawn - drawn.mean(axis=0)) / drawn.std(axis=0)
    assert np.abs(train - expected).max() < 1e-5  # drawn numbers are rounded to 2 ** -20
    assert np.array_equal(valid, train[:10])
    assert abs(train.mean()) < 1e-12
    assert abs((expected**4).mean() - 3) < 0.3


def test_projected_whole_numbers_do_not_depend_on_the_order_of_summation(digits):
    """Reversing the pixels and the matrix's rows changes a BLAS's order of summation, but no result."""
    rows = np.arange(500)

    class Reversed:
        def standard_normal(self, shape):
            return np.random.default_rng(5).standard_normal(shape)[::-1]

    forward, _ = project(digits.x, rows, rows[:5], 16, np.random.default_rng(5))
    backward, _ = project(digits.x[:, ::-1], rows, rows[:5], 16, Reversed())
    assert np.array_equal(forward, backward)


def test_constant_columns_become_zero():
    x, y = coded(30, n_classes=3)
    x[:, 5] = 200
    split = image_tasks(x, y, n_features=0, n_search=1, n_select=1, n_test=1)
    for _, (task,) in split.sets():
        assert (task.x_train[:, 5] == 0).all() and (task.x_valid[:, 5] == 0).all()
    flat = np.full((90, 4), 7)
    task = image_tasks(flat, y, n_features=3, n_search=1, n_select=1, n_test=1).search[0]
    assert (task.x_train == 0).all() and (task.x_valid == 0).all()


def test_the_seed_fixes_everything_and_another_changes_everything(digits, split):
    again = image_tasks(digits.x, digits.y, seed=1)
    other = image_tasks(digits.x, digits.y, seed=2)
    assert again.provenance == split.provenance != other.provenance
    for (_, a), (_, b), (_, c) in zip(split.sets(), again.sets(), other.sets(), strict=True):
        for one, same, different in zip(a, b, c, strict=True):
            assert np.array_equal(one.x_train, same.x_train) and np.array_equal(one.y_valid, same.y_valid)
            assert not np.array_equal(one.x_train[0], different.x_train[0])


def test_a_pair_used_again_gets_another_projection(digits):
    split = image_tasks(digits.x, digits.y, n_search=54, seed=1)
    assert split.search[0].name.split(",")[0] == split.search[27].name.split(",")[0]
    assert not np.array_equal(split.search[0].x_train, split.search[27].x_train)


def test_the_originals_held_out_pairs(digits):
    pairs = {"select": ORIGINAL_SELECT_PAIRS, "test": ORIGINAL_TEST_PAIRS}
    split = image_tasks(digits.x, digits.y, pairs=pairs, seed=1)
    listed = split.provenance["pairs"]
    assert sorted(map(tuple, listed["select"])) == sorted(ORIGINAL_SELECT_PAIRS)
    assert len(listed["search"]) == 36
    assert not {tuple(p) for p in listed["search"]} & {*ORIGINAL_SELECT_PAIRS, *ORIGINAL_TEST_PAIRS}


def test_sizes_per_set(digits):
    split = image_tasks(digits.x, digits.y, n_train=(100, 40, 60), n_valid=(20, 10, 30))
    assert [tasks[0].n_train for _, tasks in split.sets()] == [100, 40, 60]
    assert [tasks[0].n_valid for _, tasks in split.sets()] == [20, 10, 30]


def test_digits_can_be_learned_and_shuffled_labels_cannot(digits):
    def accuracy(tasks):
        fits = [LogisticRegression().fit(task.x_train, task.y_train) for task in tasks]
        return np.mean([fit.score(task.x_valid, task.y_valid) for fit, task in zip(fits, tasks, strict=True)])

    # 16 random directions of 64 pixels keep most of what tells two digits apart.
    assert accuracy(image_tasks(digits.x, digits.y, n_test=18, seed=4).test) > 0.9
    shuffled = np.random.default_rng(0).permutation(digits.y)
    tasks = image_tasks(digits.x, shuffled, n_test=20, seed=4).test
    n = sum(task.n_valid for task in tasks)
    assert abs(accuracy(tasks) - 0.5) < 5 * np.sqrt(0.25 / n) * 2  # tasks share examples, so twice the error


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"n_features": -1}, "n_features is -1; it must be at least 0"),
        ({"n_search": 0}, "n_search is 0; it must be at least 1"),
        ({"n_train": 3}, "n_train is 3; it must be an even number"),
        ({"n_valid": (2, 0, 2)}, "n_valid is 0"),
        ({"n_train": 400}, "of each class, but class"),
        ({"fractions": (0.5, 0.5, 0.5)}, "fractions are"),
        ({"fractions": (1.0, 0.0, 0.0)}, "fractions are"),
        ({"redraw": -1}, "redraw is -1"),
        ({"seed": -3}, "the seed is -3"),
        ({"pairs": {"search": [(0, 0)]}}, "(0, 0) is no pair"),
        ({"pairs": {"search": [(0, 77)]}}, "(0, 77) is no pair"),
        ({"pairs": {"search": [(0, 1)], "test": [(1, 0)]}}, "named twice"),
        ({"pairs": {"find": [(0, 1)]}}, "pairs names a set 'find'"),
        ({"pairs": {"test": []}}, "too few for search"),
        ({"own_test": [5000]}, "own_test must name rows from 0 to 1796"),
        ({"class_names": ["zero", "one"]}, "2 class names do not cover the classes 0 to 9"),
        ({"y": np.zeros(1797)}, "one whole number per example is needed"),
        ({"y": np.zeros(5, dtype=int)}, "one whole number per example is needed"),
        ({"y": np.arange(1797) % 2}, "at least three classes"),
        ({"x": np.full((1797, 4), np.nan)}, "NaN or infinity"),
        ({"x": np.full((1797, 4), "a")}, "rows of numbers are needed"),
    ],
)
def test_arguments_out_of_range(digits, arguments, words):
    with pytest.raises(AzgenError) as caught:
        image_tasks(**{"x": digits.x, "y": digits.y, **arguments})
    assert words in str(caught.value)


def test_tasks_that_do_not_fit_into_memory_are_refused_at_once(digits):
    with pytest.raises(AzgenError, match="of memory"):
        image_tasks(digits.x, digits.y, n_features=10_000_000_000)
