from decimal import Decimal
from functools import partial

from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import BatchLimits
from fairlead.model import MarketId, OrderIntent, Purpose, Side, Slot
from fairlead.pipeline import CreateQueue, batches
from fairlead.testing import MARKET, instrument, intent
from fairlead.trackers import needs

OTHER = instrument(MarketId("main", "BTC/USDT"))
ELSEWHERE = instrument(MarketId("hedge", "ALT/USDT"))


def waiting(number: int, price: str, *, purpose: Purpose = Purpose.QUOTE) -> OrderIntent:
    return intent(number, level=number, price=price, purpose=purpose, mid=Decimal(100))


def take(queue: CreateQueue, venue: str, most: int) -> tuple[OrderIntent, ...]:
    taken = queue.ready(venue)[:most]
    queue.remove(taken)
    return taken


def at_level(level: int, one: OrderIntent) -> bool:
    return one.slot.level == level


def numbers(intents: tuple[OrderIntent, ...]) -> list[int]:
    return [one.slot.level for one in intents]


def test_exits_and_hedges_leave_first_then_quotes_by_closeness_to_the_mid() -> None:
    queue = CreateQueue()
    for one in (
        waiting(1, "97"),
        waiting(2, "99"),
        waiting(3, "90", purpose=Purpose.EXIT),
        waiting(4, "98", purpose=Purpose.ENTRY),
        waiting(5, "80", purpose=Purpose.HEDGE),
    ):
        queue.put(one)

    assert numbers(take(queue, "main", 10)) == [3, 5, 2, 4, 1]
    assert queue.waiting() == ()


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "supersede", "drop", "remove"]),
            st.integers(0, 4),
            st.sampled_from(["", "one", "two"]),
            st.integers(1, 9),
        ),
        max_size=30,
    )
)
def test_what_waits_for_a_plan_and_what_is_needed_are_what_looking_at_all_gives(
    steps: list[tuple[str, int, str, int]],
) -> None:
    queue = CreateQueue()
    for step, level, plan, quantity in steps:
        side = Side.BUY if level % 2 else Side.SELL
        where = Slot("alt", MARKET, side, level, plan)
        match step:
            case "put":
                queue.put(intent(1, side, quantity=quantity, slot=where))
            case "supersede":
                queue.supersede(where)
            case "drop":
                queue.drop(partial(at_level, level))
            case _:
                queue.remove(queue.ready("main")[:1])

        waits = queue.waiting()
        for name in ("", "one", "two"):
            assert queue.waiting(name) == tuple(one for one in waits if one.slot.plan == name)
        for asset in ("ALT", "USDT"):
            each = {one.slot: needs(one, one.quantity, asset) for one in waits}
            assert queue.claims.of("main", asset) == sum(each.values())
            without = sum(need for one, need in each.items() if one != where)
            assert queue.claims.of("main", asset, besides=where) == without


def test_equals_leave_in_the_order_in_which_they_came() -> None:
    queue = CreateQueue()
    for number in (4, 2, 3, 1):
        queue.put(waiting(number, "99"))

    assert numbers(take(queue, "main", 3)) == [4, 2, 3]
    assert numbers(queue.waiting()) == [1]


def test_an_intent_without_a_mid_is_as_near_as_can_be() -> None:
    queue = CreateQueue()
    queue.put(waiting(1, "99"))
    queue.put(intent(2, level=2))

    assert numbers(take(queue, "main", 2)) == [2, 1]


def test_a_newer_intent_of_a_slot_supersedes_the_older() -> None:
    queue = CreateQueue()
    older, newer = intent(1, level=7, price=99), intent(2, level=7, price=98)
    queue.put(older)

    queue.put(newer)

    assert queue.waiting() == (newer,)
    queue.supersede(newer.slot)
    queue.supersede(newer.slot)
    assert queue.waiting() == ()


def test_only_the_asked_venues_intents_are_taken() -> None:
    queue = CreateQueue()
    queue.put(intent(1, traded=ELSEWHERE))
    queue.put(intent(2))

    assert [one.client_id for one in take(queue, "main", 5)] == [intent(2).client_id]
    assert len(queue.waiting()) == 1
    assert queue.ready("nowhere") == ()


def test_what_is_stale_is_dropped() -> None:
    queue = CreateQueue()
    for number in range(1, 5):
        queue.put(waiting(number, "99"))

    queue.drop(lambda one: one.slot.level % 2 == 0)

    assert numbers(queue.waiting()) == [1, 3]


INTENTS = st.lists(
    st.builds(
        lambda number, side, traded: intent(number, side, traded=traded),
        st.integers(1, 1000),
        st.sampled_from(Side),
        st.sampled_from([instrument(), OTHER]),
    ),
    max_size=20,
    unique_by=lambda one: one.client_id,
)
LIMITS = st.builds(BatchLimits, st.integers(0, 6), st.just(1), st.booleans(), st.booleans())


@given(INTENTS, LIMITS)
def test_batches_hold_every_intent_once_within_the_venues_limits(
    intents: list[OrderIntent], limits: BatchLimits
) -> None:
    cut = batches(intents, limits)

    assert sorted(map(id, (one for batch in cut for one in batch))) == sorted(map(id, intents))
    for batch in cut:
        assert 1 <= len(batch) <= max(limits.creates, 1)
        assert limits.mixed_markets or len({one.slot.market for one in batch}) == 1
        assert limits.mixed_sides or len({one.side for one in batch}) == 1
        places = [intents.index(one) for one in batch]
        assert places == sorted(places)
