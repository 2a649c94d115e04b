"""Rules meet the engine: what they say is made good at once."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from fairlead.api import (
    FillSeen,
    MarkoutSeen,
    Posture,
    PostureLevel,
    Relief,
    RiskNews,
    RiskView,
    TradeClosed,
)
from fairlead.execution import EXIT_LEVEL
from fairlead.kernel import SessionOptions, StopReason
from fairlead.kernel.control_command import Reduce, Risk, Status
from fairlead.model import MarketId, OrderState, Purpose, Side
from fairlead.store import AlertRaised, FillBooked, RuleFired
from fairlead.testing import MARKET, snapshot
from tests.fairlead.kernel.control_world import Hand, steer
from tests.fairlead.kernel.engine_world import SECOND, Watching, World, live, quoting

BOTH = tuple(Side)
REDUCING, HALTED = PostureLevel.REDUCING, PostureLevel.HALTED


def resting(world: World) -> list[Side]:
    """The sides of our orders that rest at the venue."""
    return sorted(order.intent.side for order in _live(world))


def _live(world: World) -> list[Any]:
    found = (world.engine.desk.orders.get(one.client_id) for one in world.open_orders())
    return [order for order in found if order is not None]


def posing(*postures: Posture) -> Callable[[RiskView], tuple[Posture, ...]]:
    return lambda view: postures


class Listening(Watching):
    """Keeps what it hears; restrains as ``then`` says once it has heard of a fill."""

    def __init__(self, *then: Posture) -> None:
        super().__init__()
        self.heard: list[RiskNews] = []
        self.views: list[RiskView] = []
        self._then = then

    def observe(self, news: RiskNews, view: RiskView) -> bool:
        self.heard.append(news)
        self.views.append(view)
        if isinstance(news, FillSeen) and self._then:
            self.assesses = posing(*self._then)
            return True
        return False


def fill(world: World, side: Side) -> None:
    order = next(order for order in _live(world) if order.intent.side is side)
    world.venue.exchange.fill(order.client_id)


# Pauses.


def test_a_paused_side_is_pulled_and_comes_back() -> None:
    seen: list[list[Side]] = []
    gates: list[str] = []

    async def act(world: World) -> None:
        await quoting(world)
        pause = Posture(rule="watching", reason="too fast", market=MARKET, paused=(Side.BUY,))
        world.rule.assesses = posing(pause)
        await world.wait(2)
        seen.append(resting(world))
        gates.extend(gate.name for gate in world.engine.desk.runners["alt"].gates)
        world.rule.assesses = posing()
        await world.wait(2)
        seen.append(resting(world))
        world.engine.request_stop()

    world, _ = live(act)

    assert seen == [[Side.SELL], [Side.BUY, Side.SELL]]
    assert gates == ["watching"]
    assert [one.effect for one in world.trace.of(RuleFired)] == ["BUY paused"]


def test_a_market_that_is_paused_is_not_quoted_on() -> None:
    seen: list[list[Side]] = []

    async def act(world: World) -> None:
        await quoting(world)
        world.rule.assesses = posing(Posture(rule="watching", market=MARKET, paused=BOTH))
        await world.wait(2)
        seen.append(resting(world))
        world.engine.request_stop()

    live(act)

    assert seen == [[]]


def test_a_pause_that_comes_with_a_fill_does_not_wait_for_the_tick() -> None:
    seen: list[list[Side]] = []

    async def act(world: World) -> None:
        pause = Posture(rule="watching", reason="a fill", market=MARKET, paused=BOTH)
        world.rule = Listening(pause)
        await quoting(world)
        await world.wait(0.3)
        fill(world, Side.SELL)
        await world.clock.sleep_ns(SECOND // 10)
        seen.append(resting(world))
        world.engine.request_stop()

    live(act)

    assert seen == [[]]


# News.


def test_rules_hear_of_fills_trades_and_markouts() -> None:
    rule = Listening()

    async def act(world: World) -> None:
        world.rule = rule
        await quoting(world)
        fill(world, Side.SELL)
        await world.wait(3)
        fill(world, Side.BUY)
        await world.wait(12)
        world.show("100.90", "101.10")
        await world.wait(3)
        world.engine.request_stop()

    live(act)

    fills = [news for news in rule.heard if isinstance(news, FillSeen)]
    trades = [news for news in rule.heard if isinstance(news, TradeClosed)]
    markouts = [news for news in rule.heard if isinstance(news, MarkoutSeen)]
    assert [(one.fill.side, one.value) for one in fills] == [
        (Side.SELL, Decimal(101)),
        (Side.BUY, Decimal(99)),
    ]
    # What was sold opened a gap of one below the target; what was bought closed it.
    assert trades == [TradeClosed("alt", MARKET, Decimal("2.00"))]
    assert [round(one.bps) for one in markouts] == [99, 101]


def test_the_day_counts_what_closed_trades_came_to() -> None:
    realised: list[Decimal | None] = []

    async def act(world: World) -> None:
        await quoting(world)
        for side in (Side.SELL, Side.BUY):
            fill(world, side)
            await world.wait(2)
            realised.append(world.engine.desk.view.account.realised_today)
        world.engine.request_stop()

    live(act)

    assert realised == [0, 2]


# Reduce-only.


def test_what_grows_the_gap_goes_at_once_when_a_person_says_so() -> None:
    seen: list[list[Side]] = []

    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        await hand.told(Reduce(on=True))
        await hand.at(30.9)
        live_orders = [hand.session.engine.desk.orders.get(one) for one in hand.live()]
        growing = Side.BUY if hand.gap > 0 else Side.SELL
        seen.append(
            [
                order.intent.side
                for order in live_orders
                if order is not None
                and order.state is not OrderState.PENDING_CANCEL
                and order.intent.side is growing
            ]
        )
        await hand.told(Reduce(on=False))
        await hand.at(45)
        seen.append([Side.BUY] if len(hand.live()) > 3 else [])

    steer(script, seconds=60)

    assert seen == [[], [Side.BUY]]


def test_a_run_may_begin_reduce_only() -> None:
    told: list[dict[str, Any]] = []

    async def script(hand: Hand) -> None:
        await hand.at(20)
        told.append(await hand.told(Status()))
        await hand.told(Reduce(on=False))
        told.append(await hand.told(Status()))

    steer(script, seconds=30, options=SessionOptions(reduce_only=True))

    assert [one["posture"] for one in told] == ["REDUCING", "ACTIVE"]
    assert told[0]["posture_reason"] == "asked by the command line"


# Relief.


def test_an_emergency_stop_may_bring_positions_to_their_targets_first() -> None:
    limits = 'risk.max_drawdown={limit="0.01%", flatten="1%"}'

    steered = steer(
        None, limits, "risk.max_order=5000 USDT", "risk.max_order_share=50%", seconds=600
    )

    assert steered.outcome.result.reason is StopReason.HALTED
    exits = [one for one in steered.trace.of(FillBooked) if one.level == EXIT_LEVEL]
    assert len(exits) > 0
    desk = steered.session.engine.desk
    (market,) = desk.markets
    target = desk.target(market)
    assert target is not None
    assert abs(desk.position(market) - target) < 1
    stops = [one for one in steered.trace.of(RuleFired) if one.effect == "HALTED"]
    assert stops[0].rule == "max_drawdown"


def test_without_a_relief_it_halts_with_the_next_tick() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        world.rule.assesses = posing(Posture(HALTED, "watching", "enough"))
        await world.wait(20)

    _, result = live(act)

    assert (result.reason, result.detail) == (StopReason.HALTED, "watching: enough")
    assert result.ended_ns - result.started_ns < 12 * SECOND


def test_what_a_relief_cannot_do_is_an_alert() -> None:
    async def act(world: World) -> None:
        await quoting(world)
        fill(world, Side.BUY)
        await world.wait(2)
        relief = Relief(Decimal("0.0001"))  # nothing is bid within one basis point of the mid
        world.rule.assesses = posing(Posture(REDUCING, "watching", "cut", MARKET, relief=relief))
        await world.wait(20)
        world.rule.assesses = posing()
        await world.wait(3)
        assert len(world.open_orders()) == 2  # let go again
        world.engine.request_stop()

    world, _ = live(act)

    assert [one.name for one in world.trace.of(AlertRaised)] == ["residual_exposure"]


def test_a_position_is_cut_by_so_much_and_in_slices_of_what_rests_there() -> None:
    sizes: list[Decimal] = []

    async def act(world: World) -> None:
        await quoting(world)
        fill(world, Side.SELL)  # one below the target now
        await world.wait(2)
        relief = Relief(Decimal("0.01"), Decimal("0.8"), Decimal("0.1"), Decimal("0.01"))
        world.rule.assesses = posing(Posture(REDUCING, "watching", "cut", MARKET, relief=relief))
        for _ in range(8):
            await world.wait(1)
            for order in _live(world):
                if order.intent.purpose is Purpose.EXIT:
                    sizes.append(order.intent.quantity)
                    world.venue.exchange.fill(order.client_id)
        world.engine.request_stop()

    live(act)

    # Five are offered, of which a tenth is taken at once.
    assert sizes == [Decimal("0.5"), Decimal("0.3")]


# What people see.


def test_every_rule_shows_how_far_it_is_from_firing() -> None:
    found: list[dict[str, Any]] = []

    async def script(hand: Hand) -> None:
        await hand.at(40)
        found.append(await hand.told(Risk()))

    steer(script, "risk.warm_up=20 s", seconds=50)

    rules = {rule["rule"]: rule for rule in found[0]["rules"]}
    assert rules["max_position"]["gauges"][0]["limit"] == "2000 USDT"
    assert rules["second_source"]["gauges"][0]["now"] == "no second source configured"
    assert rules["clock_skew"]["gauges"][0]["now"] == "unavailable"
    assert rules["margin_cut"]["gauges"][0]["now"] == "unavailable"
    assert (rules["warm_up"]["fired"], rules["warm_up"]["effects"]) == (1, [])


def test_the_report_says_what_fired_and_for_how_long() -> None:
    steered = steer(None, "risk.warm_up=20 s", seconds=60)

    assert steered.outcome.report is not None
    risk = steered.outcome.report["summary"]["risk"]
    assert risk["warm_up"]["fired"] == 1
    assert 15 * SECOND < risk["warm_up"]["active_ns"] <= 20 * SECOND


# A second source.


@pytest.mark.parametrize("venues", [("main",), ("main", "far")])
def test_the_same_market_at_another_venue_is_a_second_source(venues: tuple[str, ...]) -> None:
    mids: list[list[Decimal | None]] = []

    async def act(world: World) -> None:
        await quoting(world)
        if "far" in world.venues:
            other = snapshot([("98", 5)], [("100", 5)], last_id=1, at_ns=world.clock.now_ns())
            far = msgspec.structs.replace(other, market=MarketId("far", MARKET.symbol))
            world.venues["far"].publish(far)
        await world.wait(1)
        found = world.engine.desk.view.sources(MARKET)
        mids.append([one.mid for one in found])
        world.engine.request_stop()

    live(act, venues=venues)

    assert mids == [[Decimal(99)] if len(venues) > 1 else []]


def test_a_fill_while_reducing_takes_away_at_once_what_is_more_than_the_gap() -> None:
    seen: list[list[Side]] = []

    async def act(world: World) -> None:
        await quoting(world)
        desk = world.engine.desk
        desk.cast.aims[MARKET] = desk.position(MARKET) - 40
        desk.gate.impose("test", REDUCING, "why", MARKET)
        desk.guard.enforce_all()
        await world.wait(1.3)
        seen.append(resting(world))
        (order,) = _live(world)
        # What else was to be sold is gone meanwhile.
        desk.cast.aims[MARKET] = desk.position(MARKET) - Decimal("1.5")
        world.venue.exchange.fill(order.client_id, "1")
        await world.clock.sleep_ns(SECOND // 20)
        seen.append(resting(world))
        world.engine.request_stop()

    live(act)

    assert seen == [[Side.SELL], []]
