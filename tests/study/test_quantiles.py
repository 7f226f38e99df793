"""Ends of confidence intervals, beside SciPy's."""

import pytest
from scipy.special import stdtrit
from scipy.stats import chi2

from azgen.study.quantiles import poisson, student_t


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 10, 30, 199, 200, 1000, 10**6])
def test_students_t(freedom):
    assert student_t(freedom) == pytest.approx(stdtrit(freedom, 0.975), rel=1e-11)


@pytest.mark.parametrize("count", [0, 1, 2, 10, 500, 100_000])
def test_the_interval_of_a_count(count):
    low, high = poisson(count)
    assert low == pytest.approx(chi2.ppf(0.025, 2 * count) / 2 if count else 0, rel=1e-9)
    assert high == pytest.approx(chi2.ppf(0.975, 2 * count + 2) / 2, rel=1e-9)
