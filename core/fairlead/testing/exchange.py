"""Keep a scripted venue's truth: its orders, fills and balances, and the news of each change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from fairlead.model import (
    ZERO,
    Accepted,
    AccountEvent,
    BalanceUpdate,
    Fill,
    Liquidity,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Side,
)

__all__ = ["ScriptedExchange"]

_OPEN = (OrderState.OPEN, OrderState.PARTIALLY_FILLED)


@dataclass(slots=True)
class _Order:
    intent: OrderIntent
    venue_id: str
    state: OrderState = OrderState.OPEN
    filled: Decimal = ZERO


class ScriptedExchange:
    """One account and its orders; nothing fills unless a test says so.

    A test calls `fill`, `end` and `deposit`; the connector calls the rest.
    """

    def __init__(
        self,
        venue: str,
        balances: Mapping[str, str],
        now_ns: Callable[[], int],
        report: Callable[[AccountEvent], None],
    ) -> None:
        self._venue = venue
        self._now_ns = now_ns
        self._report = report
        self._totals = {asset: Decimal(amount) for asset, amount in balances.items()}
        self._orders: dict[str, _Order] = {}
        #: Every fill that happened, in order.
        self.fills: list[Fill] = []
        #: True: the account's news are not sent; queries still tell the truth.
        self.mute = False

    def create(self, intent: OrderIntent) -> Outcome:
        """Let an order rest."""
        if intent.client_id in self._orders:
            return Rejected("DUPLICATE_ID", RejectClass.DUPLICATE)
        order = _Order(intent, f"v{len(self._orders) + 1}")
        self._orders[intent.client_id] = order
        self._tell(order)
        return Accepted(order.venue_id)

    def cancel(self, client_id: str) -> Outcome:
        """Take an order away, as asked; one that is not open is not found."""
        order = self._orders.get(client_id)
        if order is None or order.state not in _OPEN:
            return Rejected("NO_SUCH_ORDER", RejectClass.NOT_FOUND)
        self.end(client_id)
        return Accepted(order.venue_id)

    def end(self, client_id: str, state: OrderState = OrderState.CANCELLED) -> None:
        """Close an order that nobody asked to: cancelled, expired or rejected by the venue."""
        order = self._orders[client_id]
        order.state = state
        self._tell(order)

    def fill(
        self,
        client_id: str,
        quantity: str | Decimal | None = None,
        *,
        price: str | Decimal | None = None,
        liquidity: Liquidity = Liquidity.MAKER,
    ) -> Fill:
        """Trade with an order, whatever its state: ``quantity`` of it, by default the rest."""
        order = self._orders[client_id]
        intent = order.intent
        instrument = intent.instrument
        size = intent.quantity - order.filled if quantity is None else Decimal(quantity)
        paid = intent.price if price is None else Decimal(price)
        notional = instrument.notional(paid, size)
        fees = instrument.fees
        share = fees.maker if liquidity is Liquidity.MAKER else fees.taker
        now_ns = self._now_ns()
        fill = Fill(
            market=instrument.market,
            venue_ns=now_ns,
            local_ns=now_ns,
            trade_id=f"t{len(self.fills) + 1}",
            client_id=client_id,
            venue_id=order.venue_id,
            side=intent.side,
            price=paid,
            quantity=size,
            fee=notional * share,
            fee_asset=instrument.quote,
            liquidity=liquidity,
        )
        self.fills.append(fill)
        order.filled += size
        if order.filled >= intent.quantity:
            order.state = OrderState.FILLED
        elif order.state in _OPEN:
            order.state = OrderState.PARTIALLY_FILLED
        sign = intent.side.sign
        self._add(instrument.base, sign * size * instrument.multiplier)
        self._add(instrument.quote, -sign * notional - fill.fee)
        self._news(fill)
        self._tell(order)
        return fill

    def deposit(self, asset: str, amount: str | Decimal) -> None:
        """Add to a balance; a withdrawal is negative."""
        self._add(asset, Decimal(amount))
        self._news(self._balance(asset))

    def open_orders(self) -> tuple[OrderUpdate, ...]:
        """Give the orders that rest."""
        return tuple(self._update(order) for order in self._orders.values() if order.state in _OPEN)

    def order(self, client_id: str) -> OrderUpdate | None:
        """Give one order, closed or not; None when it never landed."""
        order = self._orders.get(client_id)
        return None if order is None else self._update(order)

    def fills_since(self, since_ns: int) -> tuple[Fill, ...]:
        """Give the fills at or after an instant."""
        return tuple(fill for fill in self.fills if fill.venue_ns >= since_ns)

    def balances(self) -> tuple[BalanceUpdate, ...]:
        """Give every balance that is not zero."""
        return tuple(self._balance(asset) for asset, total in self._totals.items() if total)

    def _add(self, asset: str, amount: Decimal) -> None:
        self._totals[asset] = self._totals.get(asset, ZERO) + amount

    def _balance(self, asset: str) -> BalanceUpdate:
        locked = sum(self._locks(asset), start=ZERO)
        now_ns = self._now_ns()
        free = self._totals.get(asset, ZERO) - locked
        return BalanceUpdate(self._venue, now_ns, now_ns, asset, free, locked)

    def _locks(self, asset: str) -> Iterable[Decimal]:
        for order in self._orders.values():
            intent = order.intent
            leaves = intent.quantity - order.filled
            if order.state not in _OPEN:
                continue
            if intent.side is Side.BUY and asset == intent.instrument.quote:
                yield intent.instrument.notional(intent.price, leaves)
            elif intent.side is Side.SELL and asset == intent.instrument.base:
                yield leaves * intent.instrument.multiplier

    def _update(self, order: _Order) -> OrderUpdate:
        now_ns = self._now_ns()
        return OrderUpdate(
            market=order.intent.instrument.market,
            venue_ns=now_ns,
            local_ns=now_ns,
            client_id=order.intent.client_id,
            venue_id=order.venue_id,
            state=order.state,
            filled=order.filled,
        )

    def _tell(self, order: _Order) -> None:
        self._news(self._update(order))
        instrument = order.intent.instrument
        for asset in (instrument.base, instrument.quote):
            self._news(self._balance(asset))

    def _news(self, event: AccountEvent) -> None:
        if not self.mute:
            self._report(event)
