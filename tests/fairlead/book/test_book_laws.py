"""A book against naive models of it, under any sequence of messages."""

from bisect import bisect_right
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.book import BINANCE_SPOT, BINANCE_USDM, Book, SequenceRule
from fairlead.model import BookDiff, BookSnapshot, Level, MarketId, Scale, Side

MARKET = MarketId("main", "BTC/USDT")
SCALE = Scale(0, 0)

# Bids reach up into the asks now and then, so that books cross.
BID = st.tuples(st.integers(1, 11), st.integers(0, 3))
ASK = st.tuples(st.integers(10, 20), st.integers(0, 3))
BIDS, ASKS = st.lists(BID, max_size=4), st.lists(ASK, max_size=4)


def contents(book: Book) -> tuple[dict[int, int], dict[int, int]]:
    return dict(book.levels(Side.BUY)), dict(book.levels(Side.SELL))


def crossed(bids: dict[int, int], asks: dict[int, int]) -> bool:
    return bool(bids and asks) and max(bids) >= min(asks)


def put(side: dict[int, int], levels: list[Level] | tuple[Level, ...]) -> None:
    for price, quantity in levels:
        side[price] = quantity
        if not quantity:
            del side[price]


@dataclass
class Naive:
    """The spot rule as the venue's documentation tells it, on plain dictionaries."""

    last: int | None = None
    first_after_snapshot: bool = False
    bids: dict[int, int] = field(default_factory=dict)
    asks: dict[int, int] = field(default_factory=dict)
    buffer: list[BookDiff] = field(default_factory=list)

    def drop(self) -> None:
        self.last, self.bids, self.asks = None, {}, {}

    def snapshot(self, message: BookSnapshot) -> None:
        if self.last is not None and message.last_id < self.last:
            return
        self.last, self.first_after_snapshot = message.last_id, True
        self.bids, self.asks = dict(message.bids), dict(message.asks)
        if crossed(self.bids, self.asks):
            self.drop()
            return
        waiting, self.buffer = self.buffer, []
        for diff in waiting:
            self.diff(diff)

    def diff(self, message: BookDiff) -> None:
        if self.last is None:
            self.buffer.append(message)
            return
        if message.last_id <= self.last:
            return
        follows = message.first_id == self.last + 1
        spans = self.first_after_snapshot and message.first_id <= self.last + 1
        if not (follows or spans):
            self.drop()
            self.buffer.append(message)
            return
        put(self.bids, message.bids)
        put(self.asks, message.asks)
        self.last, self.first_after_snapshot = message.last_id, False
        if crossed(self.bids, self.asks):
            self.drop()


@st.composite
def spot_messages(draw: st.DrawFn) -> list[BookDiff | BookSnapshot | None]:
    # Mostly in order; ids jump, overlap and repeat; None: the book is asked to be lost.
    messages: list[BookDiff | BookSnapshot | None] = []
    last = 10
    for _ in range(draw(st.integers(0, 25))):
        kind = draw(st.sampled_from(["diff"] * 6 + ["snapshot"] * 2 + ["lose"]))
        if kind == "lose":
            messages.append(None)
        elif kind == "diff":
            first = last + draw(st.sampled_from([1] * 8 + [-3, 0, 2]))
            last = max(first, first + draw(st.integers(0, 3)))
            bids, asks = draw(BIDS), draw(ASKS)
            messages.append(BookDiff(MARKET, 0, 0, first, last, None, tuple(bids), tuple(asks)))
        else:
            at = last + draw(st.integers(-6, 2))
            sides = [
                tuple(draw(st.dictionaries(st.integers(*bounds), st.integers(1, 3))).items())
                for bounds in ((1, 10), (10, 20))
            ]
            messages.append(BookSnapshot(MARKET, 0, 0, at, sides[0], sides[1], SCALE))
    return messages


