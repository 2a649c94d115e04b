"""Quote on one market what is hedged on another, fill by fill.

The quote stands where it earns the target once all of it were hedged now. Each fill is hedged at
once by a bounded order; what is below the taker's minimum adds up until it is not. A cancelled
quote counts until it is proven gone, so a fill that crosses its cancel is hedged too. All of it is
computed from the plan's fills: a restart hedges what was filled and is not hedged.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api import (
    Admitted,
    Cancel,
    Denied,
    ExecutorContext,
    Leg,
    Place,
    PlanEvent,
    PlanStep,
    PlanView,
)
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.flight import asked_orders, unresolved
from fairlead.execution.partial import PairedLeg, cancel_rest
from fairlead.execution.preflight import large_enough, matching_markets, payable
from fairlead.execution.unwind import (
    Closing,
    Way,
    closing_orders,
    excess_by_market,
    lot_base,
    net_base,
)
from fairlead.execution.xemm_price import HedgeTerms, conversion, hedge_bound, hedge_price
from fairlead.execution.xemm_quote import XemmQuote
from fairlead.execution.xemm_state import XemmState
from fairlead.model import ONE, ZERO, MarketId, Purpose, Side, floor_to, trimmed

__all__ = ["HEDGE_LEVEL", "XemmExecutor"]

#: The slot level of what hedges the quote's fills.
HEDGE_LEVEL = 1
_TOO_SMALL = "the rest is too small for an order"


class XemmExecutor:
    """Work one `XemmPlan`; pure, see `fairlead.api.PlanExecutor`."""

    def __init__(self, plan: XemmPlan, context: ExecutorContext) -> None:
        self._plan = plan
        self._context = context
        self._owner = (context.strategy, context.execution)
        self._quote = XemmQuote(plan, self._owner)
        self._markets = (plan.maker_market, plan.taker_market)

    @property
    def state(self) -> type[XemmState]:
        """Give the class of its state."""
        return XemmState

    def admit(self, view: PlanView) -> Admitted[XemmState] | Denied:
        """Check that the whole amount can be quoted, paid for and hedged."""
        plan = self._plan
        denied = matching_markets("xemm", self._markets, self._context)
        if denied is not None:
            return denied
        needs: dict[tuple[str, str], Decimal] = {}
        legs: list[PairedLeg] = []
        sides = (plan.maker_side, plan.maker_side.opposite)
        # A hedge may go further than the quote may move.
        reaches = (plan.price_band.value, plan.price_band.value + plan.slippage_buffer.value)
        for market, side, reach in zip(self._markets, sides, reaches, strict=True):
            leg = self._leg(market, side, reach, view, needs)
            if isinstance(leg, Denied):
                return leg
            legs.append(leg)
        quote, hedge = legs
        if hedge_price(plan, self._base(quote.quantity), view) is None:
            detail = f"{hedge.market}: the book is too thin, or there is no rate"
            return Denied("xemm_liquidity", "no price", hedge.quantity, detail)
        beyond = self._beyond(hedge, view)
        if beyond is not None:
            return beyond
        return Admitted(
            state=XemmState(quote.quantity, quote.bound),
            # Only the quote is new risk: a hedge shrinks what the plan has open.
            legs=(Leg(quote.market, quote.side, quote.quantity, quote.bound),),
            loss_cap=quote.expected * self._base(quote.quantity) * plan.loss_cap.value,
        )

    def step(self, state: XemmState, event: PlanEvent, view: PlanView) -> PlanStep[XemmState]:
        """Take one step: hedge first, then look after the quote."""
        plan = self._plan
        state = state.hear(event, view, plan)
        if state.end:
            return self._finish(state, view, state.end, alarm=state.alarm)
        busy = unresolved(state.asked, view)
        net = net_base(view, self._markets)
        hedging = plan.taker_market in busy
        closing = Closing((), possible=hedging)
        if net and not hedging:
            closing = closing_orders(
                net,
                self._ways(net, view),
                view,
                self._owner,
                cushion=plan.cushion.value,
                easings=state.easings,
            )
        state = state.look_at_clock(view, plan, open_side=closing.possible)
        filled = self._filled(view)
        rest = max(state.quantity - filled, ZERO)
        if not busy and (state.cause or self._quote.is_dust(rest, view)):
            end = self._end(state, rest, net, view, closing)
            if end:
                return self._finish(state, view, end, alarm=end == "not hedged")
        price = self._quote.price(state, rest, net, view)
        due = view.now_ns >= state.hedge_ns or filled > state.hedged
        hedges = closing.places if due else ()
        quotes: tuple[Place, ...] = ()
        free = plan.maker_market not in busy and view.now_ns >= state.quote_ns
        if price is not None and free:
            quotes = (self._quote.order(price, rest, view),)
        cancels = self._quote.cancels(state, price, net, view)
        if state.is_late(view, plan):
            cancels = self._stuck(view)
        soon_ns = view.now_ns + view.tick_ns
        state = msgspec.structs.replace(
            state,
            asked=(*state.asked, *asked_orders((*hedges, *quotes))),
            hedge_ns=soon_ns if hedges else state.hedge_ns,
            hedged=filled if hedges else state.hedged,
            quote_ns=soon_ns if quotes else state.quote_ns,
        )
        watches = self._quote.watches(view)
        return PlanStep(state, (*cancels, *hedges, *quotes), soon_ns, watches)

    def _ways(self, net: Decimal, view: PlanView) -> tuple[Way, ...]:
        side = Side.SELL if net > 0 else Side.BUY
        bound, why = hedge_bound(self._plan, net, view) or (None, "")
        market = self._plan.taker_market
        return (Way(market, side, HEDGE_LEVEL, Purpose.HEDGE, abs(net), bound, why),)

    def _stuck(self, view: PlanView) -> tuple[Cancel, ...]:
        return cancel_rest(view.orders, "hedging took too long")

    # The beginning and the end.

    def _leg(
        self,
        market: MarketId,
        side: Side,
        reach: Decimal,
        view: PlanView,
        needs: dict[tuple[str, str], Decimal],
    ) -> PairedLeg | Denied:
        look = view.market(market)
        if look.book is None:
            return Denied("xemm_book", "no valid book", "a valid book", f"{market}: no valid book")
        instrument = look.instrument
        quantity = floor_to(self._plan.order_amount, self._lot) / instrument.multiplier
        quantity = instrument.round_quantity(quantity)
        bound = instrument.round_price(look.book.mid * (ONE + side.sign * reach), side)
        leg = PairedLeg(market, side, quantity, bound, look.book.mid)
        denied = large_enough("xemm", leg, look) or payable("xemm", leg, look, needs)
        return denied or leg

    def _beyond(self, hedge: PairedLeg, view: PlanView) -> Denied | None:
        # Deeper than a hedge may go, what the quote fills at once would not be hedged at once.
        signed = -hedge.side.sign * hedge.quantity
        found = hedge_bound(self._plan, self._base_of(hedge.market, signed), view)
        book = view.market(hedge.market).book
        walk = None if book is None else book.walk(hedge.side, hedge.quantity)
        sign = hedge.side.sign
        if found is None or walk is None or sign * walk.worst <= sign * found[0]:
            return None
        detail = f"{hedge.market}: hedging {trimmed(hedge.quantity)} reaches beyond its bound"
        return Denied("xemm_bound", walk.worst, found[0], detail)

    def _end(
        self, state: XemmState, rest: Decimal, net: Decimal, view: PlanView, closing: Closing
    ) -> str:
        # "" = a hedge is still to be had.
        if abs(net) <= self._lot:
            return "done" if self._base(rest) <= self._lot else state.cause or _TOO_SMALL
        if state.is_late(view, self._plan):
            return "not hedged"
        return "" if closing.possible else _TOO_SMALL

    def _finish(
        self, state: XemmState, view: PlanView, end: str, *, alarm: bool
    ) -> PlanStep[XemmState]:
        state = msgspec.structs.replace(state, end=end, alarm=alarm)
        net = net_base(view, self._markets)
        rest = excess_by_market(view, self._markets, net)
        left = rest if abs(net) > self._lot else ()
        listed = ", ".join(f"{market} {trimmed(quantity)}" for market, quantity in rest)
        notes = [
            ("cause", state.cause),
            ("last refused", state.refused),
            ("profitability", self._earned(view)),
        ]
        if listed:
            notes.append(("incident", f"{end}: {listed} not hedged") if left else ("dust", listed))
        lacking = max(state.quantity - self._filled(view), ZERO)
        return PlanStep(
            state,
            end=end,
            complete=self._base(lacking) <= self._lot and not left,
            residual=left if alarm else (),
            kept=() if alarm else left,
            notes=tuple((name, text) for name, text in notes if text),
        )

    def _earned(self, view: PlanView) -> str:
        plan = self._plan
        quoted = view.done(plan.maker_market, plan.maker_side).average
        hedged = view.done(plan.taker_market, plan.maker_side.opposite).average
        rate = conversion(plan, view)
        if quoted is None or hedged is None or rate is None:
            return ""
        earned = HedgeTerms.of(plan, view).profitability(quoted, hedged * rate)
        return f"{earned.scaleb(4):.2f} bps"

    @property
    def _lot(self) -> Decimal:
        return max(lot_base(self._context.instruments[market]) for market in self._markets)

    def _base(self, quantity: Decimal) -> Decimal:
        return self._base_of(self._plan.maker_market, quantity)

    def _base_of(self, market: MarketId, quantity: Decimal) -> Decimal:
        return quantity * self._context.instruments[market].multiplier

    def _filled(self, view: PlanView) -> Decimal:
        return view.done(self._plan.maker_market, self._plan.maker_side).quantity
