"""Every knob does what its name says: at the venue in truth, and as its client sees it."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

import pytest

from fairlead.model import (
    ZERO,
    Accepted,
    BalanceUpdate,
    Fill,
    NotSent,
    OrderState,
    OrderUpdate,
    Outcome,
    Rejected,
    Side,
    Unavailable,
    Unknown,
)
from fairlead.testing import EffectKind, Knobs
from tests.fairlead.testing.neutral_world import (
    MARKET,
    MILLISECOND,
    SECOND,
    World,
    created,
    in_world,
    times,
)


@pytest.mark.parametrize(
    ("knob", "outcome", "lives"),
    [
        ("refused", NotSent, False),
        ("request_lost", Unknown, False),
        ("answer_lost", Unknown, True),
        ("error_before", Unknown, False),
        ("error_after", Unknown, True),
        ("busy", NotSent, False),
    ],
)
def test_a_request_fares_as_the_knob_says(knob: str, outcome: type[Outcome], lives: bool) -> None:
    async def story(world: World) -> None:
        setattr(world.venue.knobs, knob, 1.0)

        got = await world.place("one")
        await world.pass_s(10)

        assert isinstance(got, outcome)
        assert (world.live() == ["one"]) is lives
        assert world.venue.counts[knob] >= 1

    in_world(story)


@pytest.mark.parametrize(
    ("knob", "outcome", "lives"),
    [
        ("refused", NotSent, True),
        ("request_lost", Unknown, True),
        ("answer_lost", Unknown, False),
        ("error_before", Unknown, True),
        ("error_after", Unknown, False),
    ],
)
def test_so_does_a_cancel(knob: str, outcome: type[Outcome], lives: bool) -> None:
    async def story(world: World) -> None:
        await world.place("one")
        setattr(world.venue.knobs, knob, 1.0)

        got = await world.cancel("one")

        assert isinstance(got, outcome)
        assert (world.live() == ["one"]) is lives

    in_world(story)


def test_a_busy_venue_says_when_to_come_back_and_is_obeyed() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.busy, world.venue.knobs.busy_ns = 1.0, 5 * SECOND
        first = await world.place("one")
        world.venue.heal()
        held = await world.place("two")
        await world.pass_s(6)
        later = await world.place("three")

        assert isinstance(first, NotSent)
        assert isinstance(held, NotSent)
        assert held.cause == "the venue asked for patience"
        assert first.retry_at_ns == held.retry_at_ns
        assert isinstance(later, Accepted)
        assert list(created(world)) == ["three"]

    in_world(story)


def test_late_requests_land_within_their_deadline_or_never() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.late = 1.0
        sent: dict[str, int] = {}
        outcomes: dict[str, Outcome] = {}
        for number in range(40):
            name = f"o{number}"
            sent[name] = world.clock.now_ns()
            outcomes[name] = await world.place(name, Side.BUY if number % 2 else Side.SELL)
            await world.pass_s(9)
        landed = created(world)

        waits = [(landed[name] - sent[name]) / SECOND for name in landed]
        assert 5 <= len(landed) <= 35
        assert all(1 <= wait <= 3.1 for wait in waits)
        assert all(isinstance(one, Unknown | Accepted) for one in outcomes.values())
        assert sum(isinstance(one, Unknown) for one in outcomes.values()) >= 20
        assert world.venue.counts["late"] == 40

    in_world(story)


def test_a_slow_answer_comes_after_the_news_that_it_made() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.slow_answer = 1.0
        await world.place("one")

        assert [update.client_id for update in world.of(OrderUpdate)] == ["one"]

    in_world(story)


def test_duplicated_news_come_twice() -> None:
    async def story(world: World) -> None:
        await world.place("one")
        world.venue.knobs.duplicate = 1.0
        world.venue.deeds.hit("one")
        await world.pass_s(2)

        assert [fill.trade_id for fill in world.of(Fill)] == ["1", "1"]
        assert len(world.venue.truth.fills) == 1

    in_world(story)


def test_reordered_news_are_overtaken() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.reorder = 0.5
        for number in range(30):
            await world.place(f"o{number}")
        await world.pass_s(3)

        told = [int(update.client_id[1:]) for update in world.of(OrderUpdate)]
        assert sorted(told) == list(range(30))
        assert told != sorted(told)

    in_world(story)


def test_a_lost_piece_of_news_does_not_come_by_the_stream() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.news_lost = 1.0
        await world.place("one")
        await world.pass_s(0.5)

        assert world.of(OrderUpdate) == []
        assert world.live() == ["one"]

    in_world(story)


def test_lagging_balances_are_those_of_some_time_ago() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.balance_lag = 1.0
        world.venue.knobs.balance_lag_ns = (2 * SECOND, 2 * SECOND)
        await world.place("one", Side.SELL)
        early = await world.connector.balances()
        told = list(world.of(BalanceUpdate))
        await world.pass_s(3)
        late = await world.connector.balances()

        assert isinstance(early, tuple)
        assert isinstance(late, tuple)
        assert {one.asset: one.locked for one in early}["ALT"] == 0
        assert {one.asset: one.locked for one in late}["ALT"] == 100
        assert world.venue.truth.balances()["ALT"][1] == 100
        assert told == []
        news = {one.asset: one.locked for one in world.of(BalanceUpdate)}
        assert news["ALT"] == 100

    in_world(story)


def test_a_hidden_order_is_live_and_not_shown_for_less_than_a_second() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.hidden = 1.0
        await world.place("one")
        shown = await world.connector.order(MARKET, "one")
        listed = await world.connector.open_orders()
        live = world.live()
        await world.pass_s(1)

        assert live == ["one"]
        assert shown is None
        assert listed == ()
        assert isinstance(await world.connector.order(MARKET, "one"), OrderUpdate)
        assert await world.connector.open_orders() != ()

    in_world(story)


def test_a_fill_that_is_not_listed_at_first_is_told_all_the_same() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.unlisted = 1.0
        await world.place("one")
        world.venue.deeds.hit("one", 0.5)
        await world.pass_s(0.04)
        listed = await world.connector.fills(0)
        told = [fill.client_id for fill in world.of(Fill)]
        await world.pass_s(3)
        later = await world.connector.fills(0)

        assert listed == ()
        assert told == ["one"]
        assert not isinstance(later, Unavailable)
        assert [fill.client_id for fill in later] == ["one"]

    in_world(story)


def test_a_venue_that_learns_late_of_a_fill_reports_the_cancel_without_it() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.late_fill = 1.0
        await world.place("one")
        world.venue.deeds.hit("one", 0.5)
        before = await world.connector.order(MARKET, "one")
        listed = await world.connector.fills(0)
        await world.cancel("one")
        await world.pass_s(0.05)
        ends = [update for update in world.of(OrderUpdate) if update.state.is_closed]
        await world.pass_s(4)

        assert isinstance(before, OrderUpdate)
        assert (before.state, before.filled, listed) == (OrderState.OPEN, ZERO, ())
        assert [(end.state, end.filled) for end in ends] == [(OrderState.CANCELLED, ZERO)]
        assert [fill.client_id for fill in world.of(Fill)] == ["one"]
        assert world.venue.account.learnt_late == {"one": world.of(Fill)[0].quantity}

    in_world(story)


def test_a_gap_makes_the_book_invalid_until_the_next_snapshot() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.gap = 1.0
        await world.pass_s(3)
        world.venue.heal()
        await world.pass_s(4)

        assert len(world.blind) == 1
        assert world.book.counters.gaps == 1
        assert world.book.valid

    in_world(story)


def test_partial_prints_fill_orders_in_pieces() -> None:
    pieces: dict[float, list[Decimal]] = {}
    for rate in (0.0, 1.0):

        async def story(world: World, rate: float = rate) -> None:
            world.venue.knobs.partial = rate
            await world.place("one")
            for _ in range(3):
                world.venue.deeds.hit("one", 0.9)
            pieces[rate] = [fill.quantity for fill in world.venue.truth.fills]

        in_world(story)

    assert pieces[0.0][0] == 90
    assert all(piece <= 20 for piece in pieces[1.0])
    assert len(pieces[1.0]) == 3


@pytest.mark.parametrize("reuse", [False, True])
def test_a_venue_may_let_the_id_of_a_closed_order_be_used_again(reuse: bool) -> None:
    async def story(world: World) -> None:
        world.venue.knobs.reuse_ids = reuse
        await world.place("one")
        second = await world.place("one")
        await world.cancel("one")
        third = await world.place("one")

        # That an id is taken says nothing about the order that has it.
        assert isinstance(second, Unknown)
        assert isinstance(third, Accepted if reuse else Unknown)
        assert world.venue.truth.created == (2 if reuse else 1)

    in_world(story)


def test_streams_are_closed_at_the_age_that_the_venue_allows() -> None:
    async def story(world: World) -> None:
        world.venue.knobs.stream_life_ns = 60 * SECOND
        world.venue.deeds.cut_all()
        await world.pass_s(200)

        assert 4 <= len(world.blind) <= 5

    in_world(story)


# --- all of them


def test_healing_turns_everything_back() -> None:
    async def story(world: World) -> None:
        for name in Knobs.rates():
            setattr(world.venue.knobs, name, 1.0)
        world.venue.deeds.ban(3_600 * SECOND)
        world.venue.deeds.maintain(3_600 * SECOND)
        world.venue.deeds.shift_clock(10 * SECOND)
        world.venue.deeds.freeze(3_600 * SECOND)
        world.venue.heal()
        await world.pass_s(60)

        assert world.venue.knobs == Knobs()
        assert isinstance(await world.place("one"), Accepted)
        assert world.book.valid

    in_world(story)


def test_every_rate_is_a_probability_and_as_made_all_is_well() -> None:
    rates = Knobs.rates()

    assert len(rates) == 17
    assert all(getattr(Knobs(), name) == 0.0 for name in rates)
    assert set(rates) < {knob.name for knob in fields(Knobs)}


def test_one_knob_does_not_move_the_chances_of_another() -> None:
    async def quiet(world: World) -> None:
        await world.pass_s(120)

    async def noisy(world: World) -> None:
        world.venue.knobs.duplicate = world.venue.knobs.error_before = 0.5
        await world.pass_s(120)

    books = [in_world(story).venue.account.exchange.book for story in (quiet, noisy)]

    assert books[0].top == books[1].top
    assert books[0].last_id == books[1].last_id


#: When something was asked, and what came of it, by client id.
_Asked = dict[str, tuple[int, Outcome]]


async def _hardship(world: World) -> tuple[_Asked, _Asked]:
    """Place and cancel while everything goes wrong; gives what was asked for."""
    deeds = world.venue.deeds
    placed: _Asked = {}
    cancelled: _Asked = {}
    for number in range(150):
        name = f"o{number}"
        if number % 17 == 0:
            deeds.shift_clock((number % 5 - 2) * 5 * SECOND)
        if number % 29 == 0:
            deeds.maintain(2 * SECOND)
        if number % 37 == 0:
            deeds.ban(2 * SECOND)
        asked_ns = world.clock.now_ns()
        placed[name] = (asked_ns, await world.place(name, Side.BUY if number % 2 else Side.SELL))
        asked_ns = world.clock.now_ns()
        cancelled[name] = (asked_ns, await world.cancel(name))
        await world.pass_s(0.5)
    await world.pass_s(20)
    return placed, cancelled


def _assert_honest(asked: _Asked, effects: dict[str, int], deadline_ns: int) -> None:
    for name, (asked_ns, outcome) in asked.items():
        if isinstance(outcome, NotSent | Rejected):
            assert name not in effects, (name, outcome)
        if isinstance(outcome, Accepted):
            assert name in effects, (name, outcome)
        assert effects.get(name, asked_ns) <= asked_ns + deadline_ns, name


@pytest.mark.parametrize("seed", range(20))
def test_what_may_have_had_an_effect_is_never_called_refused_or_not_sent(seed: int) -> None:
    async def story(world: World) -> None:
        knobs, deadline_ns = world.venue.knobs, world.connector.capabilities.deadline_ns
        for name in Knobs.rates():
            setattr(knobs, name, 0.15)
        knobs.latency_ns = (5 * MILLISECOND, 400 * MILLISECOND)

        placed, cancelled = await _hardship(world)

        _assert_honest(placed, times(world, EffectKind.CREATED), deadline_ns)
        _assert_honest(cancelled, times(world, EffectKind.CANCELLED), deadline_ns)
        assert {type(outcome) for _, outcome in placed.values()} >= {Accepted, NotSent, Unknown}

    in_world(story, seed=seed)
