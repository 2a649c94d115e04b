"""Estimate means with their uncertainty: statistics, in floats, never money."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

__all__ = ["Estimate", "IncrementSeries", "WeightedMean", "student_95"]

_Z = 1.959963984540054
# The expansion below is poor for the first few degrees of freedom; these are exact.
_FEW = (12.7062, 4.3027, 3.1824, 2.7764, 2.5706, 2.4469, 2.3646, 2.3060, 2.2622, 2.2281)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean of ``n`` values with its 95 % interval; the bounds are None below two values."""

    n: int
    mean: float | None
    low: float | None
    high: float | None

    @property
    def half_width(self) -> float | None:
        """Give half the width of the interval."""
        return None if self.low is None or self.high is None else (self.high - self.low) / 2


def student_95(freedom: int) -> float:
    """Give the two-sided 95 % quantile of Student's t.

    Source: Cornish-Fisher expansion, Abramowitz and Stegun 26.7.5.
    """
    if freedom < 1:
        raise ValueError(f"{freedom} degrees of freedom")
    if freedom <= len(_FEW):
        return _FEW[freedom - 1]
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3


class WeightedMean:
    """A weighted mean and its interval from running sums; constant memory.

    The standard error of a ratio of sums: sqrt(Σ w²(v − mean)²) / Σ w, times n/(n − 1) under the
    root. It takes the values as independent; fills close together are less so, and the true
    interval is then wider.
    """

    __slots__ = ("_n", "_w", "_wv", "_ww", "_wwv", "_wwvv")

    def __init__(self) -> None:
        self._n = 0
        self._w = self._wv = self._ww = self._wwv = self._wwvv = 0.0

    def add(self, value: float, weight: float) -> None:
        """Take in a value; weights are above zero."""
        self._n += 1
        self._w += weight
        self._wv += weight * value
        square = weight * weight
        self._ww += square
        self._wwv += square * value
        self._wwvv += square * value * value

    @property
    def estimate(self) -> Estimate:
        """Give the mean and its interval."""
        if self._n == 0 or self._w <= 0:
            return Estimate(self._n, None, None, None)
        mean = self._wv / self._w
        if self._n < 2:
            return Estimate(self._n, mean, None, None)
        spread = max(self._wwvv - 2 * mean * self._wwv + mean * mean * self._ww, 0.0)
        error = sqrt(spread * self._n / (self._n - 1)) / self._w
        reach = student_95(self._n - 1) * error
        return Estimate(self._n, mean, mean - reach, mean + reach)


class IncrementSeries:
    """A running figure, watched once a minute: the worst minute and the interval of its total."""

    __slots__ = ("_last", "_mean", "_minute", "_n", "_squares", "_start_ns", "_step_ns", "worst")

    def __init__(self, step_ns: int = 60_000_000_000) -> None:
        self._step_ns = step_ns
        self._start_ns: int | None = None
        self._minute = 0
        self._last = 0.0
        self._n = 0
        self._mean = 0.0
        self._squares = 0.0
        #: The smallest increment of one full minute; None before the first.
        self.worst: float | None = None

    @property
    def minutes(self) -> int:
        """Give the number of full minutes seen."""
        return self._n

    def sample(self, at_ns: int, figure: float) -> None:
        """Note the figure's value now; cheap between minutes.

        A gap of several minutes without a sample counts as one.
        """
        if self._start_ns is None:
            self._start_ns = at_ns
            self._last = figure
            return
        minute = (at_ns - self._start_ns) // self._step_ns
        if minute <= self._minute:
            return
        self._minute = minute
        change, self._last = figure - self._last, figure
        self._n += 1
        drift = change - self._mean
        self._mean += drift / self._n
        self._squares += drift * (change - self._mean)
        if self.worst is None or change < self.worst:
            self.worst = change

    def total(self, figure: float) -> Estimate:
        """Give ``figure`` with the interval that its minutes' scatter leaves open."""
        if self._n < 2:
            return Estimate(self._n, figure, None, None)
        deviation = sqrt(self._squares / (self._n - 1))
        reach = student_95(self._n - 1) * deviation * sqrt(self._n)
        return Estimate(self._n, figure, figure - reach, figure + reach)
