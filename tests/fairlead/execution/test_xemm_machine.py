"""Drive cross-exchange plans against venues that answer when they like: no law may break."""

from decimal import Decimal

import pytest
from hypothesis import assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from fairlead.api import Denied, OrderView
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.xemm import XemmExecutor
from fairlead.execution.xemm_price import HedgeTerms
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
from tests.fairlead.execution.plan_kit import SECOND, Kit

MAKER, TAKER = MarketId("thin", "ALT/USDT"), MarketId("deep", "ALT/USDT")
FEES = ("0.0002", "0.0005")
BUFFER, CAP = Decimal("0.003"), Decimal("0.005")
PICK = st.integers(0, 20)

pytestmark = pytest.mark.unmeasured
PROOFS = [
    trigger
    for trigger in OrderTrigger
    if trigger not in {OrderTrigger.CANCEL_SENT, OrderTrigger.PARTIAL_FILL, OrderTrigger.FULL_FILL}
]


class Quoting(RuleBasedStateMachine):
    """Acknowledgements, fills, refusals, proofs, crashes and markets in any order."""

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
        self.late = False
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

    # What venues do.

    def pick(self, number: int) -> OrderView:
        live = list(self.kit.live.values())
        assume(live)
        return live[number % len(live)]

    @rule(number=PICK, trigger=st.sampled_from(PROOFS))
    def venue_says(self, number: int, trigger: OrderTrigger) -> None:
        self.kit.move(self.pick(number), trigger)
        self.judge()

    @rule(number=PICK, part=st.sampled_from(["1", "0.5", "0.2"]))
    def venue_fills(self, number: int, part: str) -> None:
        order = self.pick(number)
        lot = self.kit.instruments[order.slot.market].lot
        self.kit.fill(order, max(order.leaves * Decimal(part) // lot * lot, lot))
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
        market=st.sampled_from([MAKER, TAKER, TAKER]),
        bps=st.integers(-80, 80) | st.sampled_from([-260, 260]),
        size=st.sampled_from([3, 12, 1000, 1000]),
        valid=st.sampled_from([True, True, True, False]),
    )
    def market_moves(self, market: MarketId, bps: int, size: int, valid: bool) -> None:
        mid = 100 + Decimal(bps) / 100
        if valid:
            self.kit.quote(market, mid - Decimal("0.05"), mid + Decimal("0.05"), size)
        else:
            self.kit.book(market, None)
        self.judge()

    @rule()
    def risk_changes_its_mind(self) -> None:
        self.refusing = not self.refusing

    # What the engine does.

    @rule(milliseconds=st.sampled_from([1, 400, 1_000, 3_500, 11_000]))
    def time_passes(self, milliseconds: int) -> None:
        self.kit.advance(ns=milliseconds * 1_000_000)
        self.judge()

    @rule(number=PICK, part=st.sampled_from(["0", "1", "0.5"]), lost=st.integers(0, 3))
    def engine_dies(self, number: int, part: str, lost: int) -> None:
        assume(not self.kit.end)
        fills: dict[str, Decimal] = {}
        if self.kit.live and part != "0":
            order = self.pick(number)
            lot = self.kit.instruments[order.slot.market].lot
            fills[order.client_id] = max(order.leaves * Decimal(part) // lot * lot, lot)
        self.kit.restart(lost_steps=lost, fills=fills)
        self.judge()

    @precondition(lambda self: len(self.kit.orders) > 2)
    @rule()
    def somebody_stops_it(self) -> None:
        assume(not self.kit.end)
        self.kit.stop()
        self.judge()

    # What must hold, and what must come true when everything behaves again.

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

    @precondition(lambda self: not self.kit.end)
    @rule(far=st.sampled_from(["0.05", "1"]))
    def falls_quiet(self, far: str) -> None:
        self.refusing = False
        for market in (MAKER, TAKER):
            self.kit.quote(market, 100 - Decimal(far), 100 + Decimal(far))
        self.kit.stop()

        self.kit.run(40)

        assert self.kit.finished, "it never ends"
        self.judge()


TestQuoting = Quoting.TestCase
TestQuoting.settings = settings(stateful_step_count=30)
