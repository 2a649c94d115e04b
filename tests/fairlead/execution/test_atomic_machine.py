"""Drive atomic plans against venues that answer when they like, and look for a broken law."""

from decimal import Decimal

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from typing_extensions import override

from fairlead.api import Admitted, Denied, Duration, Ratio
from fairlead.api.plans.atomic import AtomicLeg, AtomicOrder, AtomicPlan, AtomicPolicy
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.partial import PairedLeg
from fairlead.model import (
    ZERO,
    MarketId,
    OrderIntent,
    OrderState,
    Purpose,
    Side,
)
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_machine import PlanMachine

A, B, C, HEDGE = (MarketId(venue, "ALT/USDT") for venue in ("one", "two", "three", "hedge"))
#: Base units; the third leg takes a part of the second's.
SHAPES = {
    "pair": ((A, Side.BUY, 10), (B, Side.SELL, 10)),
    "pair, sold first": ((A, Side.SELL, 10), (B, Side.BUY, 10)),
    "three": ((A, Side.BUY, 10), (B, Side.SELL, 6), (C, Side.SELL, 4)),
}
CAP, REACH = Decimal("0.003"), Decimal("0.01")
pytestmark = pytest.mark.unmeasured


class Plans(PlanMachine):
    """Any atomic plan, and whatever happens to it."""

    moving = st.sampled_from([A, B, C, HEDGE])
    moves = st.integers(-60, 60)
    sizes = st.sampled_from([2, 5, 1000])
    rests = st.integers(-5, 5).map(lambda units: 100 * units)
    pauses_ms = st.sampled_from([1, 400, 1_000, 2_500, 6_000])

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

    @rule(market=st.sampled_from([A, B, C, HEDGE]))
    def risk_changes_its_mind(self, market: MarketId) -> None:
        self.refusing ^= {market}

    # What must hold, and what must come true when everything behaves again.

    @override
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

    @override
    def fall_quiet(self, rest: Decimal) -> None:
        self.refusing.clear()
        for market in (A, B, C, HEDGE):
            self.kit.quote(market, 100 + rest - Decimal("0.05"), 100 + rest + Decimal("0.05"))

        self.kit.run(60)


TestPlans = Plans.TestCase
TestPlans.settings = settings(max_examples=2 * settings().max_examples, stateful_step_count=30)
