"""Drive cross-exchange plans against venues that answer when they like: no law may break."""

from decimal import Decimal

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule
from typing_extensions import override

from fairlead.api import Denied
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.xemm import XemmExecutor
from fairlead.execution.xemm_price import HedgeTerms
from fairlead.model import ZERO, MarketId, OrderIntent, OrderState, Purpose, Side
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kernel import SECOND
from tests.fairlead.execution.plan_kit import Kit
from tests.fairlead.execution.plan_machine import PlanMachine

MAKER, TAKER = MarketId("thin", "ALT/USDT"), MarketId("deep", "ALT/USDT")
FEES = ("0.0002", "0.0005")
BUFFER, CAP = Decimal("0.003"), Decimal("0.005")
pytestmark = pytest.mark.unmeasured


class Quoting(PlanMachine):
    """Any cross-exchange plan, and whatever happens to it."""

    moving = st.sampled_from([MAKER, TAKER, TAKER])
    moves = st.integers(-80, 80) | st.sampled_from([-260, 260])
    sizes = st.sampled_from([3, 12, 1000, 1000])
    #: How far their best prices are from 100 then.
    rests = st.sampled_from([5, 100])
    pauses_ms = st.sampled_from([1, 400, 1_000, 3_500, 11_000])
    placed_first = 2

    @initialize(
        side=st.sampled_from(Side),
        minimum=st.sampled_from([0, 1, 4]),
        lots=st.tuples(*[st.sampled_from([1, 2])] * 2),
        contract=st.sampled_from([1, 1, 2]),
        limit=st.sampled_from([None, "20 s"]),
    )
    def begin(
        self, side: Side, minimum: int, lots: tuple[int, int], contract: int, limit: str | None
    ) -> None:
        plan = XemmPlan.model_validate(
            {
                "maker_market": MAKER,
                "taker_market": TAKER,
                "maker_side": side,
                "order_amount": "20",
                "time_limit": limit,
            }
        )
        self.side = side
        self.kit = Kit(
            XemmExecutor,
            plan,
            [
                instrument(MAKER, lot=lots[0], fees=FEES),
                instrument(
                    TAKER,
                    lot=lots[1],
                    fees=FEES,
                    min_quantity=minimum,
                    multiplier=Decimal(contract),
                ),
            ],
        )
        self.size = {MAKER: Decimal(1), TAKER: Decimal(contract)}
        self.lot = Decimal(max(lots[0], lots[1] * contract))
        self.terms = HedgeTerms(side, *(Decimal(fee) for fee in FEES))
        self.refusing = False
        self.kit.refuse = lambda intent: (
            Denied("max_order", intent.quantity, ZERO)
            if self.refusing and intent.purpose is Purpose.HEDGE
            else None
        )
        self.kit.check = self.lawful
        self.kit.quote(MAKER, "99.50", "100.50")
        self.kit.quote(TAKER, "100.00", "100.02")
        assert not isinstance(self.kit.start(), Denied)

    # What each order must keep to.

    def lawful(self, intent: OrderIntent) -> None:
        side, book = intent.side, self.kit.books[TAKER]
        if intent.slot.market == MAKER:
            assert intent.post_only
            done = self.kit.done(MAKER, self.side)
            assert done + intent.quantity <= 20, "more than its amount"
            taker = book.walk(side.opposite, intent.quantity / self.size[TAKER])
            assert taker is not None
            assert taker.complete, "it could not be hedged"
            assert self.terms.profitability(intent.price, taker.average) >= Decimal("0.001")
            return
        assert not intent.post_only
        promised = book.walk(side, abs(self.net) / self.size[TAKER])
        assert promised is not None
        entry = self.kit.view.done(MAKER, self.side).average
        assert entry is not None
        worst = min(
            side.sign * promised.average * (1 + side.sign * BUFFER),
            side.sign * entry * (1 + side.sign * CAP),
        )
        assert side.sign * intent.price <= worst, "beyond its bound"
        assert side.sign * self.net < 0
        assert intent.quantity * self.size[TAKER] <= abs(self.net)

    @property
    def net(self) -> Decimal:
        return sum(
            (self.kit.view.exposure(market) * size for market, size in self.size.items()),
            start=ZERO,
        )

    @rule()
    def risk_changes_its_mind(self) -> None:
        self.refusing = not self.refusing

    # What must hold, and what must come true when everything behaves again.

    @override
    def judge(self) -> None:
        if not self.late:
            assert self.side.sign * self.net >= 0, "hedged too much"
        if not self.kit.end:
            return
        assert not self.kit.live, "it ended while an order could fill"
        last = self.kit.last
        assert last is not None
        left = sum(
            (quantity * self.size[market] for market, quantity in (*last.residual, *last.kept)),
            start=ZERO,
        )
        assert left == self.net or (left == 0 and abs(self.net) <= self.lot)
        assert (self.kit.end == "not hedged") is bool(last.residual)
        if last.complete:
            assert self.kit.done(MAKER, self.side) + self.lot >= 20

    @precondition(lambda self: not self.kit.end)
    @rule()
    def a_tick_finds_no_quote_that_earns_too_little(self) -> None:
        self.kit.advance(ns=SECOND)
        book = self.kit.books.get(TAKER)
        for order in self.kit.live.values():
            if order.slot.market != MAKER or order.state is OrderState.PENDING_CANCEL:
                continue
            if self.kit.asked[order.client_id]:
                continue
            assert book is not None, "it could not be hedged"
            taker = book.walk(self.side.opposite, order.leaves / self.size[TAKER])
            assert taker is not None
            assert taker.complete, "it could not be hedged"
            earns = self.terms.profitability(order.price, taker.average)
            assert earns >= Decimal("0.0005"), "it earns too little"

    @override
    def fall_quiet(self, rest: Decimal) -> None:
        self.refusing = False
        for market in (MAKER, TAKER):
            self.kit.quote(market, 100 - rest, 100 + rest)
        self.kit.stop()

        self.kit.run(40)


TestQuoting = Quoting.TestCase
TestQuoting.settings = settings(max_examples=3 * settings().max_examples, stateful_step_count=30)
