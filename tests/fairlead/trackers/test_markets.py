from collections.abc import Callable
from decimal import Decimal

import pytest

from fairlead.book import CONTIGUOUS, Top
from fairlead.model import BestQuote, BookLost, MarketEvent, Side
from fairlead.store import Incident, Journal
from fairlead.testing import (
    MARKET,
    MemoryStore,
    MemoryTrace,
    StillClock,
    diff,
    instrument,
    snapshot,
    trade,
)
from fairlead.trackers import Feed, MarketTracker

SECOND = 1_000_000_000


class World:
    def __init__(self, own: dict[tuple[Side, int], int] | None = None) -> None:
        self.trace = MemoryTrace()
        self.resyncs = 0
        self.tops: list[Top | None] = []
        self.validity: list[tuple[bool, str]] = []
        self.tracker = MarketTracker(
            instrument(),
            CONTIGUOUS,
            Journal(MemoryStore(), StillClock(), self.trace),
            resync=self._resync,
            stale_ns=10 * SECOND,
            own_orders=None if own is None else lambda: own,
        )
        self.tracker.on_top(lambda venue_ns, top: self.tops.append(top))
        self.tracker.on_validity(lambda valid, reason: self.validity.append((valid, reason)))

    def _resync(self) -> None:
        self.resyncs += 1

    def incidents(self) -> list[str]:
        return [incident.name for incident in self.trace.of(Incident)]


def best_quote(update_id: int, bid: int, ask: int, *, at_ns: int = 0) -> BestQuote:
    return BestQuote(MARKET, at_ns, at_ns, update_id, bid, 500, ask, 500)


@pytest.fixture
def world() -> World:
    world = World()
    world.tracker.apply(snapshot(last_id=1, at_ns=5))
    return world


def test_before_the_first_snapshot_there_is_nothing_to_see() -> None:
    tracker = World().tracker

    assert tracker.view() is None
    assert tracker.mid is None
    assert tracker.mark is None
    assert tracker.valid_since_ns is None


def test_a_snapshot_makes_the_market_valid(world: World) -> None:
    assert world.validity == [(True, "")]
    assert world.tracker.valid_since_ns == 5
    assert world.tracker.mid == world.tracker.mark == 100
    view = world.tracker.view()
    assert view is not None
    assert (view.best_bid.price, view.best_ask.price) == (Decimal("99.90"), Decimal("100.10"))


def test_a_gap_makes_it_invalid_and_asks_for_a_fresh_book(world: World) -> None:
    world.tracker.apply(diff(3, bids=[("99.95", 1)]))

    assert world.tracker.view() is None
    assert world.tracker.mid is None
    assert world.tracker.valid_since_ns is None
    assert world.resyncs == 1
    assert world.incidents() == ["book_gap"]
    assert world.validity[-1] == (False, "gap: 1 is followed by 3")


def test_the_fresh_book_makes_it_valid_again(world: World) -> None:
    world.tracker.apply(diff(3, bids=[("99.95", 1)]))

    world.tracker.apply(snapshot(last_id=2, at_ns=9))

    assert [valid for valid, _ in world.validity] == [True, False, True]
    assert world.tracker.valid_since_ns == 9
    # the diff that had waited is in it
    assert world.tracker.mid == Decimal("100.025")


@pytest.mark.parametrize(
    "trouble",
    [
        diff(4, bids=[("99.95", 1)]),
        diff(3, bids=[("100.20", 1)]),
        diff(3, asks=[("100.20", 0)]),
        BookLost(MARKET, 7, "the stream closed"),
    ],
    ids=["gap", "crossed", "empty side", "lost"],
)
def test_the_mark_stays_at_the_last_valid_one_although_nobody_looked(
    world: World, trouble: MarketEvent
) -> None:
    world.tracker.apply(diff(2, asks=[("100.10", 0)]))

    world.tracker.apply(trouble)

    assert world.tracker.mid is None
    assert world.tracker.mark == Decimal("100.05")


def test_a_crossed_book_is_given_up(world: World) -> None:
    world.tracker.apply(diff(2, bids=[("100.10", 1)]))

    assert world.tracker.view() is None
    assert world.incidents() == ["book_crossed"]
    assert world.resyncs == 1


def test_a_book_that_its_connector_gives_up_is_lost_once(world: World) -> None:
    world.tracker.apply(BookLost(MARKET, 7, "the stream closed"))
    world.tracker.apply(BookLost(MARKET, 8, "still closed"))

    assert world.validity[-1] == (False, "the stream closed")
    assert [valid for valid, _ in world.validity] == [True, False]
    assert world.incidents() == ["book_lost"]


