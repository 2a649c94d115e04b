import pytest

from fairlead.book import (
    BINANCE_SPOT,
    BINANCE_USDM,
    Book,
    BookResult,
    SelfCheck,
    Top,
)
from fairlead.model import BestQuote, BookDiff, BookSnapshot, Level, MarketId, Scale, Side

MARKET = MarketId("main", "BTC/USDT")
SCALE = Scale(2, 3)


def snapshot(
    last: int,
    bids: tuple[Level, ...] = ((99, 5), (98, 5)),
    asks: tuple[Level, ...] = ((101, 5), (102, 5)),
    local_ns: int = 50,
    scale: Scale = SCALE,
) -> BookSnapshot:
    return BookSnapshot(MARKET, 7, local_ns, last, bids, asks, scale)


def diff(
    first: int,
    last: int,
    bids: tuple[Level, ...] = (),
    asks: tuple[Level, ...] = (),
    local_ns: int = 100,
    previous: int | None = None,
) -> BookDiff:
    return BookDiff(MARKET, local_ns + 3, local_ns, first, last, previous, bids, asks)


def valid_book(check: SelfCheck | None = None) -> Book:
    book = Book(MARKET, BINANCE_SPOT, check=check)
    assert book.on_snapshot(snapshot(10)) is BookResult.APPLIED
    return book


def assert_shows_nothing(book: Book) -> None:
    assert not book.valid
    assert book.top is None
    assert book.view() is None
    for side in Side:
        assert list(book.levels(side)) == []
        assert book.level_count(side) == 0


def test_a_new_book_shows_nothing_and_says_why() -> None:
    book = Book(MARKET, BINANCE_SPOT)

    assert_shows_nothing(book)
    assert book.reason == "no snapshot yet"
    assert book.last_id is None


def test_a_snapshot_makes_a_book() -> None:
    book = valid_book()

    assert book.valid
    assert book.reason == ""
    assert book.top == Top(99, 5, 101, 5)
    assert book.last_id == 10
    assert (book.venue_ns, book.changed_ns) == (7, 50)
    assert book.scale == SCALE


def test_a_diff_sets_and_deletes_levels() -> None:
    book = valid_book()

    result = book.on_diff(diff(11, 12, bids=((99, 0), (97, 2)), asks=((101, 9), (500, 0))))

    assert result is BookResult.APPLIED
    assert list(book.levels(Side.BUY)) == [(98, 5), (97, 2)]
    assert list(book.levels(Side.SELL, 1)) == [(101, 9)]
    assert book.top == Top(98, 5, 101, 9)
    assert (book.last_id, book.venue_ns, book.changed_ns) == (12, 103, 100)
    assert book.quantity_at(Side.BUY, 97) == 2
    assert book.quantity_at(Side.SELL, 97) == 0
    assert book.volume_through(Side.SELL, 102) == 14
    assert book.level_count(Side.SELL) == 2


def test_a_diff_that_repeats_what_is_known_changes_nothing_but_the_id() -> None:
    book = valid_book()

    book.on_diff(diff(11, 11, bids=((99, 5), (1, 0))))

    assert book.last_id == 11
    assert book.venue_ns == 103
    assert book.changed_ns == 50


def test_diffs_before_the_snapshot_wait_and_follow_it() -> None:
    book = Book(MARKET, BINANCE_SPOT)

    early = [
        book.on_diff(diff(5, 8, bids=((99, 77),), local_ns=10)),
        book.on_diff(diff(9, 12, bids=((98, 8),), local_ns=20)),
        book.on_diff(diff(13, 14, asks=((101, 0),), local_ns=30)),
    ]
    result = book.on_snapshot(snapshot(10))

    assert early == [BookResult.BUFFERED] * 3
    assert result is BookResult.APPLIED
    assert book.last_id == 14
    assert list(book.levels(Side.BUY)) == [(99, 5), (98, 8)]
    assert list(book.levels(Side.SELL)) == [(102, 5)]
    assert (book.counters.applied, book.counters.dropped) == (2, 1)
    assert book.changed_ns == 50, "nothing was seen before the snapshot came"


def test_a_snapshot_older_than_what_waits_leaves_the_book_invalid() -> None:
    book = Book(MARKET, BINANCE_SPOT)
    book.on_diff(diff(20, 22))
    book.on_diff(diff(23, 24, bids=((97, 1),)))

    too_old = book.on_snapshot(snapshot(10))
    assert_shows_nothing(book)
    younger = book.on_snapshot(snapshot(21))

    assert too_old is BookResult.GAP
    assert younger is BookResult.APPLIED
    assert book.last_id == 24
    assert book.quantity_at(Side.BUY, 97) == 1


def test_what_waits_is_bounded_and_its_loss_is_found() -> None:
    book = Book(MARKET, BINANCE_SPOT, waiting=3)
    for number in range(11, 20):
        book.on_diff(diff(number, number))

    assert book.on_snapshot(snapshot(10)) is BookResult.GAP
    assert book.on_snapshot(snapshot(16)) is BookResult.APPLIED
    assert book.last_id == 19


def test_a_gap_makes_the_book_invalid_until_a_snapshot_replaces_it() -> None:
    book = valid_book()
    book.on_diff(diff(11, 11, bids=((50, 1),)))

    gap = book.on_diff(diff(13, 13, asks=((103, 1),)))
    waiting = book.on_diff(diff(14, 15))
    assert_shows_nothing(book)
    resync = book.on_snapshot(snapshot(12))

    assert gap is BookResult.GAP
    assert waiting is BookResult.BUFFERED
    assert resync is BookResult.APPLIED
    assert book.last_id == 15
    assert book.quantity_at(Side.BUY, 50) == 0, "nothing of the doubtful book is left"
    assert book.quantity_at(Side.SELL, 103) == 1
    assert (book.counters.gaps, book.counters.resyncs) == (1, 1)


