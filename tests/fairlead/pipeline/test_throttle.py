import asyncio
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairlead.api import RateLimit, RequestKind, Response, Weight
from fairlead.pipeline import Bucket, Lane, Throttle
from fairlead.testing import VirtualClock, run_virtual

SECOND = 1_000_000_000
MS = 1_000_000
CREATE, CANCEL, QUERY = RequestKind
ONE_EACH = {CREATE: Weight(1), CANCEL: Weight(1), QUERY: Weight(1)}
# What a window of a second is widened to, so that requests that bunch up on their way fit in it.
WINDOW_NS = 1100 * MS


def limit(capacity: int = 10, **rest: object) -> RateLimit:
    given_rest = {"window_ns": SECOND, "weights": ONE_EACH, **rest}
    return RateLimit("weight", capacity, **given_rest)  # type: ignore[arg-type]  # a test's keywords


def throttle(clock: VirtualClock, *limits: RateLimit, share: str = "1") -> Throttle:
    made = Throttle(clock, Decimal(share))
    made.bind(limits)
    return made


def use(one: Throttle, kind: str, lane: Lane, times: int) -> int:
    """Send as many single requests as there is room for, up to ``times``."""
    sent = 0
    while sent < times and not one.wait_ns(kind, lane):
        one.take(kind)
        sent += 1
    return sent


# What a request weighs.


@pytest.mark.parametrize(
    ("weight", "items", "weighs"),
    [
        (Weight(), 20, 1),
        (Weight(0, item=1), 20, 20),
        (Weight(1, every=40), 39, 1),
        (Weight(1, every=40), 80, 3),
    ],
)
def test_a_request_weighs_by_itself_and_by_its_orders(
    weight: Weight, items: int, weighs: int
) -> None:
    assert weight.of(items) == weighs


def test_numbers_that_let_nothing_pass_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        Weight(-1)
    for wrong in ({"capacity": 0}, {"window_ns": 0}, {"weights": {CREATE: Weight(11)}}):
        with pytest.raises(ValueError, match="nothing"):
            limit(**wrong)


# One limit.


def test_without_limits_everything_fits() -> None:
    async def main(clock: VirtualClock) -> None:
        free = throttle(clock)

        assert free.fits(CREATE, Lane.QUOTE, 20) == 20
        assert await free.admit(QUERY, within_ns=0)

    run_virtual(main)


def test_a_fifth_is_kept_for_cancels_and_a_tenth_more_for_hedges_and_exits() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10))

        assert use(one, CREATE, Lane.QUOTE, 100) == 7
        assert use(one, CREATE, Lane.URGENT, 100) == 1
        assert use(one, QUERY, Lane.QUERY, 100) == 0
        assert use(one, CANCEL, Lane.CANCEL, 100) == 2

    run_virtual(main)


def test_what_was_taken_comes_back_when_the_window_is_over_and_not_before() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10))
        use(one, CREATE, Lane.QUOTE, 100)

        assert one.wait_ns(CREATE, Lane.QUOTE) == WINDOW_NS
        await clock.sleep_ns(WINDOW_NS - 1)
        assert one.wait_ns(CREATE, Lane.QUOTE) == 1
        await clock.sleep_ns(1)
        assert use(one, CREATE, Lane.QUOTE, 100) == 7

    run_virtual(main)


def test_a_batch_takes_as_many_orders_as_there_is_room_for() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10, weights={CREATE: Weight(0, item=1)}))

        assert one.fits(CREATE, Lane.QUOTE, 5) == 5
        one.take(CREATE, 5)
        assert one.fits(CREATE, Lane.QUOTE, 5) == 2
        one.take(CREATE, 2)
        assert one.fits(CREATE, Lane.QUOTE, 5) == 0

    run_virtual(main)


def test_linked_limits_all_need_room() -> None:
    async def main(clock: VirtualClock) -> None:
        orders = RateLimit("orders", 4, 10 * SECOND, {CREATE: Weight(0, item=1)})
        one = throttle(clock, limit(100), orders)

        assert use(one, CREATE, Lane.CANCEL, 100) == 4
        assert one.wait_ns(CREATE, Lane.CANCEL) == 10_500 * MS
        assert use(one, QUERY, Lane.CANCEL, 100) == 96

    run_virtual(main)


def test_a_share_scales_every_limit_and_leaves_room_for_one_request() -> None:
    heavy = limit(100, weights={QUERY: Weight(40), CREATE: Weight(1)})

    assert Bucket(limit(100), Decimal("0.5")).capacity == 50
    assert Bucket(limit(3), Decimal("0.01")).capacity == 1
    assert Bucket(heavy, Decimal("0.1")).capacity == 40


