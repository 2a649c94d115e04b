"""Decide the quotes of pure market making: one pure function from view to wish."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.api import ControllerContext, Decision, Gate, QuotesConfig, View
from fairlead.model import ZERO, InstrumentKind, OrderState, Purpose, Quote, Side
from fairlead_pmm.config import PmmConfig, Reference
from fairlead_pmm.ladder import Ladder
from fairlead_pmm.skew import measure

__all__ = ["Delay", "PmmController", "PmmMemory", "build"]


class Delay(msgspec.Struct, frozen=True, gc=False):
    """A level of a side that stays empty until an instant, because its order filled."""

    side: Side
    level: int
    until_ns: int


class PmmMemory(msgspec.Struct, frozen=True):
    """What the strategy remembers from tick to tick."""

    delays: tuple[Delay, ...] = ()


class PmmController:
    """Quote both sides around a reference, leaning against the inventory.

    The filled-order delay holds for the level and side that filled, not for the whole strategy:
    the other side is what brings the inventory back, and the other levels are still where they
    were wished. Partial fills delay nothing.
    """

    def __init__(self, config: PmmConfig) -> None:
        self._config = config

    @property
    def plan(self) -> QuotesConfig:
        """Give how the quotes are worked."""
        return self._config.plan

    def initial(self) -> PmmMemory:
        """Give the memory to start with: nothing is delayed."""
        return PmmMemory()

    def decide(self, view: View, memory: PmmMemory) -> Decision[PmmMemory]:
        """Wish for every quote that should rest now, each with its reasons.

        Without a valid book nothing is quoted, and everything is pulled.
        """
        memory = self._remember(view, memory)
        book = view.book
        if book is None:
            return _nothing(memory, "no valid book", "pulled until the book is valid")
        mid = book.mid
        inventory = measure(view, mid, self._config.inventory)
        if inventory is None:
            base, quote = view.instrument.base, view.instrument.quote
            return _nothing(memory, "no balance", f"neither {base} nor {quote} in the account")
        buying, selling = _budget(view, mid)
        ladder = Ladder(
            config=self._config,
            instrument=view.instrument,
            reference=mid if self._config.reference is Reference.MID else book.microprice,
            best_bid=book.best_bid.price,
            best_ask=book.best_ask.price,
            inventory=inventory,
            spread_factor=view.spread_factor,
            buying=buying,
            selling=selling,
        )
        quotes: list[Quote] = []
        gates: list[Gate] = []
        for side in Side:
            delayed = [delay.level for delay in memory.delays if delay.side is side]
            delay_text = f"filled; empty for {self._config.filled_order_delay}"
            gates += [
                Gate("filled-order delay", f"{side} {level} {delay_text}") for level in delayed
            ]
            made, stopped = ladder.side(side, delayed)
            quotes += made
            gates += stopped
        return Decision(memory, tuple(quotes), tuple(gates), inventory.target)

    def _remember(self, view: View, memory: PmmMemory) -> PmmMemory:
        delay_ns = self._config.filled_order_delay.ns
        if not delay_ns:
            return memory
        until = {
            (delay.side, delay.level): delay
            for delay in memory.delays
            if delay.until_ns > view.now_ns
        }
        for order in view.closed:
            if order.state is OrderState.FILLED and order.purpose is Purpose.QUOTE:
                key = (order.side, order.slot.level)
                until[key] = Delay(*key, view.now_ns + delay_ns)
        return PmmMemory(tuple(until[key] for key in sorted(until)))


def build(config: PmmConfig, context: ControllerContext) -> PmmController:
    """Build the controller for one market; refuses a size in a foreign asset."""
    instrument = context.instrument
    if instrument.inverse:
        context.refuse("market", str(instrument.market), "inverse contracts are not quoted")
    assets = (instrument.base, instrument.quote)
    if config.order_size.asset not in assets:
        expected = f"write the size in {assets[0]} or {assets[1]}"
        context.refuse("order_size", str(config.order_size), expected)
    return PmmController(config)


def _nothing(memory: PmmMemory, name: str, detail: str) -> Decision[PmmMemory]:
    return Decision(memory, (), (Gate(name, detail),))


def _budget(view: View, mid: Decimal) -> tuple[Decimal, Decimal]:
    """Give quote currency to buy with and units to sell: free, or locked in own live orders."""
    instrument = view.instrument
    quote, base = view.quote.available, view.base.available
    for order in view.orders:
        if order.side is Side.BUY or instrument.kind is not InstrumentKind.SPOT:
            quote += instrument.notional(order.price, order.leaves)
        else:
            base += order.leaves
    if instrument.kind is InstrumentKind.SPOT:
        return quote, base
    # A contract is bought and sold against the same margin, here without leverage; what closes
    # the position needs none.
    room = quote / (mid * instrument.multiplier)
    closing = instrument.notional(mid, max(-view.position, ZERO))
    return quote + closing, room + max(view.position, ZERO)
