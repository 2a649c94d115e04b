"""Keep a spot account as a venue does: free and locked per asset, never below zero.

An accepted order locks what it may cost: price x quantity of quote for a buy, the quantity of
base for a sell. Fees come out of what is received, base for a buy and quote for a sell, so they
need no lock; a rebate is a negative fee. Everything is exact: no amount is rounded or divided.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from fairlead.model import ZERO, Instrument, Liquidity, Side

__all__ = ["Charge", "Holding", "Shortfall", "SpotAccount"]


@dataclass(slots=True)
class Holding:
    """What an account has of one asset."""

    free: Decimal = ZERO
    locked: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        """Give free plus locked."""
        return self.free + self.locked


class Shortfall(msgspec.Struct, frozen=True, gc=False):
    """Why an order cannot be paid for: what it needs of an asset, and what is free."""

    asset: str
    needed: Decimal
    free: Decimal


class Charge(msgspec.Struct, frozen=True, gc=False):
    """A fee and the asset that it is paid in; negative for a rebate."""

    fee: Decimal
    asset: str


@dataclass(slots=True)
class _Lock:
    instrument: Instrument
    side: Side
    price: Decimal
    quantity: Decimal


class SpotAccount:
    """One account's coins, and the locks of its open orders by their key."""

    def __init__(self, balances: Mapping[str, Decimal]) -> None:
        if any(amount < 0 for amount in balances.values()):
            raise ValueError("a balance is below zero")
        self._holdings = {asset: Holding(amount) for asset, amount in balances.items()}
        self._locks: dict[str, _Lock] = {}

    @property
    def assets(self) -> tuple[str, ...]:
        """Name every asset that the account has or had, in the order of first appearance."""
        return tuple(self._holdings)

    def holding(self, asset: str) -> Holding:
        """Give what the account has of an asset; a copy."""
        held = self._holdings.get(asset)
        return Holding() if held is None else Holding(held.free, held.locked)

    def transfer(self, asset: str, amount: Decimal) -> None:
        """Pay in, or out with a negative amount.

        :raises ValueError: when more is asked for than is free.
        """
        held = self._held(asset)
        if held.free + amount < 0:
            raise ValueError(f"{held.free} {asset} is free, not {-amount}")
        held.free += amount

    def lock(
        self, key: str, instrument: Instrument, side: Side, price: Decimal, quantity: Decimal
    ) -> Shortfall | None:
        """Lock what an order may cost, or say what is missing and change nothing.

        :raises ValueError: when the key holds a lock already.
        """
        if key in self._locks:
            raise ValueError(f"{key} holds a lock already")
        asset, amount = _cost(instrument, side, price, quantity)
        held = self._held(asset)
        if amount > held.free:
            return Shortfall(asset, amount, held.free)
        held.free -= amount
        held.locked += amount
        self._locks[key] = _Lock(instrument, side, price, quantity)
        return None

    def settle(self, key: str, price: Decimal, quantity: Decimal, liquidity: Liquidity) -> Charge:
        """Exchange the coins of a fill and give its fee; a better price frees the difference.

        :raises ValueError: when the order has less left, or the price is worse than its limit.
        """
        lock = self._locks[key]
        instrument = lock.instrument
        sign = lock.side.sign
        if not 0 < quantity <= lock.quantity or sign * price > sign * lock.price:
            raise ValueError(f"{key} cannot fill {quantity} at {price}")
        asset, locked = _cost(instrument, lock.side, lock.price, quantity)
        notional = instrument.notional(price, quantity)
        lock.quantity -= quantity
        paid_from = self._held(asset)
        paid_from.locked -= locked
        if lock.side is Side.BUY:
            paid_from.free += locked - notional
            received, received_asset = quantity * instrument.multiplier, instrument.base
        else:
            received, received_asset = notional, instrument.quote
        fees = instrument.fees
        fee = received * (fees.maker if liquidity is Liquidity.MAKER else fees.taker)
        self._held(received_asset).free += received - fee
        if not lock.quantity:
            del self._locks[key]
        return Charge(fee, received_asset)

    def release(self, key: str) -> None:
        """Free what an order still locks; without effect when it locks nothing."""
        lock = self._locks.pop(key, None)
        if lock is None:
            return
        asset, locked = _cost(lock.instrument, lock.side, lock.price, lock.quantity)
        held = self._held(asset)
        held.locked -= locked
        held.free += locked

    def _held(self, asset: str) -> Holding:
        return self._holdings.setdefault(asset, Holding())


def _cost(
    instrument: Instrument, side: Side, price: Decimal, quantity: Decimal
) -> tuple[str, Decimal]:
    # The asset that an order pays with, and how much of it at most.
    if side is Side.BUY:
        return instrument.quote, instrument.notional(price, quantity)
    return instrument.base, quantity * instrument.multiplier
