from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import Obligation, Uptime
from tests.fairlead.ledger.factories import D

BIDS = [(D(99), D(1)), (D(98), D(4))]
ASKS = [(D(101), D(1)), (D(102), D(4))]


def uptime(max_spread: str | None = None, min_size: str = "0") -> Uptime:
    share = None if max_spread is None else D(max_spread)
    return Uptime(Obligation(share, D(min_size)))


def test_only_time_with_a_valid_market_counts() -> None:
    watch = uptime()
    watch.on_quotes(0, BIDS, ASKS)
    watch.on_market(10, D(99), D(101))
    watch.on_invalid(30)
    watch.on_market(50, D(99), D(101))
    watch.advance(60)

    assert watch.valid_ns == 30
    assert watch.quoted == 1.0


def test_both_sides_must_rest() -> None:
    watch = uptime()
    watch.on_market(0, D(99), D(101))
    watch.on_quotes(0, BIDS, ASKS)
    watch.on_quotes(75, BIDS, [])
    watch.advance(100)

    assert watch.quoted == 0.75


def test_the_promised_size_decides_how_far_out_a_side_counts() -> None:
    # 1 at the best, 5 within the second level: 4 wide of a mid of 100
    for size, share in (("1", 1.0), ("5", 0.0), ("6", 0.0)):
        watch = uptime("0.02", size)
        watch.on_market(0, D(99), D(101))
        watch.on_quotes(0, BIDS, ASKS)
        watch.advance(10)

        assert watch.quoted == share, size


def test_the_widest_spread_is_inclusive_and_follows_the_mid() -> None:
    watch = uptime("0.02")
    watch.on_quotes(0, BIDS, ASKS)
    watch.on_market(0, D(99), D(101))
    watch.on_market(50, D(98), D(101))
    watch.advance(100)

    assert watch.quoted == 0.5


def test_time_at_top_is_averaged_over_both_sides() -> None:
    watch = uptime()
    watch.on_quotes(0, BIDS, ASKS)
    watch.on_market(0, D(99), D(100))
    watch.advance(100)

    assert watch.at_top == 0.5


def test_without_a_valid_market_there_is_no_share() -> None:
    watch = uptime()
    watch.on_quotes(0, BIDS, ASKS)
    watch.advance(100)

    assert watch.quoted is None
    assert watch.at_top is None


events = st.lists(st.tuples(st.integers(0, 9), st.sampled_from("mqia")), max_size=30)


@given(events)
def test_shares_lie_between_nothing_and_all(story: list[tuple[int, str]]) -> None:
    watch, now = uptime(), 0
    for span, kind in story:
        now += span
        match kind:
            case "m":
                watch.on_market(now, D(99), D(101))
            case "q":
                watch.on_quotes(now, BIDS if span % 2 else [], ASKS)
            case "i":
                watch.on_invalid(now)
            case _:
                watch.advance(now - 1)

    assert watch.valid_ns <= now
    assert 0 <= (watch.quoted or 0) <= 1
    assert 0 <= (watch.at_top or 0) <= 1
