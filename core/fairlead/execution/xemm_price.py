"""Say what a maker's quote earns once it is hedged on another market, and where it must stand."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from fairlead.api import MarketLook, PlanView
from fairlead.api.plans.xemm import XemmPlan
from fairlead.model import ONE, Side

__all__ = ["HedgeTerms", "conversion", "hedge_bound", "hedge_price"]


@dataclass(frozen=True, slots=True)
class HedgeTerms:
    """What it takes to compare a maker's price with a taker's, both in one currency.

    Profitability = (sign x (taker - maker) - maker x maker fee - taker x taker fee) / maker, where
    the sign is that of the maker's side; all prices above zero, fees as shares of notional.
    """

    side: Side
    maker_fee: Decimal
    taker_fee: Decimal

    @classmethod
    def of(cls, plan: XemmPlan, view: PlanView) -> HedgeTerms:
        """Read the fees of a plan's markets."""
        maker = view.market(plan.maker_market).instrument.fees.maker
        return cls(plan.maker_side, maker, view.market(plan.taker_market).instrument.fees.taker)

    def profitability(self, maker: Decimal, taker: Decimal) -> Decimal:
        """Give what is left after both fees, as a share of the maker's price."""
        spread = self.side.sign * (taker - maker)
        return (spread - maker * self.maker_fee - taker * self.taker_fee) / maker

    def maker_price(self, taker: Decimal, profitability: Decimal) -> Decimal:
        """Give the maker's price that earns this against the taker's."""
        sign = self.side.sign
        share = ONE + sign * (self.maker_fee + profitability)
        return taker * (ONE - sign * self.taker_fee) / share

    def taker_price(self, maker: Decimal, profitability: Decimal) -> Decimal:
        """Give the taker's price against which a maker's price earns this."""
        sign = self.side.sign
        share = ONE + sign * (self.maker_fee + profitability)
        return maker * share / (ONE - sign * self.taker_fee)


def conversion(plan: XemmPlan, view: PlanView) -> Decimal | None:
    """Give the maker's quote currency per unit of the taker's; None = no mark path."""
    maker = view.market(plan.maker_market).instrument.quote
    taker = view.market(plan.taker_market).instrument.quote
    if maker == taker:
        return ONE
    worth, unit = view.rate(taker), view.rate(maker)
    return None if worth is None or not unit else worth / unit


def hedge_price(plan: XemmPlan, quantity: Decimal, view: PlanView) -> Decimal | None:
    """Give what hedging ``quantity`` (base units) costs on average, in the maker's currency.

    None while the taker's book is not valid or not deep enough, or no rate is known.
    """
    look = view.market(plan.taker_market)
    units = quantity / look.instrument.multiplier
    if look.book is None or units <= 0:
        return None
    walk = look.book.walk(plan.maker_side.opposite, units)
    rate = conversion(plan, view)
    if walk is None or not walk.complete or rate is None:
        return None
    return walk.average * rate


def hedge_bound(plan: XemmPlan, net: Decimal, view: PlanView) -> tuple[Decimal, str] | None:
    """Give the worst price for closing ``net`` (signed base units) on the taker's market, and why.

    The tighter of the slippage buffer beyond what the book promises and the loss cap beyond the
    maker's average price. None without a valid book.
    """
    look: MarketLook = view.market(plan.taker_market)
    if look.book is None:
        return None
    side = Side.SELL if net > 0 else Side.BUY
    walk = look.book.walk(side, abs(net) / look.instrument.multiplier)
    anchor = look.book.mid if walk is None else walk.average
    bound = anchor * (ONE + side.sign * plan.slippage_buffer.value)
    why = f"{plan.slippage_buffer} beyond {anchor:.8f}, which the book promises"
    entry, rate = view.done(plan.maker_market, plan.maker_side).average, conversion(plan, view)
    if entry is None or rate is None:
        return bound, why
    cap = entry / rate * (ONE + side.sign * plan.loss_cap.value)
    if side.sign * cap < side.sign * bound:
        return cap, f"{plan.loss_cap} beyond the maker's average of {entry:.8f}"
    return bound, why
