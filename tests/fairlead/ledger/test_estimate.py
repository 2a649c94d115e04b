from math import isclose, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import Estimate, IncrementSeries, WeightedMean, student_95

MINUTE = 60_000_000_000
values = st.floats(-100, 100)
weights = st.floats(0.01, 1000)


@pytest.mark.parametrize(
    ("freedom", "quantile"),
    [(1, 12.7062), (2, 4.3027), (6, 2.4469), (11, 2.2010), (30, 2.0423), (1000, 1.9623)],
)
def test_students_quantiles_agree_with_the_tables(freedom: int, quantile: float) -> None:
    assert isclose(student_95(freedom), quantile, rel_tol=2e-4)


def test_no_freedom_has_no_quantile() -> None:
    with pytest.raises(ValueError, match="freedom"):
        student_95(0)


@given(st.lists(st.tuples(values, weights), min_size=2, max_size=40))
def test_running_sums_give_the_same_as_the_formula_over_all_values(
    pairs: list[tuple[float, float]],
) -> None:
    mean = WeightedMean()

    for value, weight in pairs:
        mean.add(value, weight)

    whole = sum(weight for _, weight in pairs)
    centre = sum(value * weight for value, weight in pairs) / whole
    n = len(pairs)
    error = sqrt(sum((w * (v - centre)) ** 2 for v, w in pairs) * n / (n - 1)) / whole
    estimate = mean.estimate
    assert estimate.mean is not None
    assert estimate.half_width is not None
    assert isclose(estimate.mean, centre, abs_tol=1e-9)
    assert isclose(estimate.half_width, student_95(n - 1) * error, rel_tol=1e-3, abs_tol=1e-4)


def test_equal_weights_give_the_common_interval() -> None:
    mean = WeightedMean()
    for value in (1.0, 2.0, 3.0, 4.0):
        mean.add(value, 5.0)

    half = mean.estimate.half_width

    assert half is not None
    assert isclose(half, 3.1824 * sqrt(5 / 3) / 2)


def test_too_few_values_have_no_interval() -> None:
    mean = WeightedMean()
    assert mean.estimate == Estimate(0, None, None, None)

    mean.add(3.0, 1.0)

    assert mean.estimate == Estimate(1, 3.0, None, None)
    assert mean.estimate.half_width is None


def test_the_worst_minute_is_the_smallest_change_between_full_minutes() -> None:
    series = IncrementSeries()
    for second, figure in ((0, 10.0), (30, 0.0), (60, 12.0), (90, 50.0), (120, 9.0), (150, -99.0)):
        series.sample(second * MINUTE // 60, figure)

    assert series.minutes == 2
    assert series.worst == -3.0


def test_the_interval_of_a_total_grows_with_the_root_of_its_minutes() -> None:
    series = IncrementSeries()
    figure = 0.0
    for minute in range(5):
        series.sample(minute * MINUTE, figure)
        figure += 3.0 if minute % 2 == 0 else 1.0

    total = series.total(9.0)

    # increments 3, 1, 3, 1: mean 2, deviation sqrt(4/3)
    assert total.n == 4
    assert total.mean == 9.0
    assert total.half_width is not None
    assert isclose(total.half_width, 3.1824 * sqrt(4 / 3) * 2)


def test_one_minute_leaves_the_total_without_an_interval() -> None:
    series = IncrementSeries()
    series.sample(0, 0.0)
    series.sample(MINUTE, 1.0)

    assert series.total(1.0) == Estimate(1, 1.0, None, None)
    assert IncrementSeries().worst is None


def test_a_gap_of_minutes_counts_as_one_increment() -> None:
    series = IncrementSeries()
    series.sample(0, 0.0)
    series.sample(7 * MINUTE, 4.0)

    assert series.minutes == 1