def test_the_reason_of_a_gap_names_both_ids() -> None:
    book = valid_book()

    book.on_diff(diff(13, 13))

    assert book.reason == "gap: 10 is followed by 13"


def test_the_same_diff_twice_is_dropped() -> None:
    book = valid_book()

    assert book.on_diff(diff(11, 12)) is BookResult.APPLIED
    assert book.on_diff(diff(11, 12)) is BookResult.DROPPED
    assert book.counters.dropped == 1
    assert book.valid


@pytest.mark.parametrize("bid", [101, 102], ids=["locked", "crossed"])
def test_a_locked_or_crossed_book_is_invalid(bid: int) -> None:
    book = valid_book()

    assert book.on_diff(diff(11, 11, bids=((bid, 1),))) is BookResult.CROSSED
    assert_shows_nothing(book)
    assert book.counters.crossed == 1
    assert book.reason == "crossed or locked after 11"

    assert book.on_snapshot(snapshot(11)) is BookResult.APPLIED
    assert book.counters.resyncs == 1


def test_a_crossed_snapshot_is_no_book() -> None:
    book = Book(MARKET, BINANCE_SPOT)

    assert book.on_snapshot(snapshot(10, bids=((101, 1),))) is BookResult.CROSSED
    assert_shows_nothing(book)


def test_what_waits_may_cross_the_book_too() -> None:
    book = Book(MARKET, BINANCE_SPOT)
    book.on_diff(diff(11, 11, bids=((101, 1),)))
    book.on_diff(diff(12, 12, bids=((101, 0),)))

    assert book.on_snapshot(snapshot(10)) is BookResult.CROSSED
    assert_shows_nothing(book)
    assert book.on_snapshot(snapshot(11)) is BookResult.APPLIED
    assert book.last_id == 12


def test_a_book_can_be_lost_and_found() -> None:
    book = valid_book()

    book.lose("the feed fell silent")
    assert_shows_nothing(book)
    assert book.reason == "the feed fell silent"
    assert book.on_diff(diff(11, 11)) is BookResult.BUFFERED
    assert book.on_snapshot(snapshot(10)) is BookResult.APPLIED

    assert book.last_id == 11
    assert (book.counters.lost, book.counters.resyncs) == (1, 1)


def test_a_lost_book_forgets_what_waited_from_the_connection_before() -> None:
    book = Book(MARKET, BINANCE_SPOT)
    book.on_diff(diff(20, 20))

    book.lose("disconnected")

    assert book.on_snapshot(snapshot(10)) is BookResult.APPLIED
    assert book.counters.resyncs == 0, "it was never valid before"


def test_a_valid_book_does_not_go_back_to_an_older_snapshot() -> None:
    book = valid_book()
    book.on_diff(diff(11, 12))

    assert book.on_snapshot(snapshot(11)) is BookResult.DROPPED
    assert book.last_id == 12
    assert book.on_diff(diff(13, 13)) is BookResult.APPLIED


def test_a_younger_snapshot_replaces_a_valid_book() -> None:
    book = valid_book()

    assert book.on_snapshot(snapshot(20, bids=((90, 1),))) is BookResult.APPLIED
    assert list(book.levels(Side.BUY)) == [(90, 1)]
    assert book.counters.resyncs == 0
    assert book.on_diff(diff(15, 20)) is BookResult.DROPPED


def test_a_snapshot_that_changes_nothing_leaves_the_time_of_change() -> None:
    book = valid_book()

    book.on_snapshot(snapshot(11, local_ns=900))

    assert book.changed_ns == 50


def test_a_book_with_an_empty_side_is_valid_but_has_no_top() -> None:
    book = valid_book()

    assert book.on_diff(diff(11, 11, asks=((101, 0), (102, 0)))) is BookResult.APPLIED
    assert book.valid
    assert book.top is None

    book.on_diff(diff(12, 12, asks=((103, 1),)))
    assert book.top == Top(99, 5, 103, 1)


def test_the_decimals_are_fixed_for_the_life_of_a_book() -> None:
    book = valid_book()

    with pytest.raises(ValueError, match="fixed for its life"):
        book.on_snapshot(snapshot(20, scale=Scale(3, 3)))


def test_every_diff_applied_is_compared_with_its_quote() -> None:
    check = SelfCheck()
    book = Book(MARKET, BINANCE_USDM, check=check)
    for update_id, bid in ((12, 99), (14, 99), (16, 99)):
        check.on_quote(BestQuote(MARKET, 0, 0, update_id, bid, 5, 101, 5))

    book.on_diff(diff(9, 12, bids=((98, 1),), previous=8))
    results = [
        book.on_snapshot(snapshot(10)),
        book.on_diff(diff(13, 14, previous=12)),
        book.on_diff(diff(15, 16, bids=((99, 4),), previous=14)),
    ]

    assert results == [BookResult.APPLIED, BookResult.APPLIED, BookResult.DISAGREES]
    assert (check.compared, check.wrong) == (3, 1)
    assert book.valid, "whom to believe is the caller's decision"


def test_a_diff_that_waited_may_disagree_too() -> None:
    check = SelfCheck()
    book = Book(MARKET, BINANCE_SPOT, check=check)
    check.on_quote(BestQuote(MARKET, 0, 0, 11, 98, 5, 101, 5))
    book.on_diff(diff(11, 11))
    book.on_diff(diff(12, 12))

    assert book.on_snapshot(snapshot(10)) is BookResult.DISAGREES
    assert book.last_id == 12
