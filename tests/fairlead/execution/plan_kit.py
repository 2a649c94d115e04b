"""Work one plan against a toy venue that answers when the test says so.

`Kit` is the kernel of `plan_kernel` and the venue in one. What the venue does to an order is the
test's to say, in any order: `ack`, `fill`, `reject`, `lose`, `land`, `cancelled`, `restart`.
`settle` is a venue that behaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import msgspec

from fairlead.api import OrderChanged, OrderView
from fairlead.model import (
    ZERO,
    MarketId,
    OrderIntent,
    OrderState,
    OrderTrigger,
    Side,
    TimeInForce,
    next_state,
)
from fairlead.testing import book_view
from tests.fairlead.execution.plan_kernel import PlanKernel

#: (price, quantity), best first.
Levels = Sequence[tuple[str | int | Decimal, str | int | Decimal]]


class Kit(PlanKernel):
    """A kernel and a venue for one plan."""

    # What a test looks at.

    @property
    def finished(self) -> bool:
        """Tell whether it ended and nothing of it can fill any more."""
        return bool(self.end) and not self.live

    @property
    def notes(self) -> dict[str, str]:
        return {} if self.last is None else dict(self.last.notes)

    @property
    def residual(self) -> dict[MarketId, Decimal]:
        return {} if self.last is None else dict(self.last.residual)

    @property
    def kept(self) -> dict[MarketId, Decimal]:
        return {} if self.last is None else dict(self.last.kept)

    def only(self, level: int | None = None) -> OrderView:
        """Give the one live order (of a level)."""
        (order,) = [o for o in self.live.values() if level is None or o.slot.level == level]
        return order

    # What the market does.

    def book(self, market: MarketId, bids: Levels | None, asks: Levels = ()) -> None:
        """Show another book; None = it became invalid."""
        self.eaten = {eaten: part for eaten, part in self.eaten.items() if eaten[0] != market}
        if bids is None:
            self.books.pop(market, None)
        else:
            shown = book_view(bids, asks)
            self.books[market] = shown
            self.marks[market] = shown.mid
        self._watch()
        self._pump()

    def quote(
        self, market: MarketId, bid: str | Decimal, ask: str | Decimal, size: str | int = 1_000
    ) -> None:
        """Show a book of one level a side."""
        self.book(market, [(bid, size)], [(ask, size)])

    # What the venue does.

    def ack(self, order: OrderView) -> None:
        """Take an order; one that must not take is refused when it would."""
        self.move(order, OrderTrigger.ACCEPTED)

    def reject(self, order: OrderView) -> None:
        self.move(order, OrderTrigger.REJECTED)

    def lose(self, order: OrderView) -> None:
        """Lose the answer to a create: UNKNOWN."""
        self.move(order, OrderTrigger.ANSWER_LOST)

    def land(self, order: OrderView, *, never: bool = False) -> None:
        """Prove what became of an UNKNOWN order."""
        self.move(order, OrderTrigger.NEVER_LANDED if never else OrderTrigger.ACCEPTED)

    def cancelled(self, order: OrderView) -> None:
        """Prove an order gone."""
        self.move(order, OrderTrigger.CANCELLED)

    def cancel_fails(self, order: OrderView) -> None:
        """Prove that an order lives although its cancel was sent."""
        now = self.live[order.client_id]
        self.move(now, OrderTrigger.PROVEN_PARTIAL if now.filled else OrderTrigger.PROVEN_OPEN)

    def fill(
        self,
        order: OrderView,
        quantity: str | int | Decimal | None = None,
        price: str | Decimal | None = None,
        *,
        maker: bool | None = None,
    ) -> None:
        """Fill (a part of) an order; by default all that is left, at its price."""
        now = self.live[order.client_id]
        taken = now.leaves if quantity is None else Decimal(quantity)
        assert 0 < taken <= now.leaves
        intent = self.intents[order.client_id]
        self._book_fill(
            order.client_id,
            taken,
            None if price is None else Decimal(price),
            maker=intent.post_only if maker is None else maker,
        )
        self._pump()

    def fill_late(self, order: OrderView, quantity: str | int | Decimal | None = None) -> None:
        """Fill (a part of) a cancelled or expired order: the venue's books were slower."""
        closed = self.orders[order.client_id]
        assert closed.state in {OrderState.CANCELLED, OrderState.EXPIRED}
        taken = closed.leaves if quantity is None else Decimal(quantity)
        assert 0 < taken <= closed.leaves
        self._book_fill(order.client_id, taken, None, maker=False)
        self._pump()

    def move(self, order: OrderView, trigger: OrderTrigger) -> bool:
        """Let the venue's word move an order; False = the table does not know that step."""
        now = self.live.get(order.client_id)
        if now is None:
            return False
        state = next_state(now.state, trigger)
        if state is None:
            return False
        if trigger is OrderTrigger.ACCEPTED and now.acknowledged_ns is None:
            now = msgspec.structs.replace(now, acknowledged_ns=self.now_ns)
        self._put(msgspec.structs.replace(now, state=state))
        self._leave(order.client_id)
        self._events.append(OrderChanged(self.orders[order.client_id]))
        self._pump()
        return True

    def settle(self, rounds: int = 50) -> None:
        """Behave: acknowledge, match what crosses the book, confirm cancels, until it is quiet.

        What is eaten stays eaten until the next `book`, which nothing but the test shows.
        """
        for _ in range(rounds):
            before = len(self.orders), len(self.fills), [o.state for o in self.live.values()]
            for order in tuple(self.live.values()):
                self._behave(order)
            if before == (len(self.orders), len(self.fills), [o.state for o in self.live.values()]):
                return
        raise AssertionError("it never comes to rest")

    def run(self, seconds: float, *, step: float = 1.0) -> None:
        """Let time pass with a venue that behaves; stops at the end of the plan."""
        left = seconds
        self.settle()
        while left > 0 and not self.finished:
            self.advance(min(step, left))
            self.settle()
            left -= step

    def _behave(self, order: OrderView) -> None:
        intent, now = self.intents[order.client_id], self.live.get(order.client_id)
        if now is None:
            return
        if now.state is OrderState.PENDING_CANCEL:
            self.cancelled(now)
            return
        if now.state.is_unproven and intent.post_only and self._crosses(intent):
            self.reject(now)
            return
        taken = self._takes(intent, now.leaves)
        if now.state.is_unproven:
            self.ack(now)
        if taken is not None and order.client_id in self.live:
            quantity, price = taken
            self.fill(now, quantity, price, maker=intent.post_only)
        at_once = intent.time_in_force is not TimeInForce.GTC
        if at_once and order.client_id in self.live:
            self.move(now, OrderTrigger.EXPIRED)

    def _crosses(self, intent: OrderIntent) -> bool:
        book, side = self.books.get(intent.instrument.market), intent.side
        if book is None:
            return False
        other = book.best_ask if side is Side.BUY else book.best_bid
        return side.sign * intent.price >= side.sign * other.price

    def _takes(self, intent: OrderIntent, leaves: Decimal) -> tuple[Decimal, Decimal] | None:
        market, side = intent.instrument.market, intent.side
        book = self.books.get(market)
        if book is None:
            return None
        taken, cost = ZERO, ZERO
        for level in book.depth(side.opposite, 100):
            if side.sign * level.price > side.sign * intent.price:
                break
            place = (market, side.opposite, level.price)
            left = level.quantity - self.eaten.get(place, ZERO)
            part = intent.instrument.round_quantity(min(left, leaves - taken))
            self.eaten[place] = self.eaten.get(place, ZERO) + part
            taken, cost = taken + part, cost + part * level.price
        return (taken, cost / taken) if taken else None
