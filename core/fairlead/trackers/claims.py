"""Know what orders take of each asset: added up with every change, not anew for every order."""

from __future__ import annotations

from collections.abc import Hashable
from decimal import Decimal
from typing import Generic, TypeAlias, TypeVar

from fairlead.model import ZERO, OrderIntent, OrderState, Side
from fairlead.trackers.order import Order

__all__ = ["Claims", "OrderClaims", "needs"]

_Name = TypeVar("_Name", bound=Hashable)
#: Venue and asset.
_Key: TypeAlias = tuple[str, str]


class Claims(Generic[_Name]):
    """What orders take, each by its name; a sum is what adding up all of them would give.

    Nothing is divided and nothing rounded, so taking away leaves what was there before.
    """

    def __init__(self) -> None:
        self._of: dict[_Name, tuple[_Key, Decimal]] = {}
        # With how many orders there are, so that an asset which none takes leaves nothing behind.
        self._sums: dict[_Key, tuple[int, Decimal]] = {}

    def put(self, name: _Name, intent: OrderIntent, quantity: Decimal) -> None:
        """Let an order take what ``quantity`` of it needs, in place of what it took before."""
        self.drop(name)
        instrument = intent.instrument
        asset = instrument.quote if intent.side is Side.BUY else instrument.base
        key, need = (intent.slot.market.venue, asset), needs(intent, quantity, asset)
        count, total = self._sums.get(key, (0, ZERO))
        self._of[name] = key, need
        self._sums[key] = count + 1, total + need

    def drop(self, name: _Name) -> None:
        """Let an order take nothing any more; without effect when it took nothing."""
        key, need = self._of.pop(name, (None, ZERO))
        if key is None:
            return
        count, total = self._sums.pop(key)
        if count > 1:
            self._sums[key] = count - 1, total - need

    def of(self, venue: str, asset: str, *, besides: _Name | None = None) -> Decimal:
        """Give what all of them take of an asset; ``besides``: that one left out."""
        _, total = self._sums.get((venue, asset), (0, ZERO))
        key, need = (None, ZERO) if besides is None else self._of.get(besides, (None, ZERO))
        return total - need if key == (venue, asset) else total


class OrderClaims:
    """What live orders take, apart by whether the venue is known to have them."""

    def __init__(self) -> None:
        self._on_the_way: Claims[str] = Claims()
        self._acknowledged: Claims[str] = Claims()

    def follow(self, order: Order) -> None:
        """Take an order as it is now; one that is closed takes nothing."""
        unproven = order.state in (OrderState.PENDING_CREATE, OrderState.UNKNOWN)
        for claims, mine in ((self._on_the_way, unproven), (self._acknowledged, not unproven)):
            if mine and not order.state.is_closed:
                claims.put(order.client_id, order.intent, order.leaves)
            else:
                claims.drop(order.client_id)

    def of(self, venue: str, asset: str) -> tuple[Decimal, Decimal]:
        """Give what they take of an asset: those the venue may not know of, and the others."""
        return self._on_the_way.of(venue, asset), self._acknowledged.of(venue, asset)


def needs(intent: OrderIntent, quantity: Decimal, asset: str) -> Decimal:
    """Give how much of ``asset`` an order takes for ``quantity``: quote to buy, base to sell."""
    instrument = intent.instrument
    if intent.side is Side.BUY:
        return instrument.notional(intent.price, quantity) if asset == instrument.quote else ZERO
    return quantity * instrument.multiplier if asset == instrument.base else ZERO