@pytest.mark.parametrize("quote_first", [True, False])
def test_a_best_quote_that_disagrees_gives_the_book_up(world: World, quote_first: bool) -> None:
    news: list[Callable[[], None]] = [
        lambda: world.tracker.apply(best_quote(2, 9995, 10011)),
        lambda: world.tracker.apply(diff(2, bids=[("99.95", 5)])),
    ]

    for tell in news if quote_first else reversed(news):
        tell()

    assert world.tracker.view() is None
    assert world.incidents() == ["book_lost"]
    assert world.resyncs == 1


@pytest.mark.parametrize("quote_first", [True, False])
def test_a_best_quote_that_agrees_changes_nothing(world: World, quote_first: bool) -> None:
    news: list[Callable[[], None]] = [
        lambda: world.tracker.apply(best_quote(2, 9995, 10010)),
        lambda: world.tracker.apply(diff(2, bids=[("99.95", 5)])),
    ]

    for tell in news if quote_first else reversed(news):
        tell()

    assert world.tracker.check.compared == 1
    assert world.tracker.view() is not None
    assert world.incidents() == []


def test_prints_are_taken_once_oldest_first(world: World) -> None:
    one, two, three = (trade(trade_id=name) for name in "abc")
    world.tracker.apply(one)
    world.tracker.apply(two)

    assert world.tracker.take_trades() == (one, two)
    world.tracker.apply(three)
    assert world.tracker.take_trades() == (three,)
    assert world.tracker.take_trades() == ()


def test_prints_that_nobody_takes_are_bounded(world: World) -> None:
    for _ in range(10_100):
        world.tracker.apply(trade())

    assert len(world.tracker.take_trades()) == 10_000


def test_listeners_hear_of_moved_best_prices_only(world: World) -> None:
    world.tops.clear()

    world.tracker.apply(diff(2, bids=[("99.90", 7)]))  # another quantity
    world.tracker.apply(diff(3, bids=[("99.50", 7)]))  # deep in the book
    assert world.tops == []
    world.tracker.apply(diff(4, bids=[("99.95", 7)]))

    assert [top.bid for top in world.tops if top is not None] == [9995]


def test_an_empty_side_is_no_market_and_no_loss(world: World) -> None:
    world.tracker.apply(diff(2, asks=[("100.10", 0), ("100.20", 0)]))
    assert world.validity[-1] == (False, "a side of the book is empty")
    assert world.resyncs == 0

    world.tracker.apply(diff(3, asks=[("100.30", 1)], at_ns=8))

    assert world.validity[-1] == (True, "")
    assert world.tracker.valid_since_ns == 8


def test_a_book_that_stays_away_is_asked_for_again(world: World) -> None:
    world.tracker.apply(BookLost(MARKET, 0, "the stream closed"))
    assert world.resyncs == 1

    world.tracker.nudge(1 * SECOND)
    assert world.resyncs == 1
    world.tracker.nudge(2 * SECOND)
    assert world.resyncs == 2
    world.tracker.nudge(3 * SECOND)

    assert world.resyncs == 2


def test_a_valid_book_is_not_asked_for(world: World) -> None:
    world.tracker.nudge(6 * SECOND)

    assert world.resyncs == 0


def test_a_silent_book_is_given_up(world: World) -> None:
    world.tracker.apply(trade(at_ns=3 * SECOND))

    world.tracker.nudge(13 * SECOND)
    assert world.tracker.view() is not None
    world.tracker.nudge(13 * SECOND + 1)

    assert world.tracker.view() is None
    assert world.validity[-1][1].startswith("nothing was heard for 10.0 s")


def test_our_own_orders_are_not_the_market() -> None:
    own = {(Side.BUY, 9990): 500}
    world = World(own)
    world.tracker.apply(snapshot())

    view = world.tracker.view()

    assert view is not None
    assert view.best_bid.price == Decimal("99.80")
    assert world.tracker.mid == world.tracker.mark == Decimal("99.95")
    own.clear()
    assert world.tracker.mark == 100


def test_a_feed_counts_and_hashes_its_messages_in_order() -> None:
    one, other, swapped = Feed(), Feed(), Feed()
    events: list[MarketEvent] = [snapshot(), diff(2, bids=[("1", 1)]), trade()]

    for event in events:
        one.add(event)
        other.add(event)
    for event in reversed(events):
        swapped.add(event)

    assert one.messages == 3
    assert one.digest == other.digest
    assert one.digest != swapped.digest


def test_with_a_clock_that_is_set_back_a_book_is_as_old_as_before_and_valid_no_longer() -> None:
    world = World()
    world.tracker.apply(snapshot(last_id=1, at_ns=100 * SECOND))

    world.tracker.clock_back(60 * SECOND, 41 * SECOND)

    assert world.tracker.book.changed_ns == 40 * SECOND
    assert world.tracker.valid_since_ns == 41 * SECOND
    world.tracker.nudge(51 * SECOND)
    assert world.incidents() == ["book_lost"]
