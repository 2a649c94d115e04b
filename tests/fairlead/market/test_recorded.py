import gzip
import json
import tracemalloc
from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest

from fairlead.api import DataSource, MarketHint, SourceContext
from fairlead.book import BINANCE_COINM, BINANCE_SPOT, BINANCE_USDM, SequenceRule
from fairlead.errors import FeedError
from fairlead.market import (
    BinanceKind,
    RecordedLines,
    RecordedSource,
    Recording,
    read_recording_head,
    recorded_source,
)
from fairlead.model import (
    BestQuote,
    BookDiff,
    BookSnapshot,
    ConstantStep,
    InstrumentKind,
    MarketEvent,
    MarketId,
    Scale,
    Trade,
)

T = 1723161253937085768
TRADE = (
    '{"stream":"x@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"1.50",'
    '"q":"2.0","m":true,"M":true}}'
)
SNAPSHOT = '{"lastUpdateId":9,"bids":[["1.50","4.0"],["1.20","6.0"]],"asks":[["1.80","8.0"]]}'


def no_chance(purpose: str) -> Random:
    raise AssertionError(f"a recording needs no chance for {purpose}")


def context(
    folder: Path = Path(), instruments: Mapping[str, Mapping[str, str]] | None = None
) -> SourceContext:
    return SourceContext("main", no_chance, folder, instruments or {})


def recording(path: Path, *messages: str) -> Path:
    lines = [f"{T + number} {message}\n" for number, message in enumerate(messages)]
    path.write_text("".join(lines))
    return path


def hint_of(path: Path, rules: Mapping[str, Mapping[str, str]] | None = None) -> MarketHint:
    return RecordedSource([path], context(instruments=rules)).market()


def kind_of(path: Path) -> BinanceKind:
    return read_recording_head(RecordedLines((path,))).kind


def test_a_source_gives_events_in_order_with_the_market_of_its_venue(tmp_path: Path) -> None:
    recording(tmp_path / "a", TRADE, '{"result":null}', SNAPSHOT)
    source: DataSource = recorded_source("a", context(tmp_path))

    events = list(source.events())

    assert [type(event) for event in events] == [Trade, BookSnapshot]
    assert [event.local_ns for event in events] == [T, T + 2]
    assert [event.market for event in events] == [MarketId("main", "BTC/USDT")] * 2
    assert list(source.events()) == events, "a source begins anew each time"


def test_a_source_is_named_by_its_files_without_folders(tmp_path: Path) -> None:
    source = recorded_source("deep/a.jsonl.gz, b.jsonl", context(tmp_path))

    assert source.name == "a, b"
    assert source.duration_ns is None


def test_a_source_knows_when_it_starts(tmp_path: Path) -> None:
    recording(tmp_path / "a", SNAPSHOT, TRADE)
    (tmp_path / "b").write_text("\n\n")

    assert recorded_source("a", context(tmp_path)).starts_ns == T
    with pytest.raises(FeedError, match="no usable message"):
        _ = recorded_source("b", context(tmp_path)).starts_ns


@pytest.mark.parametrize(
    "snapshot",
    [
        '{"lastUpdateId":9,"bids":[["1.50","x"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[],"asks":[]}',
    ],
    ids=["unreadable", "empty"],
)
def test_a_snapshot_without_levels_leaves_the_finest_decimals(
    tmp_path: Path, snapshot: str
) -> None:
    hint = hint_of(recording(tmp_path / "a", TRADE, snapshot))

    assert (hint.grid, hint.lot) == (ConstantStep(Decimal("0.01")), Decimal("0.1"))


@pytest.mark.parametrize("argument", ["", "a,,b", ","])
def test_a_source_needs_the_names_of_its_files(argument: str) -> None:
    with pytest.raises(ValueError, match="name one or more files"):
        recorded_source(argument, context())


