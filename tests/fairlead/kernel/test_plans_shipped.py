"""Plans of several markets from their admission to their record, on two scripted venues."""

import asyncio
from collections.abc import Callable, Coroutine
from decimal import Decimal
from typing import Any

from typing_extensions import override

from fairlead.api import Offers, Plan, PostureLevel, Start
from fairlead.api.plans import (
    AtomicLeg,
    AtomicOrder,
    AtomicPlan,
    AtomicPolicy,
    PartialFillReport,
    XemmPlan,
)
from fairlead.execution import SHIPPED
from fairlead.kernel import RunResult, VirtualClock
from fairlead.model import OrderUpdate, Purpose, Side, TimeInForce, Unknown
from fairlead.store import (
    AlertRaised,
    ExecutionStarted,
    Incident,
    OrderRecorded,
    PostureChanged,
)
from fairlead.testing import MARKET, Script, run_virtual
from tests.fairlead.kernel.engine_world import SECOND, START_NS, end_if_failed
from tests.fairlead.kernel.plans_world import HEDGED, Hedging, PlanWorld, begun


class Shipped(PlanWorld):
    """A world of two venues whose strategy may start what ships with the engine."""

    @override
    def _offers(self) -> Offers:
        shipped = tuple((name, plan, build) for name, plan, build, _ in SHIPPED)
        self._executors = (*self._executors, *shipped)
        return super()._offers()

    async def begin(self, executor: str, plan: Plan) -> None:
        """Show the books and let the strategy start a plan."""
        await begun(self)
        self.starts.append(Start("one", executor, plan))
        await self.wait(1.2)

    def order(self, venue: str) -> OrderUpdate:
        """Give the one order that rests at a venue."""
        (order,) = self.resting(venue)
        return order


def work(act: Callable[[Shipped], Coroutine[Any, Any, None]]) -> tuple[Shipped, RunResult]:
    """Run an engine of two venues for 15 s while ``act`` plays the world around it."""

    async def main(clock: VirtualClock) -> tuple[Shipped, RunResult]:
        world = Shipped(clock, venues=("main", "other"), options=Hedging())
        acting = asyncio.ensure_future(act(world))
        acting.add_done_callback(lambda done: end_if_failed(world, done))
        result = await world.engine.run(for_ns=15 * SECOND)
        acting.cancel()
        outcome = (await asyncio.gather(acting, return_exceptions=True))[0]
        if isinstance(outcome, Exception):
            raise outcome
        world.store.close()
        return world, result

    return run_virtual(main, start_ns=START_NS)


def atomic(policy: AtomicPolicy, order: AtomicOrder = AtomicOrder.IOC) -> AtomicPlan:
    legs = (
        AtomicLeg(market=MARKET, side=Side.BUY, quantity=Decimal(4)),
        AtomicLeg(market=HEDGED, side=Side.SELL, quantity=Decimal(4)),
    )
    return AtomicPlan(legs=legs, policy=policy, order=order)


def test_legs_leave_together_and_end_done() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("atomic", atomic(AtomicPolicy.UNWIND))
        sent = [venue.submitted for venue in world.venues.values()]
        assert [len(batches) for batches in sent] == [1, 1]
        assert sent[0][0][0] == sent[1][0][0]
        for name, venue in world.venues.items():
            venue.exchange.fill(world.order(name).client_id)
        await world.wait(1)

    world, result = work(act)

    assert (result.exit_code, result.proven) == (0, True)
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert ended.result.notes == {"matched": "100%"}
    assert "execution_incident" not in world.incidents()


def test_a_one_sided_fill_is_unwound_and_written_down() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("atomic", atomic(AtomicPolicy.UNWIND))
        world.venue.exchange.fill(world.order("main").client_id, price="100")
        world.venues["other"].exchange.end(world.order("other").client_id)
        await world.wait(0.2)
        unwind = world.order("main")
        world.venue.exchange.fill(unwind.client_id, price="99.90")
        await world.wait(1)

    world, result = work(act)

    assert result.proven
    last = world.trace.of(OrderRecorded)[-1]
    assert (last.purpose, last.side, last.quantity) == (Purpose.EXIT, Side.SELL, Decimal(4))
    assert last.time_in_force is TimeInForce.IOC
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("unwound", False, {})
    report = PartialFillReport.of(ended.result.notes)
    assert report is not None
    assert report.loss == {"USDT": Decimal("0.40")}
    (incident,) = [i for i in world.trace.of(Incident) if i.name == "execution_incident"]
    assert incident.detail == f"alt one (atomic): {report.text}"


