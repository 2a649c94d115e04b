"""Hold one order of ours and all that is proven about it."""

from __future__ import annotations

from decimal import Decimal

from fairlead.api import OrderView
from fairlead.model import ZERO, OrderIntent, OrderState, OrderTrigger

__all__ = ["Order"]


class Order:
    """One order of ours and all that is proven about it."""

    __slots__ = (
        "_view",
        "acknowledged_ns",
        "cancel_lost",
        "cancel_sent_ns",
        "closed_ns",
        "earlier",
        "filled",
        "final",
        "intent",
        "left_ns",
        "recorded_ns",
        "sent_ns",
        "state",
        "trades",
        "venue_id",
    )

    def __init__(self, intent: OrderIntent, now_ns: int) -> None:
        self.intent = intent
        self.state = OrderState.PENDING_CREATE
        self.filled = ZERO
        self.venue_id: str | None = None
        self.recorded_ns = now_ns
        #: When the create left; None while it waits for its record to be durable.
        self.sent_ns: int | None = None
        #: The same by the monotonic clock, which nobody sets; None also for an earlier run's.
        self.left_ns: int | None = None
        #: When the venue first showed that it has the order; None = nobody has proven that.
        self.acknowledged_ns: int | None = None
        self.cancel_sent_ns: int | None = None
        #: When it was closed; None while it is live.
        self.closed_ns: int | None = None
        #: An earlier run made it: the balances on which the books opened contain its fills.
        self.earlier = False
        #: The answer to the last cancel was lost: it may be sent again.
        self.cancel_lost = False
        #: An end that the venue announced while fills that belong to it are still missing.
        self.final: tuple[OrderTrigger, Decimal] | None = None
        #: Trade ids booked, so that none counts twice.
        self.trades: list[str] = []
        self._view: OrderView | None = None

    @property
    def client_id(self) -> str:
        """Give our id of the order."""
        return self.intent.client_id

    @property
    def leaves(self) -> Decimal:
        """Give what may still fill."""
        return self.intent.quantity - self.filled

    def view(self) -> OrderView:
        """Show the order as it is now."""
        if self._view is None:
            intent = self.intent
            self._view = OrderView(
                client_id=intent.client_id,
                slot=intent.slot,
                side=intent.side,
                price=intent.price,
                quantity=intent.quantity,
                filled=self.filled,
                state=self.state,
                purpose=intent.purpose,
                decided_ns=intent.decided_ns,
                acknowledged_ns=self.acknowledged_ns,
            )
        return self._view

    def mark_sent(self, now_ns: int) -> None:
        """Note that its create leaves now."""
        self.sent_ns = now_ns

    def touch(self) -> None:
        """Forget the view made before a change."""
        self._view = None