def test_trading_rules_are_found_in_the_first_snapshot(tmp_path: Path) -> None:
    hint = hint_of(recording(tmp_path / "a", TRADE, SNAPSHOT))

    assert hint.scale == Scale(2, 1)
    assert hint.grid == ConstantStep(Decimal("0.30"))
    assert hint.lot == Decimal("2.0")
    assert hint.min_quantity == hint.min_notional == 0
    assert hint.derived


def test_trading_rules_of_the_configuration_win(tmp_path: Path) -> None:
    rules = {"tick": "0.05", "lot": "0.1", "min_quantity": "0.2", "min_notional": "5"}

    hint = hint_of(recording(tmp_path / "a", TRADE, SNAPSHOT), {"BTC/USDT": rules})

    assert hint.grid == ConstantStep(Decimal("0.05"))
    assert (hint.lot, hint.min_quantity, hint.min_notional) == (
        *(Decimal("0.1"), Decimal("0.2"), Decimal(5)),
    )
    assert not hint.derived


def test_half_of_the_rules_written_down_is_half_derived(tmp_path: Path) -> None:
    path = recording(tmp_path / "a", TRADE, SNAPSHOT)

    hint = hint_of(path, {"BTC/USDT": {"tick": "0.05"}})

    assert (hint.grid, hint.lot) == (ConstantStep(Decimal("0.05")), Decimal("2.0"))
    assert hint.derived


def test_a_rule_that_is_no_number_is_refused(tmp_path: Path) -> None:
    path = recording(tmp_path / "a", TRADE)

    with pytest.raises(FeedError, match="trading rules of BTC/USDT: not a number"):
        hint_of(path, {"BTC/USDT": {"tick": "fine"}})


def test_without_a_snapshot_the_finest_decimals_are_tick_and_lot(tmp_path: Path) -> None:
    hint = hint_of(recording(tmp_path / "a", TRADE))

    assert (hint.grid, hint.lot) == (ConstantStep(Decimal("0.01")), Decimal("0.1"))
    assert hint.derived


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        ('"stream":"x@trade","data":{"e":"trade","T":1,"s":"AUSDT","t":1,"p":"1","q":"1",'
         '"m":true,"M":true}', "spot"),
        ('"stream":"x@trade","data":{"e":"trade","T":1,"s":"AUSDT","t":1,"p":"1","q":"1",'
         '"m":true,"X":"MARKET"}', "usdm"),
        ('"stream":"x@bookTicker","data":{"u":1,"s":"AUSDT","b":"1","B":"1","a":"2","A":"1"}',
         "spot"),
        ('"stream":"x@bookTicker","data":{"e":"bookTicker","u":1,"s":"AUSDT","b":"1","B":"1",'
         '"a":"2","A":"1"}', "usdm"),
        ('"stream":"x@depth","data":{"E":1,"s":"AUSDT","U":1,"u":1,"b":[],"a":[]}', "spot"),
        ('"stream":"x@depth","data":{"E":1,"s":"AUSDT","U":1,"u":1,"pu":0,"b":[],"a":[]}',
         "usdm"),
        ('"stream":"x@depth","data":{"E":1,"s":"AUSD_PERP","U":1,"u":1,"pu":0,"b":[],"a":[]}',
         "coinm"),
        ('"lastUpdateId":1,"bids":[],"asks":[]', "spot"),
        ('"lastUpdateId":1,"E":1,"T":1,"bids":[],"asks":[]', "usdm"),
        ('"lastUpdateId":1,"E":1,"symbol":"AUSD_240927","bids":[],"asks":[]', "coinm"),
    ],
)  # fmt: skip
def test_the_kind_is_recognised_from_any_message(tmp_path: Path, data: str, kind: str) -> None:
    assert kind_of(recording(tmp_path / "a", f"{{{data}}}")) == kind


def test_a_kind_can_be_forced(tmp_path: Path) -> None:
    path = recording(tmp_path / "a", TRADE)

    hint = RecordedSource([path], context(), BinanceKind.USDM).market()

    assert (hint.symbol, hint.sequence) == ("BTC/USDT:USDT", BINANCE_USDM)


