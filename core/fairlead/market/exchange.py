"""Be a venue without a network: one market, one account, the truth about every order.

Synchronous and pure: arrivals, cancels and market events come with their time, in order; outcomes
and account news come back. Who owns it adds the latency (`fairlead_paper`).
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

import msgspec

from fairlead.book import Book, SequenceRule
from fairlead.market.account import Holding, SpotAccount
from fairlead.market.filters import feed_integer, refused_by_rules
from fairlead.market.matching import Match, Matcher, Standing
from fairlead.market.queue import QueueModel
from fairlead.model import (
    ZERO,
    Accepted,
    AccountEvent,
    BalanceUpdate,
    BookSnapshot,
    CancelRequest,
    Fill,
    Instrument,
    InstrumentKind,
    MarketEvent,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Outcome,
    RejectClass,
    Rejected,
    Scale,
    Side,
    Unavailable,
    trimmed,
)

__all__ = ["Answer", "SpotExchange"]

#: How many closed orders can still be asked for; an id among them cannot be used again.
_REMEMBERED = 10_000
# How many fills can still be asked for. An engine asks for those since the last one that it has
# read, at most two minutes ago, and for a minute more: that is room for fifty a second.
_FILLS_KEPT = 10_000


class Answer(msgspec.Struct, frozen=True, gc=False):
    """What a request brought: its outcome, and the news that it made for the account."""

    outcome: Outcome
    news: tuple[AccountEvent, ...] = ()


@dataclass(slots=True)
class _Order:
    client_id: str
    venue_id: str
    side: Side
    quantity: Decimal
    state: OrderState = OrderState.OPEN
    filled: Decimal = ZERO


class SpotExchange:
    """A spot market with one account of ours; the book is in ``scale``'s integers.

    News carry the venue's time as given, and ``report_ns`` later as the time of their arrival.
    Orders and trades are numbered from 1, apart: equal runs give equal ids. With ``reuse_ids`` a
    client id need only be unlike those of open orders, as at some venues. ``fills_kept`` is how
    many fills can still be asked for; with 0 whoever owns it keeps them.

    :raises ValueError: when it is no spot market, or its rules are finer than the feed.
    """

    def __init__(
        self,
        instrument: Instrument,
        scale: Scale,
        rule: SequenceRule,
        balances: Mapping[str, Decimal],
        *,
        model: QueueModel = QueueModel.CONSERVATIVE,
        report_ns: int = 0,
        reuse_ids: bool = False,
        fills_kept: int = _FILLS_KEPT,
    ) -> None:
        if instrument.kind is not InstrumentKind.SPOT or instrument.inverse:
            raise ValueError(f"{instrument.symbol} is a contract; only spot is traded on paper yet")
        if feed_integer(instrument.lot, scale.quantity_decimals) is None:
            raise ValueError(
                f"lot {trimmed(instrument.lot)} is finer than the feed's "
                f"{scale.quantity_decimals} decimals"
            )
        self.instrument = instrument
        self.book = Book(instrument.market, rule)
        #: Whether the client id of a closed order may be used again.
        self.reuse_ids = reuse_ids
        self._scale = scale
        self._report_ns = report_ns
        self._matcher = Matcher(self.book, model)
        self._account = SpotAccount(balances)
        self._open: dict[str, _Order] = {}
        self._closed: OrderedDict[str, _Order] = OrderedDict()
        self._fills: deque[Fill] = deque(maxlen=fills_kept)
        # The venue's time of the last fill that cannot be asked for any more.
        self._forgotten_ns: int | None = None
        self._order_ids, self._trade_ids = count(1), count(1)
        self._told: dict[str, Holding] = {}

    # --- what moves it

    def on_event(self, event: MarketEvent, now_ns: int) -> Sequence[AccountEvent]:
        """Let the market move; gives the news of what filled."""
        matches = self._matcher.on_event(event)
        if not matches:
            return ()
        news: list[AccountEvent] = []
        for match in matches:
            order = self._open[match.key]
            news.append(self._filled(order, match, now_ns))
            state = OrderState.PARTIALLY_FILLED if match.leaves else OrderState.FILLED
            news.append(self._become(order, state, now_ns))
        return (*news, *self._balances(now_ns))

    def submit(self, intent: OrderIntent, now_ns: int) -> Answer:
        """Let an order arrive: refuse it, or take it and say what became of it at once."""
        refusal = self._refuse(intent)
        if refusal is not None:
            return Answer(refusal)
        # That both are whole numbers of the feed's decimals was checked with the rules.
        price = int(intent.price.scaleb(self._scale.price_decimals))
        quantity = int(intent.quantity.scaleb(self._scale.quantity_decimals))
        order = _Order(
            intent.client_id, f"paper-{next(self._order_ids)}", intent.side, intent.quantity
        )
        short = self._account.lock(
            order.client_id, self.instrument, order.side, intent.price, intent.quantity
        )
        if short is not None:
            detail = f"needs {trimmed(short.needed)} {short.asset}, free {trimmed(short.free)}"
            return Answer(Rejected("INSUFFICIENT_BALANCE", RejectClass.BALANCE, detail))
        placed = self._matcher.place(
            order.client_id,
            order.side,
            price,
            quantity,
            intent.time_in_force,
            post_only=intent.post_only,
        )
        if placed.standing is Standing.WOULD_TAKE:
            self._account.release(order.client_id)
            return Answer(_would_take("the price reaches the other side of the book"))
        self._open[order.client_id] = order
        news: list[AccountEvent] = [self._filled(order, match, now_ns) for match in placed.matches]
        match placed.standing:
            case Standing.FILLED:
                state = OrderState.FILLED
            case Standing.EXPIRED:
                state = OrderState.EXPIRED
            case Standing.RESTING:
                state = OrderState.PARTIALLY_FILLED if order.filled else OrderState.OPEN
        news.append(self._become(order, state, now_ns))
        return Answer(Accepted(order.venue_id), (*news, *self._balances(now_ns)))

    def cancel(self, request: CancelRequest, now_ns: int) -> Answer:
        """Let a cancel arrive: the order is gone now, or it is not open."""
        order = self._open.get(request.client_id)
        if order is None:
            known = self._closed.get(request.client_id)
            detail = "never seen" if known is None else f"is {known.state}"
            return Answer(Rejected("UNKNOWN_ORDER", RejectClass.NOT_FOUND, detail))
        self._matcher.cancel(order.client_id)
        update = self._become(order, OrderState.CANCELLED, now_ns)
        return Answer(Accepted(order.venue_id), (update, *self._balances(now_ns)))

    def transfer(self, asset: str, amount: Decimal, now_ns: int) -> Sequence[AccountEvent]:
        """Let somebody pay in, or out with a negative amount; gives the news of it.

        :raises ValueError: when more is asked for than is free.
        """
        self._account.transfer(asset, amount)
        return (self._balance(asset, now_ns),)

    # --- what it answers

    def open_orders(self, now_ns: int) -> tuple[OrderUpdate, ...]:
        """Give every open order, oldest first."""
        return tuple(self._update(order, now_ns) for order in self._open.values())

    def order(self, client_id: str, now_ns: int) -> OrderUpdate | None:
        """Give an order, open or closed; None when it never arrived or is long closed."""
        order = self._open.get(client_id) or self._closed.get(client_id)
        return None if order is None else self._update(order, now_ns)

    def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Give our fills at or after ``since_ns``, oldest first; all of them or none.

        The latest 10,000 are kept, unless it was made otherwise.
        """
        if self._forgotten_ns is not None and since_ns <= self._forgotten_ns:
            return Unavailable(f"the venue keeps its last {self._fills.maxlen} fills")
        return tuple(fill for fill in self._fills if fill.venue_ns >= since_ns)

    def balances(self, now_ns: int) -> tuple[BalanceUpdate, ...]:
        """Give every balance that is not zero."""
        held = (self._balance(asset, now_ns) for asset in self._account.assets)
        return tuple(balance for balance in held if balance.total)

    def snapshot(self, now_ns: int) -> BookSnapshot | None:
        """Give the public book as it is now; None while it is not known."""
        if not self.book.valid or self.book.last_id is None:
            return None
        return BookSnapshot(
            self.instrument.market,
            now_ns,
            now_ns,
            self.book.last_id,
            tuple(self.book.levels(Side.BUY)),
            tuple(self.book.levels(Side.SELL)),
            self._scale,
        )

    # --- inside

    def _refuse(self, intent: OrderIntent) -> Rejected | None:
        # Everything that a venue checks before it looks at the account.
        used = intent.client_id in self._closed and not self.reuse_ids
        if intent.client_id in self._open or used:
            return Rejected("DUPLICATE_ID", RejectClass.DUPLICATE, intent.client_id)
        refused = refused_by_rules(intent, self.instrument, self._scale)
        if refused is not None:
            return refused
        if not self.book.valid:
            return Rejected("NO_BOOK", RejectClass.MARKET_CLOSED, self.book.reason)
        return self._refuse_self_trade(intent)

    def _refuse_self_trade(self, intent: OrderIntent) -> Rejected | None:
        # The public book does not hold our orders, but a venue's does: none may meet another.
        other = self._matcher.best_own(intent.side.opposite)
        if other is None:
            return None
        price = self._scale.price(other)
        if intent.side.sign * intent.price < intent.side.sign * price:
            return None
        detail = f"our own order rests at {price}"
        if intent.post_only:
            return _would_take(detail)
        return Rejected("SELF_TRADE", RejectClass.OTHER, detail)

    def _filled(self, order: _Order, match: Match, now_ns: int) -> Fill:
        price, quantity = self._scale.price(match.price), self._scale.quantity(match.quantity)
        charge = self._account.settle(order.client_id, price, quantity, match.liquidity)
        order.filled += quantity
        fill = Fill(
            market=self.instrument.market,
            venue_ns=now_ns,
            local_ns=now_ns + self._report_ns,
            trade_id=str(next(self._trade_ids)),
            client_id=order.client_id,
            venue_id=order.venue_id,
            side=order.side,
            price=price,
            quantity=quantity,
            fee=charge.fee,
            fee_asset=charge.asset,
            liquidity=match.liquidity,
        )
        self._keep(fill)
        return fill

    def _keep(self, fill: Fill) -> None:
        fills = self._fills
        if len(fills) == fills.maxlen:
            self._forgotten_ns = fills[0].venue_ns if fills else fill.venue_ns
        fills.append(fill)

    def _become(self, order: _Order, state: OrderState, now_ns: int) -> OrderUpdate:
        order.state = state
        if state.is_closed:
            self._account.release(order.client_id)
            del self._open[order.client_id]
            self._closed[order.client_id] = order
            if len(self._closed) > _REMEMBERED:
                self._closed.popitem(last=False)
        return self._update(order, now_ns)

    def _update(self, order: _Order, now_ns: int) -> OrderUpdate:
        return OrderUpdate(
            market=self.instrument.market,
            venue_ns=now_ns,
            local_ns=now_ns + self._report_ns,
            client_id=order.client_id,
            venue_id=order.venue_id,
            state=order.state,
            filled=order.filled,
        )

    def _balances(self, now_ns: int) -> Iterator[BalanceUpdate]:
        # What of the account is different from what was last told.
        for asset in (self.instrument.base, self.instrument.quote):
            held = self._account.holding(asset)
            if self._told.get(asset) != held:
                self._told[asset] = held
                yield self._balance(asset, now_ns)

    def _balance(self, asset: str, now_ns: int) -> BalanceUpdate:
        held = self._account.holding(asset)
        return BalanceUpdate(
            venue=self.instrument.market.venue,
            venue_ns=now_ns,
            local_ns=now_ns + self._report_ns,
            asset=asset,
            free=held.free,
            locked=held.locked,
        )


def _would_take(detail: str) -> Rejected:
    return Rejected("POST_ONLY", RejectClass.POST_ONLY, detail)
