"""Measure drawdown on unitised net asset value, so that transfers neither win nor lose."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.model import ONE, ZERO

__all__ = ["Drawdown", "Nav", "NavState"]

_DAY_NS = 86_400_000_000_000


class Drawdown:
    """The deepest fall of a figure from its peak, as a share of the peak."""

    __slots__ = ("deepest", "now", "peak")

    def __init__(self) -> None:
        #: The highest figure seen; None before the first.
        self.peak: Decimal | None = None
        #: The fall now and the deepest so far, 0.05 = 5 % of the peak.
        self.now = ZERO
        self.deepest = ZERO

    def sample(self, figure: Decimal) -> None:
        """Note the figure's value now."""
        if self.peak is None or figure >= self.peak:
            self.peak = figure
            self.now = ZERO
        elif self.peak > 0:
            self.now = (self.peak - figure) / self.peak
            self.deepest = max(self.deepest, self.now)


class NavState(msgspec.Struct, frozen=True, gc=False):
    """What of unitised equity outlives a run; values are of one unit."""

    units: Decimal
    now: Decimal
    peak: Decimal
    day: int
    day_start: Decimal
    day_peak: Decimal


class Nav:
    """Equity in units: a transfer buys or sells units at the value of the moment.

    One unit is the equity of the start, so without transfers a unit is worth the equity. Peak,
    day's start and day's peak are shown as equity: units now x their value per unit.
    """

    __slots__ = ("_day", "_day_offset_ns", "_day_peak", "_day_start", "_units", "drawdown", "now")

    def __init__(self, day_offset_ns: int = 0) -> None:
        self._day_offset_ns = day_offset_ns
        self._units = ONE
        self._day: int | None = None
        self._day_start: Decimal | None = None
        self._day_peak: Decimal | None = None
        #: The value of one unit at the last sample; None before the first.
        self.now: Decimal | None = None
        #: Drawdown of one unit.
        self.drawdown = Drawdown()

    @property
    def equity(self) -> Decimal | None:
        """Give the equity of the last sample."""
        return self._equity(self.now)

    @property
    def peak_equity(self) -> Decimal | None:
        """Give the highest equity, as if today's units had been there then."""
        return self._equity(self.drawdown.peak)

    @property
    def day_start_equity(self) -> Decimal | None:
        """Give the equity at the first sample of the day, transfers taken out."""
        return self._equity(self._day_start)

    @property
    def day_peak_equity(self) -> Decimal | None:
        """Give the day's highest equity, its start included, transfers taken out."""
        return self._equity(self._day_peak)

    @property
    def day(self) -> int | None:
        """Give the number of the trading day since the epoch; None before the first sample."""
        return self._day

    @property
    def state(self) -> NavState | None:
        """Give what outlives a run; None before the first sample."""
        drawdown, day = self.drawdown, self._day
        if self.now is None or drawdown.peak is None or day is None:
            return None
        start = self.now if self._day_start is None else self._day_start
        peak = self.now if self._day_peak is None else self._day_peak
        return NavState(self._units, self.now, drawdown.peak, day, start, peak)

    def restore(self, state: NavState, *, equity: Decimal | None = None) -> None:
        """Take up an earlier run's, before the first sample.

        With ``equity`` the account goes on at the value that a unit had last, whatever happened
        meanwhile; without it, what happened meanwhile counts.
        """
        self._units = state.units
        if equity is not None and equity > 0 and state.now > 0:
            self._units = equity / state.now
        self.now = state.now
        self.drawdown.peak = state.peak
        self._day, self._day_start, self._day_peak = state.day, state.day_start, state.day_peak

    def reset_peak(self) -> None:
        """Let the peak be where the account stands now: a person has looked into the fall."""
        self.drawdown.peak = self.now
        self.drawdown.now = ZERO

    def sample(self, at_ns: int, equity: Decimal) -> None:
        """Note the equity of an instant at which every mark is valid."""
        value = equity / self._units
        self.now = value
        self.drawdown.sample(value)
        day = (at_ns - self._day_offset_ns) // _DAY_NS
        if day != self._day or self._day_peak is None:
            self._day = day
            self._day_start = self._day_peak = value
        else:
            self._day_peak = max(self._day_peak, value)

    def transfer(self, before: Decimal, amount: Decimal) -> None:
        """Let a transfer worth ``amount`` in (positive) or out trade units; ``before`` = equity.

        An account that is empty before it cannot sell units; the next sample starts over.
        """
        if before > 0 and before + amount > 0:
            self._units = self._units * (before + amount) / before

    def _equity(self, value: Decimal | None) -> Decimal | None:
        return None if value is None else value * self._units
