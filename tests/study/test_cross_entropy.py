"""The cross-entropy method finds what is best, and says so when nothing is any good."""

import numpy as np
import pytest

from azgen.study.cross_entropy import cross_entropy


def search(rate, middle, sizes=(96, *[32] * 12), deviation=1.6, seed=0):
    return cross_entropy(rate, np.array(middle), deviation, sizes, np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_it_finds_the_best_setting(seed):
    best = np.array([2.0, -1.0, 0.5])
    found = search(lambda x: np.exp(-((x - best) ** 2).sum(axis=1)), [0.0, 0.0, 0.0], seed=seed)
    np.testing.assert_allclose(found, best, atol=0.15)


def test_a_lucky_setting_is_not_preferred_to_the_middle_of_the_best():
    """With noise in the fitness the best drawn setting is farther from the truth than the middle is."""
    noise = np.random.default_rng(1)
    distances = []
    for seed in range(20):
        seen = []

        def rate(x, seen=seen):
            fitness = np.clip(0.9 - 0.01 * (x**2).sum(axis=1) + noise.normal(0, 3e-4, len(x)), 0, 1)
            seen.append((x, fitness))
            return fitness

        found = search(rate, [1.0, -1.0], sizes=(96, 32, 32, 32), seed=seed)
        drawn, fitness = (np.concatenate(part) for part in zip(*seen, strict=True))
        distances.append((np.linalg.norm(found), np.linalg.norm(drawn[fitness.argmax()])))
    middle, lucky = np.mean(distances, axis=0)
    assert middle < lucky


def test_settings_that_fail_are_left_behind_and_total_failure_changes_nothing():
    found = search(lambda x: np.where(x[:, 0] > 1.0, 1.0 / (1.0 + x[:, 0] ** 2), 0.0), [0.0])
    assert 1.0 < found[0] < 1.5
    calls = []
    given = search(lambda x: calls.append(len(x)) or np.zeros(len(x)), [3.0, 4.0])
    np.testing.assert_array_equal(given, [3.0, 4.0])
    assert calls == [96], "nothing is tried near settings that all fail"
