"""Look after the resting quote of a cross-exchange plan: where it stands and when it goes."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import Cancel, OrderView, Place, PlanView, Watch
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.partial import cancel_rest
from fairlead.execution.xemm_price import HedgeTerms, hedge_price
from fairlead.execution.xemm_state import XemmState
from fairlead.model import ZERO, Purpose, Reason, Side, Slot, TimeInForce

__all__ = ["QUOTE_LEVEL", "XemmQuote"]

#: The slot level of the resting quote.
QUOTE_LEVEL = 0


class XemmQuote:
    """The quote of one plan; pure."""

    def __init__(self, plan: XemmPlan, owner: tuple[str, str]) -> None:
        self._plan = plan
        self._owner = owner

    def price(
        self, state: XemmState, rest: Decimal, net: Decimal, view: PlanView
    ) -> Decimal | None:
        """Say where to quote ``rest`` now; None = nowhere."""
        plan = self._plan
        look = view.market(plan.maker_market)
        if state.cause or state.is_stalled(view) or look.book is None or self.is_dust(rest, view):
            return None
        taker = self._taker(rest, net, view)
        if taker is None:
            return None
        side, instrument = plan.maker_side, look.instrument
        price = HedgeTerms.of(plan, view).maker_price(taker, plan.target_profitability.value)
        if side.sign * price > side.sign * state.bound:
            return None
        best = look.book.best_ask if side is Side.BUY else look.book.best_bid
        if side.sign * price >= side.sign * best.price:
            # As near as a maker can come.
            price = best.price - side.sign * instrument.grid.step_at(best.price)
        price = instrument.round_price(price, side)
        short = price <= 0 or instrument.below_minimum(price, rest) is not None
        return None if short else price

    def order(self, price: Decimal, rest: Decimal, view: PlanView) -> Place:
        """Rest ``rest`` at a price, as a maker."""
        plan, (strategy, execution) = self._plan, self._owner
        taker = view.market(plan.taker_market).book
        mid = None if taker is None else taker.mid
        why = f"earns {plan.target_profitability} or more when hedged"
        return Place(
            slot=Slot(strategy, plan.maker_market, plan.maker_side, QUOTE_LEVEL, execution),
            side=plan.maker_side,
            price=price,
            quantity=rest,
            decided_ns=view.now_ns,
            purpose=Purpose.ENTRY,
            time_in_force=TimeInForce.GTC,
            post_only=True,
            reference=mid,
            reasons=(Reason("hedge", "price", mid, price, why),),
        )

    def cancels(
        self, state: XemmState, price: Decimal | None, net: Decimal, view: PlanView
    ) -> tuple[Cancel, ...]:
        """Take the quote away where it should not stand; ``price`` is where a new one would."""
        return tuple(
            cancel
            for order in self.orders(view)
            for cancel in cancel_rest([order], self._unwanted(state, order, price, net, view))
            if cancel.reason
        )

    def watches(self, view: PlanView) -> tuple[Watch, ...]:
        """Be woken where the taker's mid makes the quote earn too little, or too much."""
        plan, orders = self._plan, self.orders(view)
        book = view.market(plan.taker_market).book
        taker = self._taker(orders[0].leaves, ZERO, view) if orders else None
        if book is None or taker is None:
            return ()
        terms, mid, found = HedgeTerms.of(plan, view), book.mid, []
        for name, limit in (("min", plan.min_profitability), ("max", plan.max_profitability)):
            # What walking the book gives is taken to move with its mid.
            price = mid * terms.taker_price(orders[0].price, limit.value) / taker
            above = (plan.maker_side is Side.BUY) is (name == "max")
            # One that is reached already has been acted on in this step.
            if price > mid if above else price < mid:
                found.append(Watch(name, plan.taker_market, price, above))
        return tuple(found)

    def orders(self, view: PlanView) -> tuple[OrderView, ...]:
        """Give the quotes that may still fill."""
        market = self._plan.maker_market
        return tuple(order for order in view.orders if order.slot.market == market)

    def is_dust(self, rest: Decimal, view: PlanView) -> bool:
        """Tell whether ``rest`` is less than the maker's market takes as an order."""
        look = view.market(self._plan.maker_market)
        reference = look.mark or (None if look.book is None else look.book.mid)
        if reference is None:
            return rest < max(look.instrument.min_quantity, look.instrument.lot)
        return look.instrument.below_minimum(reference, rest) is not None

    def _unwanted(
        self,
        state: XemmState,
        order: OrderView,
        price: Decimal | None,
        net: Decimal,
        view: PlanView,
    ) -> str:
        plan = self._plan
        if state.cause:
            return state.cause
        taker = self._taker(order.leaves, net, view)
        if taker is None:
            return "it could not be hedged now"
        earns = HedgeTerms.of(plan, view).profitability(order.price, taker)
        if earns < plan.min_profitability.value:
            return f"would earn {earns.scaleb(4):.1f} bps"
        if price is None and not self.is_dust(order.leaves, view):
            return "nothing is to be quoted now"
        # Where it stands at the only price that a maker may have, more is no reason to leave.
        if earns > plan.max_profitability.value and price not in {None, order.price}:
            return f"would earn {earns.scaleb(4):.1f} bps"
        return ""

    def _taker(self, rest: Decimal, net: Decimal, view: PlanView) -> Decimal | None:
        # What is not hedged yet eats from the same book first.
        multiplier = view.market(self._plan.maker_market).instrument.multiplier
        return hedge_price(self._plan, rest * multiplier + abs(net), view)