@pytest.mark.unmeasured
@given(messages=spot_messages())
def test_a_book_is_the_naive_model_of_it(
    messages: list[BookDiff | BookSnapshot | None],
) -> None:
    book, naive = Book(MARKET, BINANCE_SPOT), Naive()

    for message in messages:
        if message is None:
            book.lose("asked to")
            naive.drop()
            naive.buffer = []
        elif isinstance(message, BookDiff):
            book.on_diff(message)
            naive.diff(message)
        else:
            book.on_snapshot(message)
            naive.snapshot(message)

        assert book.valid == (naive.last is not None)
        assert contents(book) == (naive.bids, naive.asks)
        if naive.last is not None:
            assert book.last_id == naive.last
        two_sides = bool(naive.bids and naive.asks)
        assert (book.top is not None) == two_sides
        if book.top is not None:
            assert (book.top.bid, book.top.ask) == (max(naive.bids), min(naive.asks))
            assert book.top.bid_quantity == naive.bids[book.top.bid]
            assert book.top.ask_quantity == naive.asks[book.top.ask]


class Venue:
    """A true book and its history, update by update; diffs bundle updates, ids may have holes."""

    def __init__(self, *, holes: bool) -> None:
        self.holes = holes
        self.ids = [100]
        self.states: list[tuple[dict[int, int], dict[int, int]]] = [({9: 1}, {12: 1})]
        self.previous = 100

    def diff(self, updates: list[tuple[Side, Level]], hole: int) -> BookDiff:
        touched: dict[Side, set[int]] = {Side.BUY: set(), Side.SELL: set()}
        first = self.ids[-1] + 1 + (hole if self.holes else 0)
        for number, (side, level) in enumerate(updates):
            bids, asks = (dict(half) for half in self.states[-1])
            put_into = bids if side is Side.BUY else asks
            put_into[level[0]] = level[1]
            if not level[1]:
                del put_into[level[0]]
            touched[side].add(level[0])
            self.ids.append(first + number)
            self.states.append((bids, asks))
        bids, asks = self.states[-1]
        diff = BookDiff(
            MARKET,
            0,
            0,
            first,
            self.ids[-1],
            self.previous if self.holes else None,
            tuple((price, bids.get(price, 0)) for price in sorted(touched[Side.BUY])),
            tuple((price, asks.get(price, 0)) for price in sorted(touched[Side.SELL])),
        )
        self.previous = diff.last_id
        return diff

    def snapshot(self, age: int) -> BookSnapshot:
        at = max(len(self.ids) - 1 - age, 0)
        bids, asks = self.states[at]
        return BookSnapshot(
            MARKET, 0, 0, self.ids[at], tuple(bids.items()), tuple(asks.items()), SCALE
        )

    def at(self, update_id: int) -> tuple[dict[int, int], dict[int, int]]:
        return self.states[bisect_right(self.ids, update_id) - 1]


UPDATE = st.one_of(
    st.tuples(st.just(Side.BUY), BID),
    st.tuples(st.just(Side.SELL), ASK),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(
            st.just("diff"),
            st.lists(UPDATE, min_size=1, max_size=4),
            st.integers(0, 3),
            st.sampled_from(["deliver"] * 6 + ["swallow", "twice"]),
        ),
        st.tuples(st.just("snapshot"), st.integers(0, 6)),
        st.tuples(st.just("lose")),
    ),
    max_size=25,
)


@pytest.mark.parametrize(
    ("rule", "holes"), [(BINANCE_SPOT, False), (BINANCE_USDM, True)], ids=["spot", "futures"]
)
@given(steps=STEPS)
def test_a_valid_book_is_what_the_venue_held_at_that_update(
    rule: SequenceRule, holes: bool, steps: list[tuple[object, ...]]
) -> None:
    book, venue = Book(MARKET, rule), Venue(holes=holes)

    for step in steps:
        match step:
            case ("diff", list() as updates, int() as hole, str() as fate):
                diff = venue.diff(updates, hole)
                for _ in range({"swallow": 0, "deliver": 1, "twice": 2}[fate]):
                    book.on_diff(diff)
            case ("snapshot", int() as age):
                book.on_snapshot(venue.snapshot(age))
            case _:
                book.lose("asked to")

        if book.valid:
            assert book.last_id is not None
            bids, asks = venue.at(book.last_id)
            assert contents(book) == (bids, asks)
            assert not crossed(bids, asks)
        else:
            assert contents(book) == ({}, {})

    # However bad it was: with a snapshot of now it is right again, unless the venue is crossed.
    book.lose("begin anew")
    book.on_snapshot(venue.snapshot(0))
    assert book.valid != crossed(*venue.states[-1])
