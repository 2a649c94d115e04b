"""A synthetic market is a lawful market: same seed, same events; a book that is never crossed."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterable
from itertools import islice, pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.book import Book, BookResult
from fairlead.market import (
    FRAME_NS,
    MAJOR,
    MIDCAP,
    PRESETS,
    START_NS,
    OrderFlow,
    Preset,
)
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    ConstantStep,
    Level,
    MarketEvent,
    MarketId,
    Scale,
    Side,
    Trade,
)
from tests.fairlead.market.market_figures import context, synthetic

ROOT = Path(__file__).resolve().parents[3]
MARKET = MarketId("main", "ALT/USDT")
EVENTS = 4_000


def digest(events: Iterable[MarketEvent]) -> str:
    seen = hashlib.sha256()
    for event in events:
        seen.update(type(event).__name__.encode() + msgspec.json.encode(event))
    return seen.hexdigest()


def digest_of(argument: str, seed: int) -> str:
    return digest(islice(synthetic(argument, seed).events(), EVENTS))


def open_flow(preset: Preset, seed: int) -> tuple[OrderFlow, list[MarketEvent]]:
    flow = OrderFlow(preset, MARKET, Scale(4, 0), context(seed).random)
    return flow, list(flow.open(START_NS))


def best_first(levels: Iterable[Level], side: Side) -> bool:
    prices = [price * side.sign for price, _ in levels]
    return all(better > worse for better, worse in pairwise(prices))


presets = st.sampled_from(list(PRESETS.values()))
seeds = st.integers(0, 2**32)


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", PRESETS)
def test_the_same_seed_gives_the_same_events(name: str) -> None:
    assert digest_of(name, seed=7) == digest_of(name, seed=7)


@pytest.mark.unmeasured
@pytest.mark.parametrize("name", PRESETS)
def test_another_seed_gives_another_market(name: str) -> None:
    assert digest_of(name, seed=7) != digest_of(name, seed=8)


@pytest.mark.unmeasured
def test_one_source_tells_the_same_story_twice() -> None:
    source = synthetic("midcap", 7)

    first, second = (digest(islice(source.events(), EVENTS)) for _ in range(2))

    assert first == second


@pytest.mark.unmeasured
def test_the_order_of_hashes_changes_nothing() -> None:
    program = (
        "from tests.fairlead.market.test_synthetic_source import digest_of\n"
        "print(digest_of('midcap', 7), digest_of('major', 7))"
    )

    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout.split()
        for salt in ("1", "2")
    ]

    assert outputs == [[digest_of("midcap", 7), digest_of("major", 7)]] * 2


@pytest.mark.unmeasured
@given(preset=presets, seed=seeds)
@settings(max_examples=30)
def test_the_book_is_never_crossed_and_never_one_sided(preset: Preset, seed: int) -> None:
    flow, _ = open_flow(preset, seed)

    for frame in range(50):
        for event in flow.frame(START_NS + frame * FRAME_NS):
            if isinstance(event, BestQuote):
                assert event.bid < event.ask
                assert min(event.bid, event.bid_quantity, event.ask_quantity) > 0
        assert len(flow.bids.keys) >= 5
        assert len(flow.asks.keys) >= 5
        assert flow.bids.keys[-1] + flow.asks.keys[-1] < 0


@given(preset=presets, seed=seeds)
@settings(max_examples=12)
def test_a_book_rebuilt_from_diffs_is_the_book_that_made_them(preset: Preset, seed: int) -> None:
    source = synthetic(preset.name, seed)
    flow, opening = open_flow(preset, seed)
    book = Book(MARKET, source.market().sequence)
    assert isinstance(opening[0], BookSnapshot)
    assert book.on_snapshot(opening[0]) is BookResult.APPLIED

    for frame in range(50):
        for event in flow.frame(START_NS + frame * FRAME_NS):
            if isinstance(event, BookDiff):
                assert book.on_diff(event) is BookResult.APPLIED

    assert tuple(book.levels(Side.BUY)) == flow.bids.levels()
    assert tuple(book.levels(Side.SELL)) == flow.asks.levels()


@pytest.mark.unmeasured
@given(preset=presets, seed=seeds)
@settings(max_examples=12)
def test_ids_follow_one_another_and_time_never_goes_back(preset: Preset, seed: int) -> None:
    events = list(islice(synthetic(preset.name, seed).events(), 1_500))

    diffs = [event for event in events if isinstance(event, BookDiff)]
    trades = [int(event.trade_id) for event in events if isinstance(event, Trade)]

    assert isinstance(events[0], BookSnapshot)
    assert events[0].local_ns == START_NS
    assert diffs[0].first_id == events[0].last_id + 1
    assert all(one.last_id + 1 == two.first_id for one, two in pairwise(diffs))
    assert all(diff.first_id <= diff.last_id for diff in diffs)
    assert trades == list(range(1, len(trades) + 1))
    assert all(one.local_ns <= two.local_ns for one, two in pairwise(events))


@given(preset=presets, seed=seeds)
@settings(max_examples=12)
def test_every_level_is_written_once_and_best_first(preset: Preset, seed: int) -> None:
    for event in islice(synthetic(preset.name, seed).events(), 1_000):
        if isinstance(event, BookDiff | BookSnapshot):
            assert best_first(event.bids, Side.BUY)
            assert best_first(event.asks, Side.SELL)
            assert all(price > 0 for price, _ in (*event.bids, *event.asks))
            assert all(quantity >= 0 for _, quantity in (*event.bids, *event.asks))
        elif isinstance(event, Trade):
            assert event.price > 0
            assert event.quantity > 0


@pytest.mark.unmeasured
@given(preset=presets, seed=seeds)
@settings(max_examples=12)
def test_a_best_quote_agrees_with_the_diff_that_ends_at_its_id(preset: Preset, seed: int) -> None:
    book = Book(MARKET, synthetic(preset.name, seed).market().sequence)
    latest: BestQuote | None = None
    compared = 0

    for event in islice(synthetic(preset.name, seed).events(), 3_000):
        if isinstance(event, BookSnapshot):
            book.on_snapshot(event)
        elif isinstance(event, BestQuote):
            latest = event
        elif isinstance(event, BookDiff):
            book.on_diff(event)
            if latest is not None and latest.update_id == event.last_id:
                bid, ask = next(book.levels(Side.BUY)), next(book.levels(Side.SELL))
                assert (latest.bid, latest.bid_quantity, latest.ask, latest.ask_quantity) == (
                    *bid,
                    *ask,
                )
                compared += 1

    assert compared > 0


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_prints_take_what_the_book_shows(preset: Preset) -> None:
    """All prints of one moment at one price are no more than the best quote before them."""
    before: BestQuote | None = None
    first: tuple[int, int] | None = None
    taken = 0

    for event in islice(synthetic(preset.name, 3).events(), 20_000):
        if isinstance(event, BestQuote):
            before, first = event, None
        elif isinstance(event, Trade):
            assert before is not None
            buys = event.side is Side.BUY
            price, shown = (
                (before.ask, before.ask_quantity) if buys else (before.bid, before.bid_quantity)
            )
            key = (event.local_ns, event.price)
            taken = taken + event.quantity if key == first else event.quantity
            if first is None or key == first:
                assert event.price == price
                assert taken <= shown
                first = key
            else:
                assert (event.price - price) * event.side.sign >= 0


def test_a_source_describes_its_market() -> None:
    source = synthetic("midcap", 1)

    hint = source.market()

    assert source.name == "synthetic:midcap"
    assert (hint.symbol, hint.base, hint.quote) == ("ALT/USDT", "ALT", "USDT")
    assert hint.grid == ConstantStep(MIDCAP.tick)
    assert (hint.lot, hint.min_quantity, hint.min_notional) == (
        MIDCAP.lot,
        MIDCAP.min_quantity,
        MIDCAP.min_notional,
    )
    assert (hint.scale.price_decimals, hint.scale.quantity_decimals) == (4, 0)
    assert not hint.derived


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_an_integer_price_counts_ticks_and_an_integer_quantity_lots(preset: Preset) -> None:
    scale = synthetic(preset.name, 1).market().scale

    assert scale.price(1) == preset.tick
    assert scale.quantity(1) == preset.lot


@pytest.mark.parametrize(
    ("argument", "minutes"), [("midcap", 30), ("major", 30), ("midcap?minutes=1", 1)]
)
def test_a_market_lasts_as_long_as_it_says(argument: str, minutes: int) -> None:
    source = synthetic(argument, 1)

    assert source.starts_ns == START_NS
    assert source.duration_ns == minutes * 60 * 1_000_000_000


def test_the_last_event_comes_at_the_end() -> None:
    source = synthetic("midcap?minutes=1", 1)

    *_, last = source.events()

    assert last.local_ns == START_NS + source.duration_ns


@pytest.mark.parametrize(
    "argument",
    ["", "mid", "midcap?", "midcap?hours=2", "midcap?minutes=", "midcap?minutes=1.5", "MIDCAP"],
)
def test_an_unknown_market_is_refused_with_what_would_be_right(argument: str) -> None:
    with pytest.raises(ValueError, match=r'"major" or "midcap".*"midcap\?minutes=120"') as caught:
        synthetic(argument, 1)

    assert repr(argument) in str(caught.value)


@pytest.mark.parametrize("minutes", ["0", "10081"])
def test_a_length_out_of_bounds_is_refused(minutes: str) -> None:
    with pytest.raises(ValueError, match="write 1 to 10080"):
        synthetic(f"midcap?minutes={minutes}", 1)


def test_a_side_never_grows_beyond_its_bound() -> None:
    crowded = MAJOR.most_levels
    flow, _ = open_flow(MAJOR, 5)

    for level in range(crowded + 500):
        flow.bids.put(-10_000_000 - level, 1)
    flow.frame(START_NS)

    assert len(flow.bids.keys) <= crowded + 50
    assert flow.bids.keys == sorted(flow.bids.keys)