@pytest.mark.parametrize(
    ("symbol", "kind", "unified", "settle"),
    [
        ("BTCUSDT", "spot", "BTC/USDT", None),
        ("1000SATSFDUSD", "spot", "1000SATS/FDUSD", None),
        ("ETHBTC", "spot", "ETH/BTC", None),
        ("BTCUSDC", "usdm", "BTC/USDC:USDC", "USDC"),
        ("ETHUSD_PERP", "coinm", "ETH/USD:ETH", "ETH"),
    ],
)
def test_symbols_become_unified_ones(
    tmp_path: Path, symbol: str, kind: str, unified: str, settle: str | None
) -> None:
    path = recording(tmp_path / "a", TRADE.replace("BTCUSDT", symbol))

    hint = RecordedSource([path], context(), BinanceKind(kind)).market()

    assert (hint.symbol, hint.settle) == (unified, settle)
    assert hint.inverse == (kind == "coinm")
    assert (hint.kind is InstrumentKind.SPOT) == (kind == "spot")


@pytest.mark.parametrize(
    ("symbol", "kind"),
    [("BTCXYZ", "spot"), ("USDT", "spot"), ("BTCUSDT_240927", "usdm"), ("AUSD_240927", "coinm")],
)
def test_an_unknown_market_is_one_clear_line(tmp_path: Path, symbol: str, kind: str) -> None:
    path = recording(tmp_path / "a", TRADE.replace("BTCUSDT", symbol))

    with pytest.raises(FeedError, match=f"{symbol}.*no {kind} market that is known"):
        RecordedSource([path], context(), BinanceKind(kind)).market()


def test_a_recording_that_names_no_market_is_no_source(tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="no message names its market"):
        hint_of(recording(tmp_path / "a", SNAPSHOT))


def test_two_markets_in_one_recording_are_an_error(tmp_path: Path) -> None:
    path = recording(tmp_path / "a", TRADE, TRADE.replace("BTCUSDT", "ETHUSDT"))

    with pytest.raises(FeedError, match="ETHUSDT among those of BTCUSDT") as caught:
        list(RecordedSource([path], context()).events())

    assert caught.value.line == 2


@pytest.mark.parametrize(
    "message", ["{", "[" * 100_000, '{"lastUpdateId":9}', SNAPSHOT.replace("4.0", "4.05"), '"\xff"']
)
def test_an_unreadable_message_ends_the_events_with_its_place(tmp_path: Path, message: str) -> None:
    path = recording(tmp_path / "a", TRADE, SNAPSHOT, message)
    source = RecordedSource([path], context())
    events: list[MarketEvent] = []

    with pytest.raises(FeedError, match="unreadable message") as caught:
        events.extend(source.events())

    assert len(events) == 2
    assert (caught.value.line, caught.value.usable) == (3, True)
    assert caught.value.offset == len(path.read_bytes().splitlines()[0] + SNAPSHOT.encode()) + 22


def test_an_unreadable_first_line_does_not_hide_what_follows(tmp_path: Path) -> None:
    path = recording(tmp_path / "a", "{", SNAPSHOT, TRADE)

    assert hint_of(path).symbol == "BTC/USDT"


