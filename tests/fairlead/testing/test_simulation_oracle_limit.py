"""What the judges of limits and of reducing let pass, and what they do not: without an engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from types import SimpleNamespace

import pytest

from fairlead.api import PostureLevel
from fairlead.kernel import VirtualClock
from fairlead.model import MarketId, Purpose, Side
from fairlead.store import FillBooked, PostureChanged
from fairlead.testing import SimulatedVenue
from fairlead.testing.neutral import Place, PlaceBatch
from fairlead.testing.simulation.flight import Flights
from fairlead.testing.simulation.oracle_limit import LimitOracle, Limits, ReduceOracle
from tests.fairlead.testing.oracle_kit import (
    MARKET,
    SECOND,
    TICK,
    Trade,
    Watch,
    in_venue,
    life,
    made,
)

BUY, SELL = Side.BUY, Side.SELL
WHERE = MarketId.parse(MARKET)
BAND = "no order is outside of its price band"
MEETS = "no order meets one of our own"
BEYOND = "no position is beyond its limit, whatever fills"
GROWS = "reduce-only never grows the gap"


@dataclass
class Desk:
    """What the process knows: one market, what it holds there and what it steers to."""

    venue: SimulatedVenue
    held: Decimal = Decimal(0)
    steered_to: Decimal = Decimal(0)
    runners: dict[str, SimpleNamespace] = field(default_factory=dict)
    cast: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(aims={}))

    @property
    def markets(self) -> dict[MarketId, object]:
        return {WHERE: SimpleNamespace(mark=Decimal(2), instrument=self.venue.instrument)}

    def position(self, market: MarketId) -> Decimal:
        return self.held

    def target(self, market: MarketId) -> Decimal:
        return self.steered_to


class Story:
    """Orders of a process, and the two judges who hear of them."""

    def __init__(self, venue: SimulatedVenue, limits: Limits) -> None:
        self.watch = Watch()
        self.desk = Desk(venue)
        flights = Flights({"main": venue})
        self.reduce = ReduceOracle(self.watch.add, flights)
        oracles = (LimitOracle(self.watch.add, {"main": venue}, flights, limits), self.reduce)
        process = life(engine=SimpleNamespace(desk=self.desk))
        self.trade = Trade(venue, flights, *oracles, process=process)
        self.trade.record(TICK)

    def restrain(self, level: PostureLevel, market: str = MARKET) -> None:
        """Let risk say what may be done."""
        self.trade.record(PostureChanged(market, level, "drawdown", "so"))

    def leave(self, name: str) -> None:
        """Let a recorded order leave."""
        order = Place(name, WHERE.symbol, BUY, Decimal(2), Decimal(10))
        self.reduce.placing(self.trade.life, "main", PlaceBatch(0, SECOND, (order,)))


def judged(tell: Callable[[Story], None], **limits: int | str) -> list[str]:
    """Tell a story under these limits, and give what was broken."""
    broken: list[str] = []

    def begin(venue: SimulatedVenue, clock: VirtualClock) -> None:
        story = Story(venue, Limits(**{name: Decimal(one) for name, one in limits.items()}))
        tell(story)
        broken.extend(story.watch.broken)

    in_venue(begin)
    return broken


# --- limits


@pytest.mark.parametrize(
    ("quantity", "broken"), [(10, []), (11, ["no order is larger than its limit"])]
)
def test_no_order_that_arrives_is_worth_more_than_is_allowed(
    quantity: int, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.trade.place(BUY, quantity)
        story.desk.venue.deeds.external_order(quantity=Decimal(100))

    assert judged(tell, order=19) == broken


@pytest.mark.parametrize(
    ("count", "broken"), [(2, []), (3, ["no more orders live than are allowed"])]
)
def test_no_more_orders_live_than_are_allowed_and_exits_count_none(
    count: int, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.trade.cancel(story.trade.place(BUY, 10))
        story.trade.place(SELL, 10, purpose=Purpose.EXIT, execution="e1")
        for _ in range(count):
            story.trade.place(BUY, 10)

    assert judged(tell, count=2) == broken


@pytest.mark.parametrize(
    ("side", "price", "post_only", "broken"),
    [
        (BUY, "1.9", True, []),
        (BUY, "1.8999", True, [BAND]),
        (SELL, "2.1001", True, [BAND]),
        (BUY, "2.04", False, []),
        (BUY, "2.0401", False, [BAND]),
        (SELL, "1.9599", False, [BAND]),
        # However far it waits, a taker's order is no worse for it.
        (BUY, "1", False, []),
    ],
)
def test_an_order_is_priced_within_its_band(
    side: Side, price: str, post_only: bool, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.trade.write(side, 10, price=Decimal(price), post_only=post_only)

    assert judged(tell, maker="0.05", taker="0.02") == broken


def test_an_order_without_a_mid_is_outside_of_any_band() -> None:
    def tell(story: Story) -> None:
        story.trade.write(BUY, 10, mid=None)

    assert judged(tell) == [BAND]


@pytest.mark.parametrize(("price", "broken"), [("2.0999", []), ("2.1", [MEETS])])
def test_no_order_would_trade_with_our_own(price: str, broken: list[str]) -> None:
    def tell(story: Story) -> None:
        story.trade.place(SELL, 10)
        story.trade.write(BUY, 10, price=Decimal(price))

    assert judged(tell) == broken


@pytest.mark.parametrize(
    ("quantity", "broken"), [(10, []), (11, []), (12, [BEYOND])], ids=["to it", "leeway", "beyond"]
)
def test_whatever_fills_the_position_stays_within_its_limit(
    quantity: int, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        # 60 beyond the target are held, a part of it unbooked, and 30 more may be bought.
        story.trade.fill(story.trade.place(BUY, 20))
        story.desk.held, story.desk.steered_to = Decimal(47), Decimal(7)
        story.trade.place(BUY, 30)
        story.trade.write(BUY, quantity)

    # At 2 USDT each, and a tenth more for a mark that moves.
    assert judged(tell, position="183.7") == broken


def strategies(story: Story, *targets: int | None) -> None:
    """Let several strategies trade the market, each with what it steers to; None = it is unsaid."""
    market = SimpleNamespace(market=WHERE)
    story.desk.runners = {
        f"s{number}": SimpleNamespace(
            market=market, target=None if target is None else Decimal(target)
        )
        for number, target in enumerate(targets)
    }


@pytest.mark.parametrize(
    ("targets", "broken"),
    [((-400, -100), []), ((-300, 0), [BEYOND]), ((-500, None), [BEYOND])],
    ids=["near it", "far from it", "unsaid"],
)
def test_a_market_s_target_is_that_of_all_its_strategies_once_each_has_said_its_own(
    targets: tuple[int | None, ...], broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.desk.held = Decimal(-500)
        strategies(story, *targets)
        story.trade.write(SELL, 10)

    assert judged(tell, position=210) == broken


# --- only to reduce


@pytest.mark.parametrize(
    ("side", "quantity", "broken"),
    [(SELL, 50, []), (SELL, 51, []), (SELL, 52, [GROWS]), (BUY, 10, [GROWS])],
    ids=["to the target", "a lot more", "beyond it", "away from it"],
)
def test_where_orders_may_only_reduce_nothing_that_leaves_grows_the_gap(
    side: Side, quantity: int, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.desk.held, story.desk.steered_to = Decimal(57), Decimal(7)
        story.restrain(PostureLevel.REDUCING)
        story.leave(story.trade.write(side, quantity))

    assert judged(tell) == broken


@pytest.mark.parametrize("side", [BUY, SELL])
def test_while_a_target_is_unsaid_no_order_is_known_to_reduce(side: Side) -> None:
    def tell(story: Story) -> None:
        story.desk.held = Decimal(50)
        strategies(story, 0, None)
        story.restrain(PostureLevel.REDUCING)
        story.leave(story.trade.write(side, 10))

    assert judged(tell) == [BEYOND, GROWS]


def test_what_filled_and_is_not_booked_is_held_and_counted_once() -> None:
    def tell(story: Story) -> None:
        story.restrain(PostureLevel.REDUCING)
        story.trade.fill(story.trade.place(BUY, 20))
        story.leave(story.trade.write(SELL, 21))
        assert story.watch.broken == []

        story.trade.record(made(FillBooked, market=MARKET, trade="1"))
        story.leave(story.trade.write(SELL, 10))

    assert judged(tell) == [GROWS]


@pytest.mark.parametrize(
    ("market", "level", "broken"),
    [
        (MARKET, PostureLevel.ACTIVE, []),
        (MARKET, PostureLevel.HALTED, [GROWS]),
        ("", PostureLevel.REDUCING, [GROWS]),
        ("main:OTHER/USDT", PostureLevel.REDUCING, []),
    ],
)
def test_only_what_restrains_a_market_or_all_of_them_counts(
    market: str, level: PostureLevel, broken: list[str]
) -> None:
    def tell(story: Story) -> None:
        story.restrain(PostureLevel.REDUCING)
        story.restrain(PostureLevel.ACTIVE)
        story.restrain(level, market)
        story.leave(story.trade.write(BUY, 10))

    assert judged(tell) == broken


def test_what_never_leaves_and_what_shrinks_a_plan_grows_nothing() -> None:
    def tell(story: Story) -> None:
        story.restrain(PostureLevel.REDUCING)
        story.trade.write(BUY, 10)
        story.leave(story.trade.write(SELL, 10, purpose=Purpose.HEDGE, execution="e1"))

    assert judged(tell) == []
