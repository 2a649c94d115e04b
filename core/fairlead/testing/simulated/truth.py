"""Know what really happened at a simulated venue, for those who judge an engine by it.

Nothing here goes through the protocol, so no fault can touch it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

import msgspec

from fairlead.market import SpotExchange
from fairlead.model import ZERO, Fill, OrderIntent, Side

__all__ = ["Effect", "EffectKind", "LiveOrder", "Origin", "SlotWatch", "VenueTruth"]

_KEPT = 20_000


class Origin(StrEnum):
    """Who brought an order to the account."""

    #: It came through the protocol.
    ENGINE = "engine"
    #: Somebody placed it by hand.
    EXTERNAL = "external"
    #: It bears the id of another Fairlead.
    FOREIGN = "foreign"


class EffectKind(StrEnum):
    """What changed at the venue."""

    CREATED = "created"
    #: Part of it traded, or all that was left.
    FILLED = "filled"
    CANCELLED = "cancelled"
    #: What could not fill at once is gone.
    EXPIRED = "expired"


class Effect(msgspec.Struct, frozen=True):
    """One change of one order, in true time."""

    t_ns: int
    kind: EffectKind
    client_id: str
    venue_id: str
    origin: Origin
    #: request, market, dead man, maintenance or hand.
    cause: str
    #: Whether the order is live after it.
    live: bool


@dataclass(slots=True, eq=False)
class LiveOrder:
    """An order that rests now."""

    client_id: str
    venue_id: str
    side: Side
    price: Decimal
    quantity: Decimal
    #: True time of its arrival, and when queries begin to show it.
    since_ns: int
    visible_ns: int
    origin: Origin
    #: Orders are numbered by age.
    number: int
    filled: Decimal = ZERO

    @property
    def leaves(self) -> Decimal:
        """Give what may still fill."""
        return self.quantity - self.filled


class VenueTruth:
    """The account's orders, fills and balances as they are."""

    def __init__(self, exchange: SpotExchange) -> None:
        self._exchange = exchange
        self._live: dict[str, LiveOrder] = {}
        self._watchers: list[Callable[[Effect], None]] = []
        self._numbers = 0
        #: What changed, the latest 20,000; `watch` gets all of it.
        self.effects: deque[Effect] = deque(maxlen=_KEPT)
        #: Every fill of the account, oldest first, but those that were forgotten.
        self.fills: list[Fill] = []
        #: How many were forgotten.
        self.forgotten = 0
        #: Every transfer: true time, asset, amount.
        self.transfers: list[tuple[int, str, Decimal]] = []
        #: Orders that were created, whoever brought them.
        self.created = 0

    def watch(self, listener: Callable[[Effect], None]) -> None:
        """Call ``listener`` at each effect, at once; it must not change the venue."""
        self._watchers.append(listener)

    def open_orders(self, origin: Origin | None = None) -> tuple[LiveOrder, ...]:
        """Give the orders that rest, oldest first; of one origin where it is named."""
        return tuple(
            order for order in self._live.values() if origin is None or order.origin is origin
        )

    def live(self, client_id: str) -> LiveOrder | None:
        """Find the resting order of a client id."""
        return self._live.get(client_id)

    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Give (free, locked) by asset."""
        return {update.asset: (update.free, update.locked) for update in self._exchange.balances(0)}

    def forget_fills(self, kept: int) -> None:
        """Forget all but the latest fills, in runs that last days; numbers stay as they are."""
        beyond = max(len(self.fills) - kept, 0)
        self.forgotten += beyond
        del self.fills[:beyond]

    # --- told by the venue

    def created_order(
        self, intent: OrderIntent, venue_id: str, now_ns: int, visible_ns: int, origin: Origin
    ) -> LiveOrder:
        """Note an order that was taken."""
        self._numbers += 1
        self.created += 1
        order = LiveOrder(
            client_id=intent.client_id,
            venue_id=venue_id,
            side=intent.side,
            price=intent.price,
            quantity=intent.quantity,
            since_ns=now_ns,
            visible_ns=visible_ns,
            origin=origin,
            number=self._numbers,
        )
        self._live[order.client_id] = order
        self._tell(EffectKind.CREATED, order, now_ns, "request")
        return order

    def filled_order(self, fill: Fill, now_ns: int) -> None:
        """Note a fill."""
        self.fills.append(fill)
        order = self._live[fill.client_id]
        order.filled += fill.quantity
        if not order.leaves:
            del self._live[order.client_id]
        self._tell(EffectKind.FILLED, order, now_ns, "market")

    def closed_order(self, client_id: str, kind: EffectKind, now_ns: int, cause: str) -> None:
        """Note that an order is gone without having filled."""
        order = self._live.pop(client_id)
        self._tell(kind, order, now_ns, cause)

    def _tell(self, kind: EffectKind, order: LiveOrder, now_ns: int, cause: str) -> None:
        effect = Effect(
            now_ns,
            kind,
            order.client_id,
            order.venue_id,
            order.origin,
            cause,
            live=order.client_id in self._live,
        )
        self.effects.append(effect)
        for watcher in self._watchers:
            watcher(effect)


class SlotWatch:
    """Counts live orders in each slot at every instant.

    ``slot_of`` names the slot of a client id when its order is created; None = not watched.
    """

    def __init__(self, truth: VenueTruth, slot_of: Callable[[str], Hashable | None]) -> None:
        self._slot_of = slot_of
        self._slots: dict[str, Hashable] = {}
        #: Live orders by slot, now and at the most.
        self.live: dict[Hashable, int] = {}
        self.most: dict[Hashable, int] = {}
        #: (true time, slot, count) of each creation that was not the only one in its slot.
        self.crowded: list[tuple[int, Hashable, int]] = []
        truth.watch(self._on_effect)

    def _on_effect(self, effect: Effect) -> None:
        if effect.kind is EffectKind.CREATED:
            slot = self._slot_of(effect.client_id)
            if slot is None:
                return
            self._slots[effect.client_id] = slot
            count = self.live.get(slot, 0) + 1
            self.live[slot] = count
            self.most[slot] = max(self.most.get(slot, 0), count)
            if count > 1:
                self.crowded.append((effect.t_ns, slot, count))
        elif not effect.live:
            slot = self._slots.pop(effect.client_id, None)
            if slot is not None:
                self.live[slot] -= 1
