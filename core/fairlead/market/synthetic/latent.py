"""Move the price that nobody sees: diffusion, jumps, trends, and how busy the market is.

The latent ("efficient") price is a Brownian motion plus jumps, as in Merton (1976), "Option
pricing when underlying stock returns are discontinuous", with a slope that is drawn anew from
time to time, so that trends come and go. Its clock runs with the market's activity, the product
of a short-lived and a long-lived lognormal part: returns are fat-tailed and volatility clusters
because busy and quiet moments do (Clark 1973, "A subordinated stochastic process model with
finite variance for speculative prices").
"""

from __future__ import annotations

from math import exp, log, sqrt
from typing import TYPE_CHECKING

from fairlead.market.synthetic.preset import Preset

if TYPE_CHECKING:
    from random import Random  # sim-ok: the type only; the source's context makes generators

__all__ = ["LatentPrice"]

_FAST_S = 0.3
_SLOW_S = 30.0
_MOST_ACTIVITY = 20.0


class _Level:
    """One part of log activity: an AR(1) process around 0."""

    __slots__ = ("_keep", "_noise", "value")

    def __init__(self, deviation: float, lasts_s: float, step_s: float, first: float) -> None:
        self._keep = exp(-step_s / lasts_s)
        self._noise = deviation * sqrt(1 - self._keep**2)
        self.value = deviation * first

    def step(self, shock: float) -> float:
        """Go on by one step and give the new value; ``shock`` is standard normal."""
        self.value = self._keep * self.value + self._noise * shock
        return self.value


class LatentPrice:
    """The price, in ticks, that the informed know and the makers learn with a lag."""

    __slots__ = (
        "_drift",
        "_fast",
        "_gauss",
        "_jump",
        "_jump_ticks",
        "_mean_log",
        "_random",
        "_sigma",
        "_slow",
        "_switch",
        "_trend",
        "_volatility",
        "activity",
        "ticks",
    )

    def __init__(self, preset: Preset, step_s: float, random: Random) -> None:
        ticks_per_bps = preset.ticks_per_bps
        self._random = random.random
        self._gauss = random.gauss
        self._volatility = self._sigma = preset.volatility_bps * ticks_per_bps
        self._trend = preset.trend_bps * ticks_per_bps
        self._switch = preset.trend_switches * step_s
        self._jump = preset.jumps * step_s
        self._jump_ticks = preset.jump_bps * ticks_per_bps
        self._fast = _Level(preset.fast_activity, _FAST_S, step_s, self._gauss())
        self._slow = _Level(preset.slow_activity, _SLOW_S, step_s, self._gauss())
        # A lognormal's mean is exp(variance / 2); taken off, activity has mean 1.
        self._mean_log = (preset.fast_activity**2 + preset.slow_activity**2) / 2
        self._drift = self._trend * self._gauss()
        #: The price in ticks, finer than one.
        self.ticks = preset.start_ticks + 0.5
        #: How busy the market is; 1 on average.
        self.activity = 1.0

    def begin_step(self) -> None:
        """Draw what changes once a step: activity, the trend, a jump."""
        gauss = self._gauss
        busy = self._fast.step(gauss()) + self._slow.step(gauss())
        self.activity = min(_MOST_ACTIVITY, exp(busy - self._mean_log))
        self._sigma = self._volatility * sqrt(self.activity)
        if self._random() < self._switch:
            self._drift = self._trend * gauss()
        if self._random() < self._jump:
            size = -self._jump_ticks * log(1 - self._random())
            self.ticks += size if self._random() < 0.5 else -size

    def advance(self, seconds: float) -> float:
        """Let the price diffuse for a while and give it."""
        self.ticks += self._drift * seconds + self._sigma * sqrt(seconds) * self._gauss()
        return self.ticks
