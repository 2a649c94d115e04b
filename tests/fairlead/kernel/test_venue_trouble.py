"""What a whole engine makes of a venue, a network and a clock that misbehave.

Each story ends in good weather: both sides must agree then, to the last order, fill and coin, and
no create may have left twice.
"""

from collections.abc import Mapping
from decimal import Decimal

import pytest

from fairlead.api import PostureLevel
from fairlead.errors import ExitCode
from fairlead.model import OrderState
from fairlead.store import FillBooked, OrderMoved, PostureChanged, RuleFired
from fairlead.testing.simulated import EffectKind, Origin, StreamKind
from tests.fairlead.kernel.venue_world import SECOND, SETS, VenueWorld, in_a_world

MINUTE_S = 60


def turn(world: VenueWorld, knobs: Mapping[str, float]) -> None:
    for name, rate in knobs.items():
        setattr(world.venue.knobs, name, rate)


@pytest.mark.parametrize(
    "knobs",
    [
        {"answer_lost": 0.2},
        {"request_lost": 0.2},
        {"error_after": 0.2},
        {"error_before": 0.2},
        {"answer_lost": 0.1, "hidden": 0.5, "news_lost": 0.3},
    ],
    ids=["after its effect", "before its effect", "5xx with", "5xx without", "and hidden at first"],
)
def test_a_create_without_an_answer_is_asked_for_and_never_sent_again(
    knobs: Mapping[str, float],
) -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, knobs)
        await world.seconds(5 * MINUTE_S)
        await world.end_well()

    world = in_a_world(story)

    assert all(world.venue.counts[name] for name in knobs)
    assert max(world.transport.creates.values()) == 1
    assert set(world.slots.most.values()) == {1}


def test_an_order_that_lands_late_is_waited_for_and_its_slot_stays_taken() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"late": 0.3})
        await world.seconds(5 * MINUTE_S)
        await world.end_well()

    world = in_a_world(story)

    assert world.states()[OrderState.UNKNOWN] > 0
    assert set(world.slots.most.values()) == {1}


def test_fills_that_race_cancels_are_all_booked_once() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"answer_lost": 0.1, "slow_answer": 0.3, "duplicate": 0.3, "reorder": 0.3})
        for number in range(60):
            live = world.live()
            if live:
                world.venue.deeds.hit(live[number % len(live)], (0.3, 1.0)[number % 2])
            await world.seconds(4.9 + number % 7 / 10)
        await world.end_well()

    world = in_a_world(story)

    booked = [fill.trade for fill in world.of(FillBooked)]
    assert len(booked) > 20
    assert sorted(booked) == sorted(fill.trade_id for fill in world.venue.truth.fills)


@pytest.mark.parametrize(
    ("silence", "incident"),
    [("12 s", "stream_lost"), ("10 min", "stream_mute")],
    ids=["it misses its proof of life", "its orders go untold"],
)
def test_a_user_stream_that_is_mute_is_found_out_and_opened_anew(
    silence: str, incident: str
) -> None:
    async def story(world: VenueWorld) -> None:
        await world.seconds(20)
        world.venue.deeds.mute_streams(StreamKind.USER)
        assert world.venue.deeds.hit(world.live()[0])
        await world.until(lambda: bool(world.of(FillBooked)), 20)
        await world.until(lambda: bool(world.incidents(incident)), 20)
        told = len(world.incidents(incident))
        await world.seconds(60)
        assert len(world.incidents(incident)) == told
        await world.end_well()

    in_a_world(story, "risk.warm_up=1 s", f"venues.main.silence={silence}")


def test_a_cut_of_all_streams_leaves_no_gap_in_the_quotes_longer_than_two_ticks() -> None:
    gaps: list[int] = []

    async def story(world: VenueWorld) -> None:
        for _ in range(5):
            await world.seconds(30)
            cut_ns = world.clock.now_ns()
            world.venue.deeds.cut_all()
            await world.seconds(20)
            gaps.append(world.bare_ns(cut_ns))
            await world.until(lambda: len(world.live()) == 4, 5)
        await world.end_well()

    in_a_world(story, "risk.warm_up=0 s")

    assert max(gaps) <= 2 * SECOND