def test_a_request_that_is_heavier_than_its_part_leaves_when_nothing_else_is_used() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10, weights={QUERY: Weight(10), CREATE: Weight(1)}))

        assert one.wait_ns(QUERY, Lane.QUERY) == 0
        one.take(CREATE)
        assert one.wait_ns(QUERY, Lane.QUERY) == WINDOW_NS

    run_virtual(main)


REQUESTS = st.lists(
    st.tuples(
        st.integers(0, 400),  # milliseconds since the one before
        st.sampled_from([(CREATE, Lane.QUOTE), (CREATE, Lane.URGENT), (CANCEL, Lane.CANCEL)]),
        st.integers(1, 5),
    ),
    max_size=60,
)
WEIGHTS = st.fixed_dictionaries(
    {
        kind: st.builds(Weight, st.integers(0, 2), st.integers(0, 2), st.integers(0, 3))
        for kind in (CREATE, CANCEL)
    }
)


@settings(max_examples=150)
@given(REQUESTS, WEIGHTS, st.integers(6, 30), st.sampled_from(["1", "0.5"]))
def test_no_window_ever_holds_more_than_the_budget_and_the_reserve_is_kept(
    requests: list[tuple[int, tuple[str, Lane], int]],
    weights: dict[str, Weight],
    capacity: int,
    share: str,
) -> None:
    sent: list[tuple[int, int]] = []

    async def main(clock: VirtualClock) -> int:
        one = throttle(clock, limit(capacity, weights=weights), share=share)
        (bucket,) = one.buckets
        for pause_ms, (kind, lane), items in requests:
            await clock.sleep_ns(pause_ms * MS)
            count = one.fits(kind, lane, items)
            if count:
                one.take(kind, count)
                sent.append((clock.now_ns(), weights[kind].of(count)))
            alone = len([at for at, weight in sent if weight and clock.now_ns() - at < SECOND]) == 1
            if count and lane is not Lane.CANCEL and not alone:
                assert bucket.used <= bucket.capacity * 8 // 10 or not sent[-1][1]
        return bucket.capacity

    ours = run_virtual(main)

    assert ours <= capacity
    for at_ns, _ in sent:
        assert sum(w for t, w in sent if at_ns <= t < at_ns + SECOND) <= ours


# Queries wait their turn.


def test_queries_are_admitted_first_come_first_served_at_the_instant_of_room() -> None:
    async def main(clock: VirtualClock) -> list[tuple[str, int]]:
        one = throttle(clock, limit(5, weights={"a": Weight(4), "b": Weight(1), "c": Weight(3)}))
        admitted: list[tuple[str, int]] = []

        async def ask(kind: str) -> None:
            assert await one.admit(kind, within_ns=60 * SECOND)
            admitted.append((kind, clock.now_ns()))

        await asyncio.gather(*(ask(kind) for kind in "abcab"))
        return admitted

    # Four of five are for queries. The second "a" keeps the last "b" behind it.
    assert run_virtual(main) == [
        ("a", 0),
        ("b", WINDOW_NS),
        ("c", WINDOW_NS),
        ("a", 2 * WINDOW_NS),
        ("b", 3 * WINDOW_NS),
    ]


def test_a_query_that_gives_up_takes_nothing_and_lets_the_next_one_go() -> None:
    async def main(clock: VirtualClock) -> tuple[bool, int]:
        one = throttle(clock, limit(5, weights={"a": Weight(4), "b": Weight(1)}))
        assert await one.admit("a", within_ns=0)
        assert await one.admit("a", within_ns=100 * MS) is False
        impatient = asyncio.ensure_future(one.admit("a", within_ns=60 * SECOND))
        last = asyncio.ensure_future(one.admit("b", within_ns=60 * SECOND))
        await clock.sleep_ns(WINDOW_NS // 2)
        impatient.cancel()
        return await last, clock.now_ns()

    assert run_virtual(main) == (True, WINDOW_NS)


def test_nobody_looks_before_there_is_room() -> None:
    looked: list[int] = []

    class Watched(VirtualClock):
        def monotonic_ns(self) -> int:  # type: ignore[explicit-override]  # to count looks
            looked.append(1)
            return super().monotonic_ns()

    async def main(clock: VirtualClock) -> None:
        one = throttle(Watched(clock._loop), limit(1, window_ns=3_600 * SECOND))
        await one.admit(QUERY, within_ns=0)
        looked.clear()
        await one.admit(QUERY, within_ns=7_200 * SECOND)

    run_virtual(main)

    assert len(looked) < 20


def test_what_protects_us_has_the_room_of_cancels_and_passes_those_who_wait() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10))
        use(one, QUERY, Lane.QUERY, 100)
        waiting = asyncio.ensure_future(one.admit(QUERY, within_ns=60 * SECOND))
        await asyncio.sleep(0)
        assert await one.admit(QUERY, within_ns=0, urgent=True)
        assert await one.admit(QUERY, within_ns=0, urgent=True)
        assert await one.admit(QUERY, within_ns=WINDOW_NS - 1, urgent=True) is False
        assert clock.now_ns() == 0
        assert await one.admit(QUERY, within_ns=WINDOW_NS, urgent=True)
        assert clock.now_ns() == WINDOW_NS
        waiting.cancel()

    run_virtual(main)


