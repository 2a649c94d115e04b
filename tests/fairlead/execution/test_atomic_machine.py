"""Drive atomic plans against venues that answer when they like, and look for a broken law."""

from decimal import Decimal

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fairlead.api import Admitted, Denied, Duration, OrderView, Ratio
from fairlead.api.plans.atomic import AtomicLeg, AtomicOrder, AtomicPlan, AtomicPolicy
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.partial import PairedLeg
from fairlead.model import (
    ZERO,
    MarketId,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Purpose,
    Side,
)
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

A, B, C, HEDGE = (MarketId(venue, "ALT/USDT") for venue in ("one", "two", "three", "hedge"))
#: Base units; the third leg takes a part of the second's.
SHAPES = {
    "pair": ((A, Side.BUY, 10), (B, Side.SELL, 10)),
    "pair, sold first": ((A, Side.SELL, 10), (B, Side.BUY, 10)),
    "three": ((A, Side.BUY, 10), (B, Side.SELL, 6), (C, Side.SELL, 4)),
}
CAP, REACH = Decimal("0.003"), Decimal("0.01")
PICK = st.integers(0, 20)

pytestmark = pytest.mark.unmeasured
PROOFS = [trigger for trigger in OrderTrigger if trigger is not OrderTrigger.CANCEL_SENT]


