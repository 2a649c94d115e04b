"""Count money wrongly: twice, too early, by old news, or not at all."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from fairlead.kernel.desk import Desk
from fairlead.kernel.difference import BalanceWatch
from fairlead.kernel.reading import AccountReading
from fairlead.ledger import AccountLedger
from fairlead.model import (
    ZERO,
    BalanceUpdate,
    Fill,
    Liquidity,
    OrderState,
    OrderUpdate,
    VenueEvent,
)
from fairlead.testing.simulation.plants.plant import Mutation, Plant
from fairlead.trackers import Order, OrderClaims, OrderTracker, VenueAccount

__all__ = ["MONEY_PLANTS"]


def _no_dedupe(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda self, fill: self.get(fill.client_id)


def _infers(right: Callable[..., None]) -> Callable[..., None]:
    inferred: dict[str, Decimal] = {}

    def handle(self: Desk, event: VenueEvent) -> None:
        right(self, event)
        if not isinstance(event, OrderUpdate):
            return
        order = self.orders.get(event.client_id)
        known = inferred.get(event.client_id, ZERO)
        if order is not None and event.filled > known:
            inferred[event.client_id] = event.filled
            right(self, _inferred(order, event, event.filled - known))

    return handle


def _inferred(order: Order, update: OrderUpdate, quantity: Decimal) -> Fill:
    return Fill(
        market=update.market,
        venue_ns=update.venue_ns,
        local_ns=update.local_ns,
        trade_id=f"inferred-{update.venue_id}-{update.filled}",
        client_id=update.client_id,
        venue_id=update.venue_id,
        side=order.intent.side,
        price=order.intent.price,
        quantity=quantity,
        fee=ZERO,
        fee_asset=order.intent.instrument.quote,
        liquidity=Liquidity.MAKER,
    )


def _in_quote(right: Callable[..., Any]) -> Callable[..., Any]:
    def on_fill(self: AccountLedger, strategy: str, fill: Fill, *more: Any) -> Any:  # noqa: ANN401 - as the right one
        quote = self.strategies[strategy].terms.instrument.quote
        return right(self, strategy, replace(fill, fee_asset=quote), *more)

    return on_fill


def _closes_early(right: Callable[..., None]) -> Callable[..., None]:
    def apply_update(self: OrderTracker, update: OrderUpdate, now_ns: int) -> None:
        order = self.get(update.client_id)
        right(self, update, now_ns)
        if order is not None and order.final is not None and not order.state.is_closed:
            self._move(order, order.final[0])

    return apply_update


def _old_news(right: Callable[..., None]) -> Callable[..., None]:
    del right

    def apply(self: VenueAccount, update: BalanceUpdate) -> None:
        self._balances[update.asset] = update

    return apply


def _unreserved(right: Callable[..., None]) -> Callable[..., None]:
    def follow(self: OrderClaims, order: Order) -> None:
        right(self, order)
        if order.state is OrderState.UNKNOWN:
            self._on_the_way.drop(order.client_id)

    return follow


def _hasty(right: Callable[..., list[str]]) -> Callable[..., list[str]]:
    def compare(self: BalanceWatch, reading: AccountReading, desk: Desk) -> list[str]:
        found = right(self, reading, desk)
        self._moved_ns = 0
        self._seen = {asset: (gap, 0) for asset, (gap, _) in self._seen.items()}
        return found + right(self, reading, desk)

    return compare


def _halved(right: Callable[..., Any]) -> Callable[..., Any]:
    # Each partial fill is taken for the order's total.
    def apply_fill(self: OrderTracker, fill: Fill, now_ns: int) -> Order | None:
        order: Order | None = self.expects(fill)
        if order is not None and order.filled:
            order.filled = Decimal(0)
        done: Order | None = right(self, fill, now_ns)
        return done

    return apply_fill


MONEY_PLANTS = (
    Plant(
        "fills_counted_twice",
        "a fill that is told twice is booked twice",
        (Mutation(OrderTracker, "expects", _no_dedupe),),
    ),
    Plant(
        "inferred_fill_added",
        "a fill is inferred from an order's news, and the real one is booked as well",
        (Mutation(Desk, "handle", _infers),),
    ),
    Plant(
        "fee_in_quote",
        "a fee is booked in the quote asset, whatever it was paid in",
        (Mutation(AccountLedger, "on_fill", _in_quote),),
    ),
    Plant(
        "closed_before_its_fills",
        "an order is closed by the news of its end although fills are missing",
        (Mutation(OrderTracker, "apply_update", _closes_early),),
    ),
    Plant(
        "last_fill_is_the_total",
        "a second fill of an order replaces the first instead of adding to it",
        (Mutation(OrderTracker, "apply_fill", _halved),),
    ),
    Plant(
        "old_balance_wins",
        "late news of a balance replaces newer news",
        (Mutation(VenueAccount, "apply", _old_news),),
    ),
    Plant(
        "transfer_invented",
        "a difference counts as a transfer at once, although news of a fill may be under way",
        (Mutation(BalanceWatch, "compare", _hasty),),
    ),
    Plant(
        "unknown_reserves_nothing",
        "the reservation of an unproven order is given back",
        (Mutation(OrderClaims, "follow", _unreserved),),
    ),
)
