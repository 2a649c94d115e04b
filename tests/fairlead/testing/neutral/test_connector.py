"""The connector speaks the whole protocol, from its start on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from fairlead.api import DeadMan, Registry
from fairlead.model import (
    ZERO,
    Accepted,
    BalanceUpdate,
    BookSnapshot,
    CancelRequest,
    Fill,
    Liquidity,
    NotSent,
    OrderState,
    OrderUpdate,
    RejectClass,
    Rejected,
    Side,
    StreamState,
    StreamStatus,
)
from fairlead.testing import (
    Knobs,
    NeutralConfig,
    NeutralConnector,
    SimulatedVenue,
    VenueSetup,
    offer_neutral,
)
from tests.fairlead.testing.neutral_world import (
    MARKET,
    MILLISECOND,
    SECOND,
    START_NS,
    SYMBOL,
    World,
    in_world,
)


def test_its_markets_are_read_before_it_says_that_it_is_connected() -> None:
    async def story(world: World) -> None:
        instrument = world.connector.instruments[SYMBOL]

        assert instrument == world.venue.instrument
        assert [state.status for state in world.of(StreamState)] == [StreamStatus.CONNECTED]
        assert world.connector.starts_ns is None
        assert world.connector.ends_ns is None

    in_world(story)


def test_the_book_that_it_feeds_is_the_venues_book() -> None:
    async def story(world: World) -> None:
        await world.clock.sleep_ns(500 * MILLISECOND)  # between two frames
        for _ in range(100):
            await world.pass_s(2)
            assert world.top_is_true()

        assert world.blind == []

    in_world(story)


def test_an_order_is_placed_seen_filled_in_part_and_cancelled() -> None:
    async def story(world: World) -> None:
        connector = world.connector
        outcome = await world.place("one")
        listed = await connector.open_orders()
        assert isinstance(outcome, Accepted)
        assert isinstance(listed, tuple)
        assert [(one.client_id, one.venue_id, one.state) for one in listed] == [
            ("one", outcome.venue_id, OrderState.OPEN)
        ]
        world.venue.deeds.hit("one", 0.4)
        await world.pass_s(0.2)
        shown = await connector.order(MARKET, "one")
        fills = await connector.fills(START_NS)
        assert isinstance(shown, OrderUpdate)
        assert (shown.state, shown.filled) == (OrderState.PARTIALLY_FILLED, Decimal(40))
        assert isinstance(fills, tuple)
        assert [(one.client_id, one.quantity, one.liquidity) for one in fills] == [
            ("one", Decimal(40), Liquidity.MAKER)
        ]
        assert await world.cancel("one") == outcome
        assert await connector.open_orders() == ()
        await world.pass_s(0.2)
        states = [one.state for one in world.of(OrderUpdate)]
        assert states == [OrderState.OPEN, OrderState.PARTIALLY_FILLED, OrderState.CANCELLED]
        (told,) = world.of(Fill)
        assert msgspec.structs.replace(told, local_ns=0) == msgspec.structs.replace(
            fills[0], local_ns=0
        )
        assert world.venue.truth.fills[0].trade_id == told.trade_id

    in_world(story)


def test_balances_are_the_venues_and_there_are_no_positions() -> None:
    async def story(world: World) -> None:
        await world.place("one", Side.SELL)
        balances = await world.connector.balances()

        assert isinstance(balances, tuple)
        assert {one.asset: (one.free, one.locked) for one in balances} == (
            world.venue.truth.balances()
        )
        assert balances[0].locked == 100
        assert await world.connector.positions() == ()
        await world.pass_s(0.2)
        assert world.of(BalanceUpdate)[0].locked == 100

    in_world(story)


def test_a_cancel_by_the_venues_id_finds_the_order() -> None:
    async def story(world: World) -> None:
        outcome = await world.place("one")
        assert isinstance(outcome, Accepted)
        request = CancelRequest("", MARKET, outcome.venue_id, "test")

        assert await world.connector.cancel([request]) == (outcome,)
        assert world.live() == []

    in_world(story)


def test_each_order_of_a_batch_has_its_own_outcome() -> None:
    async def story(world: World) -> None:
        good, crossing = world.intent("good"), world.intent("crossing", away="-0.0100")
        small = world.intent("small", quantity=1)
        rich = world.intent("rich", quantity=1_000_000)

        outcomes = await world.connector.submit([good, crossing, small, rich])

        assert isinstance(outcomes[0], Accepted)
        assert [(one.code, one.reason) for one in outcomes[1:] if isinstance(one, Rejected)] == [
            ("POST_ONLY", RejectClass.POST_ONLY),
            ("MIN_NOTIONAL", RejectClass.NOTIONAL),
            ("INSUFFICIENT_BALANCE", RejectClass.BALANCE),
        ]
        assert world.live() == ["good"]

    in_world(story)


def test_what_the_venue_does_not_know_is_none_and_its_cancel_is_not_found() -> None:
    async def story(world: World) -> None:
        assert await world.connector.order(MARKET, "nobody") is None
        outcome = await world.cancel("nobody")
        assert isinstance(outcome, Rejected)
        assert outcome.reason is RejectClass.NOT_FOUND

    in_world(story)


def test_open_orders_and_fills_are_read_page_by_page() -> None:
    async def story(world: World) -> None:
        for number in range(25):
            await world.place(f"o{number}")
        listed = await world.connector.open_orders()
        assert isinstance(listed, tuple)
        assert [one.client_id for one in listed] == [f"o{number}" for number in range(25)]
        for number in range(25):
            world.venue.deeds.hit(f"o{number}", 1.0)
        fills = await world.connector.fills(0)
        assert isinstance(fills, tuple)
        assert [one.trade_id for one in fills] == [one.trade_id for one in world.venue.truth.fills]
        assert len(fills) >= 25

    in_world(story, setup=VenueSetup(page=10))


def test_fills_are_read_from_an_instant_on_inclusive() -> None:
    async def story(world: World) -> None:
        for name in ("one", "two"):
            await world.place(name)
            world.venue.deeds.hit(name)
            await world.pass_s(1)
        since_ns = world.venue.truth.fills[1].venue_ns

        late = await world.connector.fills(since_ns)
        none = await world.connector.fills(since_ns + 1)

        assert isinstance(late, tuple)
        assert [one.client_id for one in late] == ["two"]
        assert none == ()

    in_world(story)


def test_the_dead_man_cancels_everything_when_nobody_beats() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        world.venue.deeds.external_order()
        armed = await world.connector.arm(3 * SECOND)
        await world.pass_s(2)
        again = await world.connector.arm(3 * SECOND)
        await world.pass_s(2.5)
        kept = world.live()
        await world.pass_s(1)

        assert isinstance(world.connector, DeadMan)
        assert (armed, again) == (None, None)
        assert len(kept) == 2
        assert world.live() == []
        assert world.venue.counts["dead_man"] == 1
        assert {effect.cause for effect in list(world.venue.truth.effects)[-2:]} == {"dead man"}

    in_world(story)


def test_the_dead_man_can_be_disarmed_and_refused() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        await world.connector.arm(1 * SECOND)
        disarmed = await world.connector.disarm()
        await world.pass_s(5)
        world.venue.knobs.dead_man = False

        assert disarmed is None
        assert world.live() == ["one"]
        assert isinstance(await world.connector.arm(SECOND), Rejected)

    in_world(story)


# --- the start


@pytest.mark.parametrize(
    "trouble",
    [
        lambda venue: venue.deeds.maintain(10 * SECOND),
        lambda venue: venue.deeds.ban(10 * SECOND),
        lambda venue: setattr(venue.knobs, "error_before", 0.7),
        lambda venue: setattr(venue.knobs, "request_lost", 0.7),
        lambda venue: setattr(venue.knobs, "refused", 0.7),
    ],
    ids=["maintenance", "ban", "errors", "lost requests", "refused"],
)
def test_it_insists_until_the_venue_has_told_its_markets_and_its_time(
    trouble: Callable[[SimulatedVenue], None],
) -> None:
    async def story(world: World) -> None:
        await world.pass_s(60)

        assert SYMBOL in world.connector.instruments
        assert world.of(StreamState)[0].status is StreamStatus.CONNECTED

    in_world(story, before=trouble)


def test_it_is_offered_as_a_plugin_would_offer_it() -> None:
    registry = Registry()
    offer_neutral(registry)

    offer = registry.offers().connectors["neutral"]

    assert offer.config is NeutralConfig
    assert offer.build is NeutralConnector


# --- determinism


def _digest(seed: int) -> tuple[str, int]:
    async def story(world: World) -> None:
        knobs = world.venue.knobs
        for name in Knobs.rates():
            setattr(knobs, name, 0.05)
        for number in range(200):
            side = Side.BUY if number % 2 else Side.SELL
            await world.place(f"o{number}", side)
            if number % 3:
                await world.cancel(f"o{number - 1}")
            if number % 40 == 0:
                world.venue.deeds.drop_streams()
            await world.pass_s(1)

    world = in_world(story, seed=seed)
    digest = hashlib.sha256()
    for event in world.events:
        digest.update(msgspec.json.encode(event))
    digest.update(repr(world.venue.truth.effects).encode())
    digest.update(repr(sorted(world.venue.counts.items())).encode())
    return digest.hexdigest(), len(world.events)


def test_the_same_seed_gives_the_same_run_to_the_last_event() -> None:
    first, again, other = _digest(7), _digest(7), _digest(8)

    assert first == again
    assert first[0] != other[0]
    assert first[1] > 1_000


def test_a_snapshot_has_the_decimals_of_its_market() -> None:
    async def story(world: World) -> None:
        snapshot = world.of(BookSnapshot)[0]

        assert snapshot.scale.price(snapshot.bids[0][0]) < world.venue.mid + 1
        assert snapshot.scale.quantity(snapshot.bids[0][1]) > ZERO
        assert isinstance(await world.place("one"), Accepted)
        assert not isinstance(await world.place("one"), NotSent)

    in_world(story)