@pytest.mark.unmeasured
def test_streams_are_renewed_before_the_venue_cuts_them_and_quotes_stay() -> None:
    gaps: list[int] = []

    async def story(world: VenueWorld) -> None:
        world.venue.knobs.stream_life_ns = 130 * SECOND
        world.venue.deeds.cut_all()
        await world.seconds(30)
        begun_ns, cut = world.clock.now_ns(), world.venue.counts["cut_all"]
        await world.seconds(15 * MINUTE_S)
        gaps.append(world.bare_ns(begun_ns))
        assert world.venue.counts["cut_all"] == cut
        await world.end_well()

    world = in_a_world(story, "risk.warm_up=0 s", "venues.main.life=2 min")

    assert max(gaps) <= 2 * SECOND
    assert len(world.incidents("stream_lost")) <= 1


def test_streams_that_break_and_stay_away_pull_the_quotes_until_they_are_back() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"refused": 1.0})
        world.venue.deeds.drop_streams()
        await world.seconds(3)
        assert world.desk.markets[next(iter(world.desk.markets))].mid is None
        creates = len(world.transport.creates)
        turn(world, {"refused": 0.0})
        world.venue.deeds.ban(0)
        assert len(world.transport.creates) == creates
        await world.until(lambda: len(world.live()) == 4, 60)
        await world.end_well()

    world = in_a_world(story)

    assert "stale_book" in world.rules()


def test_on_a_book_that_stands_still_nothing_is_quoted() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.freeze(40 * SECOND)
        await world.until(lambda: not world.live(), 10)
        created = len(world.transport.creates)
        await world.seconds(25)
        assert len(world.transport.creates) == created
        await world.until(lambda: len(world.live()) == 4, 60)
        await world.end_well()

    in_a_world(story)


def test_a_book_with_holes_is_replaced_and_quoted_on_again_within_seconds() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"gap": 0.1})
        await world.seconds(5 * MINUTE_S)
        turn(world, {"gap": 0.0})
        await world.until(lambda: len(world.live()) == 4, 10)
        await world.end_well()

    world = in_a_world(story)

    assert world.venue.counts["gap"] > 5
    assert {"stale_book"} & world.rules()


@pytest.mark.unmeasured
def test_a_busy_venue_is_left_alone_and_cancels_leave_all_the_same() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"busy": 0.3})
        await world.seconds(5 * MINUTE_S)
        await world.end_well()

    world = in_a_world(story)

    assert world.venue.counts["busy"] > 10
    assert world.transport.cancels > 10


def test_a_ban_is_waited_out_without_a_storm_of_requests() -> None:
    refused: list[int] = []

    async def story(world: VenueWorld) -> None:
        world.venue.deeds.ban(60 * SECOND)
        await world.seconds(60)
        refused.append(world.venue.counts["ban"])
        await world.until(lambda: len(world.live()) == 4, 60)
        await world.end_well()

    in_a_world(story)

    # Requests that were under way when the ban began, and hardly one after its first answer.
    assert 0 < refused[0] <= 10


@pytest.mark.parametrize("cancels", [False, True], ids=["orders stay", "the venue cancels all"])
def test_a_venue_under_maintenance_is_quoted_on_again_afterwards(cancels: bool) -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.maintain(60 * SECOND, cancels=cancels)
        await world.seconds(59)
        await world.until(lambda: len(world.live()) == 4, 120)
        await world.end_well()

    in_a_world(story)


@pytest.mark.parametrize("seconds", [-10, 10, -120, 120])
def test_a_venues_clock_that_jumps_costs_a_few_refusals_and_no_order(seconds: int) -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.shift_clock(seconds * SECOND)
        await world.seconds(30)
        created = len(world.effects(EffectKind.CREATED))
        await world.seconds(60)
        assert len(world.effects(EffectKind.CREATED)) > created
        await world.end_well()

    # Else it would halt.
    in_a_world(story, *SETS, "venues.main.tells_skew=false")