def test_quotes_do_not_pass_queries_that_wait() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock, limit(10, weights={QUERY: Weight(8), CREATE: Weight(1)}))
        one.take(CREATE)
        waiting = asyncio.ensure_future(one.admit(QUERY, within_ns=60 * SECOND))
        await asyncio.sleep(0)

        assert one.wait_ns(CREATE, Lane.QUOTE) == WINDOW_NS
        assert one.wait_ns(CREATE, Lane.URGENT) == 0
        assert one.wait_ns(CREATE, Lane.CANCEL) == 0
        assert await waiting

    run_virtual(main)


# What the venue says.


def answer(status: int = 200, **headers: str) -> Response:
    return Response(status, {name.replace("_", "-"): text for name, text in headers.items()}, b"")


def test_a_venue_that_is_busy_gets_the_patience_it_asks_for_but_cancels_go_on() -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock)
        one.heard(CREATE, answer(429, Retry_After="7"))

        assert one.wait_ns(CREATE, Lane.URGENT) == 7 * SECOND
        assert one.fits(CREATE, Lane.QUOTE, 5) == 0
        assert one.fits(CANCEL, Lane.CANCEL, 5) == 5
        assert one.banned_ns() == 0
        assert await one.admit(QUERY, within_ns=10 * SECOND)
        assert clock.now_ns() == 7 * SECOND

    run_virtual(main)


@pytest.mark.parametrize(("header", "seconds"), [("", 1), ("soon", 1), ("0", 1), ("90", 90)])
def test_who_is_too_fast_waits_a_second_at_least(header: str, seconds: int) -> None:
    async def main(clock: VirtualClock) -> int:
        one = throttle(clock)
        one.heard(QUERY, answer(429, Retry_After=header))
        return one.wait_ns(CREATE, Lane.QUOTE)

    assert run_virtual(main) == seconds * SECOND


@pytest.mark.parametrize(("header", "seconds"), [("", 120), ("600", 600)])
def test_who_is_banned_sends_nothing_at_all(header: str, seconds: int) -> None:
    async def main(clock: VirtualClock) -> None:
        one = throttle(clock)
        one.heard(QUERY, answer(418, Retry_After=header))
        one.heard(QUERY, answer(418, Retry_After="1"))

        assert one.banned_ns() == seconds * SECOND
        assert one.fits(CANCEL, Lane.CANCEL, 1) == 0
        assert one.warnings == 2
        await clock.sleep_ns(seconds * SECOND)
        assert one.banned_ns() == 0
        assert one.fits(CANCEL, Lane.CANCEL, 1) == 1

    run_virtual(main)


@pytest.mark.parametrize(
    ("share", "said", "left"),
    [
        ("1", "90", 10),  # others use the same limit
        ("1", "5", 95),  # ours are still on their way
        ("1", "500", 0),
        ("1", "many", 95),
        ("0.5", "50", 45),  # the other half is theirs
        ("0.5", "70", 30),
    ],
)
def test_the_venues_own_count_is_believed_when_it_is_higher(
    share: str, said: str, left: int
) -> None:
    async def main(clock: VirtualClock) -> int:
        one = throttle(clock, limit(100, used_header="X-Used"), share=share)
        for _ in range(5):
            one.take(CANCEL)
        one.heard(QUERY, answer(x_used=said))
        one.heard(QUERY, answer(x_used=said))
        return use(one, CANCEL, Lane.CANCEL, 1000)

    assert run_virtual(main) == left


def test_how_requests_fare_is_told() -> None:
    told: list[tuple[str, bool]] = []

    async def main(clock: VirtualClock) -> None:
        one = throttle(clock)
        one.on_answer = lambda kind, answered: told.append((kind, answered))
        for response in (answer(), answer(429), answer(404), answer(503), None):
            one.heard(QUERY, response)

    run_virtual(main)

    assert [answered for _, answered in told] == [True, True, True, False, False]