@pytest.mark.parametrize("content", ["\n", "hello\n", f'{T} {{"a":1}}\n', f"{T} 5\n"])
def test_a_file_without_a_usable_message_is_no_recording(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a"
    path.write_text(content)

    with pytest.raises(FeedError, match="no usable message") as caught:
        hint_of(path)

    assert not caught.value.usable


def test_a_missing_file_is_found_before_the_others_are_read(tmp_path: Path) -> None:
    good = recording(tmp_path / "a", TRADE)

    with pytest.raises(FeedError, match="no such file") as caught:
        RecordedSource([good, tmp_path / "absent"], context()).market()

    assert not caught.value.usable


@pytest.mark.unmeasured
def test_memory_stays_flat_while_events_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.gz"
    with gzip.open(path, "wt", compresslevel=1) as file:
        file.writelines(f"{T + i} {TRADE}\n" for i in range(60_000))
    events = Recording([path]).events(MarketId("a", "b"))

    tracemalloc.start()
    count = sum(1 for _ in events)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert count == 60_000
    assert peak < 2_000_000 < 60_000 * len(TRADE)


FEEDS = (
    ("spot_btcusdt_2024080[89].jsonl.gz", "BTC/USDT", BINANCE_SPOT, "0.01", "0.00001", "1", 99_574),
    ("usdm_btcusdt_20240808.jsonl.gz", "BTC/USDT:USDT", BINANCE_USDM, "0.1", "0.001", "1", 93_954),
    (
        "cm_btcusd_perp_2024080[89].jsonl.gz",
        "BTC/USD:BTC",
        BINANCE_COINM,
        "0.1",
        "1",
        "100",
        98_386,
    ),
    (
        "cm_ethusd_perp_2024080[89].jsonl.gz",
        "ETH/USD:ETH",
        BINANCE_COINM,
        "0.01",
        "1",
        "10",
        78_314,
    ),
    ("usdm_btcusdt_20220811*.gz", "BTC/USDT:USDT", BINANCE_USDM, "0.1", "0.001", "1", 1_533),
)


@pytest.mark.unmeasured
@pytest.mark.parametrize(
    ("pattern", "symbol", "rule", "tick", "lot", "size", "messages"),
    FEEDS,
    ids=[f[1] for f in FEEDS],
)
def test_the_recorded_markets_are_read_whole(
    data_dir: Path,
    pattern: str,
    symbol: str,
    rule: SequenceRule,
    tick: str,
    lot: str,
    size: str,
    messages: int,
) -> None:
    source = RecordedSource(sorted((data_dir / "binance_l2").glob(pattern)), context())

    hint = source.market()
    times = [event.local_ns for event in source.events()]

    assert (hint.symbol, hint.sequence) == (symbol, rule)
    assert (hint.grid, hint.lot) == (ConstantStep(Decimal(tick)), Decimal(lot))
    assert hint.multiplier == Decimal(size)
    assert len(times) == messages
    assert all(before <= after for before, after in pairwise(times))


def raw_numbers(path: Path) -> Iterator[list[str]]:
    # The texts of each message, read another way.
    with gzip.open(path, "rt") as file:
        for line in file:
            message = json.loads(line.split(" ", 1)[1])
            data = message.get("data", message)
            if "lastUpdateId" in data:
                yield [text for side in ("bids", "asks") for level in data[side] for text in level]
            elif data.get("e") == "depthUpdate":
                yield [text for side in "ba" for level in data[side] for text in level]
            elif "A" in data:
                yield [data["b"], data["B"], data["a"], data["A"]]
            else:
                yield [data["p"], data["q"]]


def numbers(event: MarketEvent) -> list[int]:
    match event:
        case BookSnapshot() | BookDiff():
            return [number for level in (*event.bids, *event.asks) for number in level]
        case BestQuote():
            return [event.bid, event.bid_quantity, event.ask, event.ask_quantity]
        case Trade():
            return [event.price, event.quantity]
        case _:
            return []


def test_every_number_of_a_recording_is_exact(data_dir: Path) -> None:
    path = data_dir / "binance_l2" / "usdm_btcusdt_20220811_sample.jsonl.gz"
    source = RecordedSource([path], context())
    price, quantity = source.market().scale.price, source.market().scale.quantity

    for event, texts in zip(source.events(), raw_numbers(path), strict=True):
        exact = [
            (quantity if place % 2 else price)(number)
            for place, number in enumerate(numbers(event))
        ]
        assert exact == [Decimal(text) for text in texts]
