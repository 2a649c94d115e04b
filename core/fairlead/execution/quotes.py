"""Keep wished quotes resting: diff each wish against the live orders, slot by slot.

A wish is admitted on a tick. What it asks for is placed in that dispatch where its slot is free;
where an own order is in the way, it is placed at the dispatch point where that order is proven
gone, if no newer wish came and the wish is younger than one tick. A fill in a slot ends what the
wish still had to place there: the next tick decides anew, so one decision never buys twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from fairlead.api import (
    Action,
    Cancel,
    ExecutorEvent,
    ExecutorView,
    Filled,
    OrderChanged,
    OrderView,
    Place,
    Pull,
    QuotesConfig,
    Replace,
    Step,
    Stop,
    Wake,
    Wish,
)
from fairlead.model import ZERO, OrderState, Quote, Side, Slot

__all__ = ["Outstanding", "QuotesExecutor", "QuotesState"]

_Place = tuple[int, Side]
_STANDING = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


class Outstanding(msgspec.Struct, frozen=True):
    """A quote of the last wish that is still to be placed."""

    quote: Quote
    #: What the orders in its slot had filled when it was decided; more than that ends it.
    filled: Decimal


class QuotesState(msgspec.Struct, frozen=True):
    """What the executor remembers between steps."""

    #: The wish in force; None before the first.
    quotes: tuple[Quote, ...] | None = None
    decided_ns: int = 0
    #: What of it is not placed yet, best level first.
    outstanding: tuple[Outstanding, ...] = ()
    #: Why everything was pulled, until the next wish; "" = it was not.
    pulled: str = ""
    #: A wish decided before this instant knew nothing of the pull and is ignored.
    pulled_ns: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class _Diff:
    """What a look at the live orders gives: cancels, and the slots that want an order."""

    cancels: tuple[Cancel, ...]
    wanted: tuple[Outstanding, ...]


class QuotesExecutor:
    """Work the quotes of one strategy on one market; pure, see `fairlead.api.Executor`."""

    def __init__(self, strategy: str, config: QuotesConfig) -> None:
        self._strategy = strategy
        self._config = config

    def initial(self) -> QuotesState:
        """Give the state to start with: no wish, so nothing is placed and nothing cancelled."""
        return QuotesState()

    def step(
        self, state: QuotesState, event: ExecutorEvent, view: ExecutorView
    ) -> Step[QuotesState]:
        """Take one step: cancels first, then new orders, best level first."""
        match event:
            case Stop():
                state = QuotesState(stopped=True)
            case Pull(reason=reason) if not state.stopped:
                state = QuotesState(pulled=reason or "pulled", pulled_ns=view.now_ns)
            case Wish() if not state.stopped and event.decided_ns >= state.pulled_ns:
                return self._renew(event, view)
            case Filled(slot=slot):
                state = _without(state, slot)
            case OrderChanged(order=order):
                state = _after(state, order)
            case Pull() | Wish() | Wake():
                pass  # too late, or nothing but the time has changed
        return self._continue(state, view)

    def _renew(self, wish: Wish, view: ExecutorView) -> Step[QuotesState]:
        quotes = _uncrossed(wish.quotes)
        state = QuotesState(quotes=quotes, decided_ns=wish.decided_ns)
        diff = self._diff(quotes, view, renew=True)
        return self._act(state, diff.wanted, diff.cancels, view)

    def _continue(self, state: QuotesState, view: ExecutorView) -> Step[QuotesState]:
        if state.stopped or state.pulled:
            return Step(state, _cancel_all(view, state.pulled or "stop"))
        if state.quotes is None and self._config.cancel_closer_than is None:
            return Step(state)  # a start settles a thousand orders one by one before the first wish
        diff = self._diff(state.quotes, view, renew=False)
        return self._act(state, state.outstanding, diff.cancels, view)

    def _act(
        self,
        state: QuotesState,
        wanted: Sequence[Outstanding],
        cancels: tuple[Cancel, ...],
        view: ExecutorView,
    ) -> Step[QuotesState]:
        places: list[Place] = []
        waiting: list[Outstanding] = []
        if view.now_ns - state.decided_ns < view.tick_ns:
            leaving = {cancel.client_id for cancel in cancels}
            for item in wanted:
                if self._may_place(item.quote, leaving, view):
                    places.append(self._place(item.quote, state.decided_ns, view))
                else:
                    waiting.append(item)
        state = msgspec.structs.replace(state, outstanding=tuple(waiting))
        actions: tuple[Action, ...] = (*cancels, *places)
        return Step(state, actions)

    def _diff(self, quotes: tuple[Quote, ...] | None, view: ExecutorView, *, renew: bool) -> _Diff:
        wished = {(quote.level, quote.side): quote for quote in quotes or ()}
        live = _by_slot(view.orders)
        cancels: list[Cancel] = []
        wanted: list[Outstanding] = []
        for slot in sorted({**live, **wished}):
            orders, quote = live.get(slot, ()), wished.get(slot)
            standing = _newest_first(orders)
            blocked, kept = len(standing) < len(orders), False
            for order in standing:
                why = self._too_close(order, view)
                if quotes is not None:
                    why = why or _unwanted(order, quote, wished)
                if kept:
                    why = why or "its slot holds another order"
                if renew and quote is not None and not blocked:
                    why = why or self._outdated(order, quote, view)
                if why:
                    cancels.append(Cancel(order.client_id, why))
                else:
                    kept = True
            if quote is not None and not kept:
                filled = sum((order.filled for order in orders), start=ZERO)
                wanted.append(Outstanding(quote, filled))
        return _Diff(tuple(cancels), tuple(wanted))

    def _outdated(self, order: OrderView, quote: Quote, view: ExecutorView) -> str:
        if view.now_ns - order.decided_ns < self._config.refresh_every_ns:
            return ""
        moved = abs(order.price - quote.price)
        if moved > self._config.keep_within * order.price:
            return f"refresh: price moved {(moved / order.price).scaleb(4):.1f} bps"
        if abs(order.leaves - quote.quantity) > self._config.size_within * quote.quantity:
            return f"refresh: quantity {order.leaves} where {quote.quantity} is wished"
        return ""

    def _too_close(self, order: OrderView | Quote, view: ExecutorView) -> str:
        bound = self._config.cancel_closer_than
        if bound is None or view.best_bid is None or view.best_ask is None:
            return ""
        mid = (view.best_bid + view.best_ask) / 2
        # Negative once the mid has passed the price.
        distance = order.side.sign * (mid - order.price) / mid
        if distance >= bound:
            return ""
        return f"mid {distance.scaleb(4):.1f} bps away, closer than {bound.scaleb(4):.1f} bps"

    def _may_place(self, quote: Quote, leaving: set[str], view: ExecutorView) -> bool:
        # Quotes of one wish never cross each other, so only what lives can be in the way.
        slot = [order for order in view.orders if _slot(order) == (quote.level, quote.side)]
        together = (
            self._config.replace is Replace.TOGETHER
            and len(slot) == 1
            and slot[0].client_id in leaving
        )
        if slot and not together:
            return False
        if self._too_close(quote, view):
            return False
        market = view.best_ask if quote.side is Side.BUY else view.best_bid
        if market is None or _crosses(quote.side, quote.price, quote.side.opposite, market):
            return False
        return not any(
            _crosses(quote.side, quote.price, order.side, order.price) for order in view.orders
        )

    def _place(self, quote: Quote, decided_ns: int, view: ExecutorView) -> Place:
        return Place(
            slot=Slot(self._strategy, view.instrument.market, quote.side, quote.level),
            side=quote.side,
            price=quote.price,
            quantity=quote.quantity,
            decided_ns=decided_ns,
            reference=quote.reference,
            reasons=quote.reasons,
        )


def _unwanted(order: OrderView, quote: Quote | None, wished: Mapping[_Place, Quote]) -> str:
    if quote is None:
        return "not wished"
    for other in wished.values():
        if _crosses(order.side, order.price, other.side, other.price):
            return f"in the way of {other.side} {other.level} at {other.price}"
    return ""


def _cancel_all(view: ExecutorView, reason: str) -> tuple[Cancel, ...]:
    # An order on its way is named too: the pipeline holds its cancel back until it has landed.
    leaving = (order for order in view.orders if order.state is not OrderState.PENDING_CANCEL)
    return tuple(Cancel(order.client_id, reason) for order in sorted(leaving, key=_slot))


def _without(state: QuotesState, slot: Slot) -> QuotesState:
    left = tuple(
        item
        for item in state.outstanding
        if (item.quote.side, item.quote.level) != (slot.side, slot.level)
    )
    return msgspec.structs.replace(state, outstanding=left)


def _after(state: QuotesState, order: OrderView) -> QuotesState:
    for item in state.outstanding:
        if _slot(order) == (item.quote.level, item.quote.side) and order.filled > item.filled:
            return _without(state, order.slot)
    return state


def _uncrossed(quotes: Iterable[Quote]) -> tuple[Quote, ...]:
    # A wish that would trade with itself is a strategy's mistake: both sides of it are left out.
    listed = tuple(quotes)
    bids = [quote.price for quote in listed if quote.side is Side.BUY]
    asks = [quote.price for quote in listed if quote.side is Side.SELL]
    if not bids or not asks:
        return listed
    bid, ask = max(bids), min(asks)
    return tuple(
        quote
        for quote in listed
        if (quote.price < ask if quote.side is Side.BUY else quote.price > bid)
    )


def _by_slot(orders: Iterable[OrderView]) -> dict[_Place, list[OrderView]]:
    slots: dict[_Place, list[OrderView]] = {}
    for order in orders:
        slots.setdefault(_slot(order), []).append(order)
    return slots


def _newest_first(orders: Iterable[OrderView]) -> Sequence[OrderView]:
    standing = [order for order in orders if order.state in _STANDING]
    if len(standing) > 1:
        standing.sort(key=lambda order: (-order.decided_ns, order.client_id))
    return standing


def _slot(order: OrderView) -> _Place:
    return order.slot.level, order.side


def _crosses(side: Side, price: Decimal, other_side: Side, other_price: Decimal) -> bool:
    if side is other_side:
        return False
    return price >= other_price if side is Side.BUY else price <= other_price