@pytest.mark.parametrize("mute", [False, True], ids=["its news come", "its news are lost"])
def test_a_venues_timer_that_goes_off_while_we_live_is_noticed_before_we_quote_again(
    mute: bool,
) -> None:
    async def story(world: VenueWorld) -> None:
        if mute:
            world.venue.deeds.mute_streams(StreamKind.USER)
        turn(world, {"refused": 1.0})  # no beat gets through
        await world.seconds(40)
        assert world.live() == ()
        assert "dead man" in [effect.cause for effect in world.effects(EffectKind.CANCELLED)]
        turn(world, {"refused": 0.0})
        back_ns = world.clock.now_ns()
        await world.until(lambda: len(world.live()) == 4, 60)
        await world.end_well()
        ended = [
            t_ns
            for _, t_ns, one in world.trace.lines
            if isinstance(one, OrderMoved) and one.after is OrderState.CANCELLED
        ]
        for effect in world.effects(EffectKind.CREATED):
            if effect.t_ns >= back_ns:
                assert min(ended) < effect.t_ns

    world = in_a_world(story)

    assert "unprotected:main" in world.rules()


def test_the_timer_is_disarmed_last_and_only_after_the_proof() -> None:
    async def story(world: VenueWorld) -> None:
        await world.seconds(20)
        await world.end_well()
        ended = len(world.effects(EffectKind.CANCELLED))
        await world.seconds(60)
        assert len(world.effects(EffectKind.CANCELLED)) == ended

    world = in_a_world(story)

    assert world.venue.counts["dead_man"] == 0


def test_orders_and_money_of_other_hands_are_told_and_left_alone() -> None:
    async def story(world: VenueWorld) -> None:
        deeds = world.venue.deeds
        far = Decimal("0.5") * world.venue.mid
        price = world.venue.instrument.round_price(far, world.venue.truth.open_orders()[0].side)
        result = deeds.external_order(world.venue.truth.open_orders()[0].side, price)
        assert not result.code, result
        deeds.transfer("USDT", Decimal(-1_000))
        await world.seconds(5 * MINUTE_S)
        theirs = world.venue.truth.open_orders(Origin.EXTERNAL)
        assert [order.client_id for order in theirs] == ["hand-1"]
        await world.end_well()

    world = in_a_world(story)

    assert len(world.incidents("external_order")) == 1
    assert any("main USDT" in text for text in world.incidents("unexplained_balance"))


def test_an_order_of_another_fairlead_ends_quoting() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.foreign_order()
        await world.until(lambda: "foreign_engine" in world.rules(), 180)
        await world.until(lambda: not world.live(), 10)
        created = len(world.transport.creates)
        await world.seconds(30)
        assert len(world.transport.creates) == created
        assert world.venue.truth.open_orders(Origin.FOREIGN)
        result = await world.end()
        assert result.proven

    world = in_a_world(story)

    levels = {one.level for one in world.of(PostureChanged) if one.rule == "foreign_engine"}
    assert levels == {PostureLevel.CANCEL_ONLY.name}


def test_balances_that_lag_neither_overwrite_newer_ones_nor_make_money() -> None:
    async def story(world: VenueWorld) -> None:
        turn(world, {"balance_lag": 0.5, "partial": 0.8})
        for number in range(30):
            live = world.live()
            if live:
                world.venue.deeds.hit(live[number % len(live)], 0.5)
            await world.seconds(10)
        await world.end_well()

    world = in_a_world(story)

    assert len(world.of(FillBooked)) > 10
    assert world.incidents("unexplained_balance") == []


def test_a_disk_that_fails_once_orders_are_out_cancels_them_and_ends() -> None:
    async def story(world: VenueWorld) -> None:
        world.disk.fail_at_write = world.disk.writes + 5
        result = await world.result()
        assert result.exit_code is ExitCode.HALTED
        assert world.live() == ()

    in_a_world(story)


def test_a_clock_that_is_far_off_halts_with_every_order_gone() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.shift_clock(3 * SECOND)
        result = await world.result()
        assert result.exit_code is ExitCode.HALTED
        assert "its clock is" in result.detail
        assert result.proven
        assert world.live() == ()

    in_a_world(story)


def test_a_clock_that_is_somewhat_off_is_warned_of() -> None:
    async def story(world: VenueWorld) -> None:
        world.venue.deeds.shift_clock(SECOND // 2)
        await world.seconds(3 * MINUTE_S)
        await world.end_well()

    world = in_a_world(story)

    fired = [one.effect for one in world.of(RuleFired) if one.rule == "clock_skew"]
    assert fired == ["warning"]
