"""Name the synthetic markets on offer and every figure they are made of.

The reasons for each figure stand in the explanation "The synthetic market". None was chosen so
that a strategy wins: `MAJOR` follows a recording of BTC/USDT, `MIDCAP` what is known of smaller
coins, and that whoever quotes at the best price earns about a maker's fee.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from types import MappingProxyType

__all__ = ["MAJOR", "MIDCAP", "PRESETS", "Preset", "Sizes"]


@dataclass(frozen=True, slots=True)
class Sizes:
    """A lognormal distribution of quantities, in base units."""

    median: float
    #: Standard deviation of the logarithm.
    spread: float


@dataclass(frozen=True, slots=True)
class Preset:
    """One synthetic market. Distances are in bps of the first price, rates per second."""

    name: str
    base: str
    quote: str
    price: Decimal
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    min_notional: Decimal

    # The latent price: what a perfectly informed trader would pay.
    #: Diffusion in bps per square root of a second, while activity is at its mean.
    volatility_bps: float
    jumps: float
    #: Mean absolute size of a jump.
    jump_bps: float
    #: Standard deviation of the trend's slope in bps per second, drawn anew at each switch.
    trend_bps: float
    trend_switches: float
    #: Standard deviations of log activity, in a part that lasts 0.3 s and one that lasts 30 s.
    fast_activity: float
    slow_activity: float

    # Takers.
    #: Uninformed market orders; each moves the latent price by `impact_bps` when it has the
    #: median size, by the square root of its size otherwise.
    takers: float
    taker_sizes: Sizes
    impact_bps: float
    #: How far behind the best price a taker's own limit stands.
    sweep_bps: float
    #: How often the informed look, what an opportunity must be worth to them, and what they take.
    informed: float
    informed_cost_bps: float
    informed_sizes: Sizes
    #: Median and spread of the pieces that one level is made of, one print each.
    order_sizes: Sizes

    # Makers.
    #: Time constant in seconds with which makers learn the latent price.
    lag: float
    #: How often they look for stale quotes, and how near to (or, below 0, how far beyond) their
    #: own price a quote may stand before it is stale.
    requotes: float
    stale_bps: float
    #: How near to their own price quotes may stand when the stale ones are cleared away.
    clear_bps: float
    #: The spread they keep, and how fast they fill one that is wider.
    natural_bps: float
    refills: float
    #: Orders that join or leave the best price of either side.
    touch_changes: float
    touch_sizes: Sizes

    # The book behind the best price.
    #: Median count of changed levels in one message while activity is at its mean.
    deep_changes: float
    #: Distance of changes from the best price: median, spread of the logarithm.
    deep_distance: Sizes
    #: Levels nearer than this many ticks are one level; grows by `spacing_growth` with distance.
    spacing_ticks: int
    spacing_growth: float
    #: Share of changes to a level that take it away.
    deep_removals: float
    level_sizes: Sizes
    #: Levels of a side in the snapshot, and the most it may come to hold.
    snapshot_levels: int
    most_levels: int

    minutes: int = 30

    @property
    def start_ticks(self) -> int:
        """Give the first price in ticks."""
        return int(self.price / self.tick)

    @property
    def ticks_per_bps(self) -> float:
        """Give one bps of the first price in ticks."""
        return self.start_ticks / 10_000


MAJOR = Preset(
    name="major",
    base="BTC",
    quote="USDT",
    price=Decimal("61700.00"),
    tick=Decimal("0.01"),
    lot=Decimal("0.00001"),
    min_quantity=Decimal("0.00001"),
    min_notional=Decimal(5),
    volatility_bps=0.75,
    jumps=1 / 20,
    jump_bps=3.0,
    trend_bps=0.04,
    trend_switches=1 / 60,
    fast_activity=1.1,
    slow_activity=0.5,
    takers=5.4,
    taker_sizes=Sizes(0.0034, 2.3),
    impact_bps=0.09,
    sweep_bps=1.0,
    informed=10.0,
    informed_cost_bps=0.15,
    informed_sizes=Sizes(0.02, 1.8),
    order_sizes=Sizes(0.012, 2.2),
    lag=0.05,
    requotes=6.0,
    stale_bps=-0.35,
    clear_bps=0.0,
    natural_bps=0.0016,
    refills=1500.0,
    touch_changes=94.0,
    touch_sizes=Sizes(0.2, 1.5),
    deep_changes=43.0,
    deep_distance=Sizes(4.2, 1.6),
    spacing_ticks=16,
    spacing_growth=0.001,
    deep_removals=0.75,
    level_sizes=Sizes(0.05, 1.6),
    snapshot_levels=1000,
    most_levels=2500,
)

MIDCAP = Preset(
    name="midcap",
    base="ALT",
    quote="USDT",
    price=Decimal("2.0000"),
    tick=Decimal("0.0001"),
    lot=Decimal(1),
    min_quantity=Decimal(1),
    min_notional=Decimal(10),
    volatility_bps=0.7,
    jumps=1 / 50,
    jump_bps=5.0,
    trend_bps=0.03,
    trend_switches=1 / 120,
    fast_activity=0.5,
    slow_activity=0.6,
    takers=0.6,
    taker_sizes=Sizes(60.0, 1.6),
    impact_bps=0.9,
    sweep_bps=30.0,
    informed=3.0,
    informed_cost_bps=1.0,
    informed_sizes=Sizes(600.0, 1.0),
    order_sizes=Sizes(60.0, 1.0),
    lag=2.0,
    requotes=1.0,
    stale_bps=1.5,
    clear_bps=3.0,
    natural_bps=8.0,
    refills=1.0,
    touch_changes=8.0,
    touch_sizes=Sizes(100.0, 0.9),
    deep_changes=7.0,
    deep_distance=Sizes(8.0, 1.2),
    spacing_ticks=0,
    spacing_growth=0.0,
    deep_removals=0.4,
    level_sizes=Sizes(150.0, 0.9),
    snapshot_levels=150,
    most_levels=400,
)

#: Every synthetic market by its name.
PRESETS = MappingProxyType({preset.name: preset for preset in (MAJOR, MIDCAP)})