class Plans(RuleBasedStateMachine):
    """Acknowledgements, fills, refusals, proofs, crashes and markets in any order."""

    @initialize(
        shape=st.sampled_from(sorted(SHAPES)),
        order=st.sampled_from(AtomicOrder),
        policy=st.sampled_from(AtomicPolicy),
        leads=st.booleans(),
        minimum=st.sampled_from([0, 2, 3]),
        lots=st.lists(st.sampled_from([1, 1, 2]), min_size=4, max_size=4),
        contract=st.booleans(),
    )
    def begin(
        self,
        shape: str,
        order: AtomicOrder,
        policy: AtomicPolicy,
        leads: bool,
        minimum: int,
        lots: list[int],
        contract: bool,
    ) -> None:
        self.plan = AtomicPlan(
            legs=tuple(
                AtomicLeg(market=market, side=side, quantity=Decimal(quantity))
                for market, side, quantity in SHAPES[shape]
            ),
            order=order,
            policy=policy,
            hedge_market=HEDGE if policy is AtomicPolicy.HEDGE else None,
            lead=A if leads else None,
            lead_time=Duration.parse("20 s"),
            loss_cap=Ratio(CAP),
            repair_slippage=Ratio(REACH),
        )
        sizes = {A: 1, B: 2 if contract else 1, C: 1, HEDGE: 1}
        instruments = [
            instrument(
                market,
                lot=1 if size == 2 else lot,
                min_quantity=minimum,
                multiplier=Decimal(size),
            )
            for (market, size), lot in zip(sizes.items(), lots, strict=True)
        ]
        self.kit = Kit(AtomicExecutor, self.plan, instruments)
        self.lot = max(
            self.kit.instruments[leg.market].lot * self.kit.instruments[leg.market].multiplier
            for leg in self.plan.legs
        )
        for market in (A, B, C, HEDGE):
            self.kit.quote(market, "99.95", "100.05")
        self.kit.check = self.lawful
        self.refusing: set[MarketId] = set()
        self.kit.refuse = self.refusal
        self.late = False
        admitted = self.kit.start()
        assume(isinstance(admitted, Admitted))

    def refusal(self, intent: OrderIntent) -> Denied | None:
        if intent.slot.market in self.refusing:
            return Denied("max_order", intent.quantity, ZERO)
        return None

    # What each order must keep to.

    def lawful(self, intent: OrderIntent) -> None:
        if intent.slot.level == 0:
            leg = next(leg for leg in self.legs if leg.market == intent.slot.market)
            assert intent.side is leg.side
            assert leg.side.sign * intent.price <= leg.side.sign * leg.bound
            return
        for other in self.kit.live.values():
            assert other.state is OrderState.PENDING_CREATE, "something is unresolved"
            assert other.slot.level == intent.slot.level, "something is unresolved"
            assert other.decided_ns == intent.decided_ns
        assert intent.purpose in {Purpose.HEDGE, Purpose.EXIT}
        mid = self.kit.books[intent.slot.market].mid
        assert intent.side.sign * (intent.price - mid) <= REACH * mid

    @property
    def legs(self) -> tuple[PairedLeg, ...]:
        legs: tuple[PairedLeg, ...] = self.kit.state.legs
        return legs

    @property
    def lost(self) -> Decimal:
        """Give what mending has cost, as (share of the price) x base units, from the fills."""
        lost = ZERO
        for fill, slot in self.kit.fills:
            if slot.level == 0:
                continue
            legs = {leg.market: leg for leg in self.legs}
            leg = legs.get(slot.market)
            reference: Decimal | None
            if slot.level == 1 and leg is not None:
                reference = leg.expected
            elif slot.level == 1:
                reference = self.kit.state.hedge_mid
            else:
                reference = self.kit.view.done(slot.market, slot.side.opposite).average
            assert reference is not None
            size = self.kit.instruments[slot.market].multiplier
            worse = slot.side.sign * (fill.price - reference) / reference
            lost += worse * fill.quantity * size
        return lost

    @property
    def net(self) -> Decimal:
        return sum(
            (
                self.kit.view.exposure(market) * self.kit.instruments[market].multiplier
                for market in (A, B, C, HEDGE)
            ),
            start=ZERO,
        )

    # What venues do.

    def pick(self, number: int) -> OrderView:
        live = list(self.kit.live.values())
        assume(live)
        return live[number % len(live)]

    @rule(number=PICK, trigger=st.sampled_from(PROOFS))
    def venue_says(self, number: int, trigger: OrderTrigger) -> None:
        assume(trigger not in {OrderTrigger.PARTIAL_FILL, OrderTrigger.FULL_FILL})
        self.kit.move(self.pick(number), trigger)
        self.judge()

    @rule(number=PICK, part=st.sampled_from(["1", "0.5", "0.3"]), better=st.booleans())
    def venue_fills(self, number: int, part: str, better: bool) -> None:
        order = self.pick(number)
        lot = self.kit.instruments[order.slot.market].lot
        quantity = max(order.leaves * Decimal(part) // lot * lot, min(lot, order.leaves))
        improved = order.price * (1 - order.side.sign * Decimal("0.0003"))
        self.kit.fill(order, quantity, improved if better else None)
        self.judge()

    @rule(number=PICK)
    def a_fill_comes_after_the_end_of_its_order(self, number: int) -> None:
        closed = [
            order
            for order in self.kit.orders.values()
            if order.state in {OrderState.CANCELLED, OrderState.EXPIRED}
        ]
        assume(closed and not self.kit.end)
        self.late = True
        order = closed[number % len(closed)]
        self.kit.fill_late(order, self.kit.instruments[order.slot.market].lot)
        self.judge()

    @rule(
        market=st.sampled_from([A, B, C, HEDGE]),
        bps=st.integers(-60, 60),
        size=st.sampled_from([2, 5, 1000]),
        valid=st.sampled_from([True, True, True, False]),
    )
    def market_moves(self, market: MarketId, bps: int, size: int, valid: bool) -> None:
        mid = 100 + Decimal(bps) / 100
        if valid:
            self.kit.quote(market, mid - Decimal("0.05"), mid + Decimal("0.05"), size)
        else:
            self.kit.book(market, None)
        self.judge()

    @rule(market=st.sampled_from([A, B, C, HEDGE]))
    def risk_changes_its_mind(self, market: MarketId) -> None:
        self.refusing ^= {market}

    # What the engine does.

    @rule(milliseconds=st.sampled_from([1, 400, 1_000, 2_500, 6_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.kit.advance(ns=milliseconds * 1_000_000)
        self.judge()

    @rule(number=PICK, part=st.sampled_from(["0", "1", "0.5"]), lost=st.integers(0, 3))
    def engine_dies(self, number: int, part: str, lost: int) -> None:
        fills: dict[str, Decimal] = {}
        if self.kit.live and part != "0":
            order = self.pick(number)
            lot = self.kit.instruments[order.slot.market].lot
            fills[order.client_id] = max(order.leaves * Decimal(part) // lot * lot, lot)
            assume(fills[order.client_id] <= order.leaves)
        assume(not self.kit.end)
        self.kit.restart(lost_steps=lost, fills=fills)
        self.judge()

    @precondition(lambda self: len(self.kit.orders) > 1)
    @rule()
    def somebody_stops_it(self) -> None:
        assume(not self.kit.end)
        self.kit.stop()
        self.judge()

    # What must hold, and what must come true when everything behaves again.

    def judge(self) -> None:
        if not self.late:
            notional = sum(
                leg.quantity * self.kit.instruments[leg.market].multiplier
                for leg in self.legs
                if leg.side is Side.BUY
            )
            assert self.lost <= CAP * notional + Decimal("1e-20"), "the loss cap"
        if not self.kit.end:
            return
        assert not self.kit.live, "it ended while an order could fill"
        last = self.kit.last
        assert last is not None
        left = sum(
            (
                quantity * self.kit.instruments[market].multiplier
                for market, quantity in (*last.residual, *last.kept)
            ),
            start=ZERO,
        )
        assert left == self.net or (left == 0 and abs(self.net) <= self.lot)
        if last.complete:
            assert not last.residual
        if abs(self.net) > self.lot:
            assert "incident" in self.kit.notes

    @precondition(lambda self: not self.kit.end)
    @rule(mid=st.integers(95, 105))
    def falls_quiet(self, mid: int) -> None:
        self.refusing.clear()
        for market in (A, B, C, HEDGE):
            self.kit.quote(market, Decimal(mid) - Decimal("0.05"), Decimal(mid) + Decimal("0.05"))

        self.kit.run(60)

        assert self.kit.finished, "it never ends"
        self.judge()


TestPlans = Plans.TestCase
TestPlans.settings = settings(stateful_step_count=30)