def test_a_lost_answer_is_resolved_before_anything_is_decided() -> None:
    async def act(world: Shipped) -> None:
        world.venues["other"].submits.append(Script(Unknown("timeout")))
        await world.begin("atomic", atomic(AtomicPolicy.UNWIND, AtomicOrder.LIMIT))
        world.venue.exchange.fill(world.order("main").client_id)
        world.venues["other"].exchange.mute = True
        world.venues["other"].exchange.fill(world.order("other").client_id)
        world.venues["other"].exchange.mute = False
        await world.wait(10)

    world, result = work(act)

    assert result.proven
    # It had filled: nothing was unwound.
    assert len(world.trace.of(OrderRecorded)) == 2
    assert (world.ended.end, world.ended.complete) == ("done", True)


def test_what_cannot_be_unwound_restrains_its_market_and_raises_an_alert() -> None:
    async def act(world: Shipped) -> None:
        await world.begin("atomic", atomic(AtomicPolicy.UNWIND))
        world.show("90", "90.10")
        world.venue.exchange.fill(world.order("main").client_id)
        world.venues["other"].exchange.end(world.order("other").client_id)
        await world.wait(7)

    world, _ = work(act)

    ended = world.ended
    assert (ended.end, ended.result.residual) == ("not closed", {str(MARKET): Decimal(4)})
    (alert,) = [a for a in world.trace.of(AlertRaised) if a.name == "residual_exposure"]
    assert alert.severity == "critical"
    assert [
        change.market
        for change in world.trace.of(PostureChanged)
        if change.level == PostureLevel.REDUCING
    ] == [str(MARKET)]


def test_a_plan_that_a_leg_denies_never_begins() -> None:
    async def act(world: Shipped) -> None:
        legs = (
            AtomicLeg(market=MARKET, side=Side.BUY, quantity=Decimal(6)),
            AtomicLeg(market=HEDGED, side=Side.SELL, quantity=Decimal(6)),
        )
        await world.begin("atomic", AtomicPlan(legs=legs))
        await world.wait(1)

    world, _ = work(act)

    assert world.trace.of(ExecutionStarted) == []
    result = world.seen()[-1].result
    assert result is not None
    assert result.end.startswith("denied: atomic_liquidity: 5, limit 6 (main:ALT/USDT")


def test_each_fill_of_a_quote_is_hedged_elsewhere_in_the_same_turn() -> None:
    async def act(world: Shipped) -> None:
        plan = XemmPlan.model_validate(
            {
                "maker_market": MARKET,
                "taker_market": HEDGED,
                "maker_side": Side.BUY,
                "order_amount": "4",
            }
        )
        await world.begin("xemm", plan)
        quote = world.order("main")
        for quantity in ("1.5", "2.5"):
            filled_ns = world.clock.now_ns()
            world.venue.exchange.fill(quote.client_id, quantity)
            await world.wait(0.02)
            sent_ns, (hedge,) = world.venues["other"].submitted[-1]
            assert sent_ns - filled_ns <= 6_000_000  # the news takes 5 ms
            assert (hedge.side, hedge.quantity) == (Side.SELL, Decimal(quantity))
            world.venues["other"].exchange.fill(hedge.client_id, price="99.90")
            await world.wait(0.02)
        await world.wait(1)

    world, result = work(act)

    assert (result.exit_code, result.proven) == (0, True)
    ended = world.ended
    assert (ended.end, ended.complete, ended.result.residual) == ("done", True, {})
    assert ended.result.notes["profitability"].endswith(" bps")
    assert [leg.filled for leg in ended.result.legs] == [4, 4]
