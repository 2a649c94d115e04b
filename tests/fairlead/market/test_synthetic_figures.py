"""The synthetic markets stay what the documents say of them, and never become a gift."""

from collections.abc import Mapping
from pathlib import Path
from statistics import fmean

import pytest

from fairlead.api import MarketHint
from fairlead.market import RecordedSource
from fairlead.model import MarketEvent
from tests.fairlead.market.market_figures import (
    Figures,
    Quoter,
    context,
    mean_figures,
    played,
)

RECORDING = ("spot_btcusdt_20240808.jsonl.gz", "spot_btcusdt_20240809.jsonl.gz")

#: Figure → what the recording of BTC/USDT shows, and by which factor `major` may differ.
RECORDED: Mapping[str, tuple[float, float]] = {
    "diffs a second": (9.98, 1.05),
    "prints a second": (30.6, 1.6),
    "best quotes a second": (112.5, 1.5),
    "taker orders a second": (11.3, 1.6),
    "autocorrelation of taker signs, lag 1": (0.424, 1.5),
    "levels in a diff, p50": (22.0, 1.6),
    "levels in a diff, p90": (104.0, 1.6),
    "levels in a diff, p99": (386.0, 1.8),
    "share of levels that vanish": (0.478, 1.2),
    "levels within 10 bps of the mid": (242.5, 1.3),
    "print size, mean": (0.022, 1.5),
    "volume a second": (0.673, 1.9),
    "quantity at the best price, p50": (1.14, 1.5),
    "spread in ticks, p50 of time": (1.0, 1.0),
    "spread in ticks, p99 of time": (1.0, 1.0),
    "share of time at one tick": (0.993, 1.02),
    "standard deviation of 1 s returns, bps": (1.18, 1.6),
    "standard deviation of 10 s returns, bps": (3.71, 1.6),
}

#: Figure → least and most that `midcap` may show.
MIDCAP_BANDS: Mapping[str, tuple[float, float]] = {
    "diffs a second": (9.0, 10.0),
    "prints a second": (1.0, 3.6),
    # A tick is half a bps: 8 bps are 16 ticks.
    "spread in ticks, p50 of time": (14.0, 18.0),
    # 60 to 110 % a year are 1.1 to 1.95 bps in a second, times the root of 60.
    "standard deviation of 60 s returns, bps": (8.3, 15.1),
}


Market = tuple[MarketHint, list[MarketEvent]]


@pytest.fixture(scope="module")
def majors() -> list[Market]:
    return [(hint, list(events)) for hint, events in played("major?minutes=3", (1, 2, 3))]


@pytest.fixture(scope="module")
def midcaps() -> list[Market]:
    return [(hint, list(events)) for hint, events in played("midcap", (1, 2))]


@pytest.fixture(scope="module")
def major(majors: list[Market]) -> Mapping[str, float]:
    return mean_figures(majors)


@pytest.fixture(scope="module")
def midcap(midcaps: list[Market]) -> Mapping[str, float]:
    return mean_figures(midcaps)


def markouts(markets: list[Market], distance_bps: float) -> list[float]:
    return [
        markout
        for _, events in markets
        for markout in Quoter(distance_bps).run(events).markouts(10)
    ]


@pytest.mark.unmeasured
@pytest.mark.parametrize("figure", RECORDED)
def test_the_major_market_looks_like_the_recorded_one(
    figure: str, major: Mapping[str, float]
) -> None:
    recorded, factor = RECORDED[figure]

    assert recorded / factor <= major[figure] <= recorded * factor


@pytest.mark.unmeasured
def test_the_figures_of_the_recording_are_those_it_is_compared_to(data_dir: Path) -> None:
    source = RecordedSource([data_dir / "binance_l2" / name for name in RECORDING], context(0))

    table = Figures(source.market(), source.events()).table

    for figure, (value, _) in RECORDED.items():
        assert table[figure] == pytest.approx(value, rel=0.01), figure


@pytest.mark.unmeasured
@pytest.mark.parametrize("figure", MIDCAP_BANDS)
def test_the_midcap_market_is_a_midcap_market(figure: str, midcap: Mapping[str, float]) -> None:
    least, most = MIDCAP_BANDS[figure]

    assert least <= midcap[figure] <= most


def test_who_quotes_too_tight_loses_to_those_who_know_more(
    majors: list[Market], midcaps: list[Market]
) -> None:
    for markets in (majors, midcaps):
        tight = markouts(markets, distance_bps=0.5)

        assert len(tight) > 200
        assert fmean(tight) < -0.25


def test_who_quotes_wide_is_paid_for_it(midcaps: list[Market]) -> None:
    wide = markouts(midcaps, distance_bps=8.0)

    assert len(wide) > 100
    assert fmean(wide) > 1.0


def test_quoting_at_the_best_price_earns_about_a_fee(midcaps: list[Market]) -> None:
    """Nobody earns much where everybody may quote: the best prices are 4 bps away, a fee is 2."""
    touch = markouts(midcaps, distance_bps=4.0)

    assert 1.0 < fmean(touch) < 3.2
