"""Hold the account of a simulated venue: what takes effect, who hears of it, and who reads it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal

from msgspec.structs import replace

from fairlead.api import Clock
from fairlead.market import SpotExchange
from fairlead.model import (
    ZERO,
    Accepted,
    AccountEvent,
    BalanceUpdate,
    CancelRequest,
    Fill,
    Instrument,
    MarketEvent,
    OrderIntent,
    OrderState,
    OrderUpdate,
    Rejected,
    Slot,
)
from fairlead.testing.neutral.wire import BalanceLine, FillLine, OrderLine, Place, Result
from fairlead.testing.simulated.knobs import Knobs
from fairlead.testing.simulated.truth import EffectKind, Origin, VenueTruth

__all__ = ["News", "SimulatedAccount"]

#: What the account's stream tells.
News = OrderLine | FillLine | BalanceLine

_HISTORY = 512
# How far a venue's clock may have been set back between two fills.
_STEP_NS = 60_000_000_000

_CLOSING = {
    OrderState.CANCELLED: EffectKind.CANCELLED,
    OrderState.EXPIRED: EffectKind.EXPIRED,
}


class SimulatedAccount:
    """Orders, fills and balances of one account; synchronous.

    ``tell`` gets each piece of news, ``venue_ns`` gives the venue's own time, ``span`` draws
    whether and for how long something lags: (kind, rate, span) -> nanoseconds, 0 = not at all.
    """

    def __init__(
        self,
        exchange: SpotExchange,
        knobs: Knobs,
        clock: Clock,
        *,
        venue_ns: Callable[[], int],
        tell: Callable[[News], None],
        span: Callable[[str, float, tuple[int, int]], int],
    ) -> None:
        self.exchange = exchange
        self.truth = VenueTruth(exchange)
        self._knobs = knobs
        self._clock = clock
        self._venue_ns = venue_ns
        self._tell = tell
        self._span = span
        self._client_ids: dict[str, str] = {}
        # Fills that are not told yet, by order and number; and when others begin to be listed.
        self._late: dict[str, dict[int, Fill]] = {}
        self._listed_ns: dict[int, int] = {}
        #: What of each order was learnt late, ever.
        self.learnt_late: dict[str, Decimal] = {}
        #: Whether the venue has the market at all.
        self.listed = True
        now_ns = clock.now_ns()
        self._history = deque([(now_ns, exchange.balances(now_ns))], maxlen=_HISTORY)

    # --- what takes effect

    def place(self, order: Place, origin: Origin = Origin.ENGINE) -> Result:
        """Let an order take effect now."""
        instrument = self.exchange.instrument
        if order.symbol != instrument.symbol or not self.listed:
            return Result(code="NO_MARKET", text=order.symbol)
        intent = OrderIntent(
            client_id=order.client_id,
            instrument=instrument,
            side=order.side,
            price=order.price,
            quantity=order.quantity,
            slot=Slot("", instrument.market, order.side, 0),
            time_in_force=order.time_in_force,
            post_only=order.post_only,
        )
        self.exchange.reuse_ids = self._knobs.reuse_ids
        answer = self.exchange.submit(intent, self._venue_ns())
        if isinstance(answer.outcome, Rejected):
            return Result(code=answer.outcome.code, text=answer.outcome.detail)
        if not isinstance(answer.outcome, Accepted):
            raise TypeError(f"an exchange that is sure of nothing: {answer.outcome}")
        now_ns = self._clock.now_ns()
        hidden_ns = self._span("hidden", self._knobs.hidden, self._knobs.hidden_ns)
        venue_id = answer.outcome.venue_id
        self._client_ids[venue_id] = order.client_id
        self.truth.created_order(intent, venue_id, now_ns, now_ns + hidden_ns, origin)
        self._take(answer.news, "market")
        return Result(venue_id=venue_id)

    def cancel(self, client_id: str, venue_id: str, cause: str = "request") -> Result:
        """Cancel an order now, by either id."""
        name = client_id or self._client_ids.get(venue_id, "")
        instrument = self.exchange.instrument
        request = CancelRequest(name, instrument.market, venue_id or None, cause)
        answer = self.exchange.cancel(request, self._venue_ns())
        if isinstance(answer.outcome, Accepted):
            self._take(answer.news, cause)
            return Result(venue_id=answer.outcome.venue_id)
        if isinstance(answer.outcome, Rejected):
            return Result(code=answer.outcome.code, text=answer.outcome.detail)
        raise TypeError(f"an exchange that is sure of nothing: {answer.outcome}")

    def cancel_all(self, cause: str, origins: Iterable[Origin] = tuple(Origin)) -> int:
        """Cancel every order of these origins; gives how many there were."""
        wanted = tuple(origins)
        orders = [order for order in self.truth.open_orders() if order.origin in wanted]
        for order in orders:
            self.cancel(order.client_id, "", cause)
        return len(orders)

    def take_rules(self, instrument: Instrument, *, listed: bool = True) -> None:
        """Let other trading rules hold for what arrives from now on; open orders stay.

        Not ``listed``: the market is closed, open orders are cancelled, and it is told of no more.
        """
        self.exchange.instrument = instrument
        self.listed = listed
        if not listed:
            self.cancel_all("delisted")

    def transfer(self, asset: str, amount: Decimal) -> None:
        """Pay in or out. :raises ValueError: when more is asked for than is free."""
        news = self.exchange.transfer(asset, amount, self._venue_ns())
        self.truth.transfers.append((self._clock.now_ns(), asset, amount))
        self._take(news, "hand")

    def on_market(self, event: MarketEvent) -> None:
        """Let the market move."""
        self._take(self.exchange.on_event(event, self._venue_ns()), "market")

    def _take(self, news: Sequence[AccountEvent], cause: str) -> None:
        if not news:
            return
        now_ns = self._clock.now_ns()
        for event in news:
            if isinstance(event, Fill):
                self.truth.filled_order(event, now_ns)
                self._tell_fill(event, self.truth.forgotten + len(self.truth.fills))
            elif isinstance(event, OrderUpdate):
                kind = _CLOSING.get(event.state)
                if kind is not None:
                    self.truth.closed_order(event.client_id, kind, now_ns, cause)
                if event.state.is_closed:
                    self._client_ids.pop(event.venue_id, None)
                if kind is not None or not self._late.get(event.client_id):
                    self._tell(self._order_line(event))
            elif isinstance(event, BalanceUpdate):
                self._tell(_balance_line(event))
        self._note()

    def _tell_fill(self, fill: Fill, number: int) -> None:
        knobs, now_ns = self._knobs, self._clock.now_ns()
        unlisted_ns = self._span("unlisted", knobs.unlisted, knobs.unlisted_ns)
        if unlisted_ns:
            self._listed_ns[number] = now_ns + unlisted_ns
        late_ns = self._span("late_fill", knobs.late_fill, knobs.late_fill_ns)
        if not late_ns:
            self._tell(self._fill_line(fill, number))
            return
        self._late.setdefault(fill.client_id, {})[number] = fill
        late = self.learnt_late.get(fill.client_id, ZERO)
        self.learnt_late[fill.client_id] = late + fill.quantity
        self._clock.call_at_ns(now_ns + late_ns, lambda: self._learn(fill, number))

    def _learn(self, fill: Fill, number: int) -> None:
        # The venue knows of a fill at last; of the order only where that is news.
        late = self._late[fill.client_id]
        del late[number]
        if not late:
            del self._late[fill.client_id]
        self._tell(self._fill_line(fill, number))
        update = self.exchange.order(fill.client_id, self._venue_ns())
        if update is not None and update.state not in _CLOSING:
            self._tell(self._order_line(update))

    # --- what it answers

    def order(self, client_id: str) -> OrderLine | None:
        """Show an order, open or closed; None when it is unknown, or hidden as yet."""
        live = self.truth.live(client_id)
        if live is not None and live.visible_ns > self._clock.now_ns():
            return None
        update = self.exchange.order(client_id, self._venue_ns())
        return None if update is None else self._order_line(update)

    def open_orders(self, after: int, limit: int) -> tuple[tuple[OrderLine, ...], bool]:
        """Show open orders from a number on, and whether there are more."""
        now_ns = self._clock.now_ns()
        shown = [
            order
            for order in self.truth.open_orders()
            if order.number > after and order.visible_ns <= now_ns
        ]
        lines = tuple(
            OrderLine(
                time_ns=self._venue_ns(),
                symbol=self.exchange.instrument.symbol,
                client_id=order.client_id,
                venue_id=order.venue_id,
                state=OrderState.PARTIALLY_FILLED if filled else OrderState.OPEN,
                filled=filled,
                number=order.number,
            )
            for order in shown[:limit]
            for filled in (order.filled - self.untold(order.client_id),)
        )
        return lines, len(shown) > limit

    def fills(self, since_ns: int, after: int, limit: int) -> tuple[tuple[FillLine, ...], bool]:
        """Show fills at or after a venue time and after a number, and whether there are more."""
        fills, gone = self.truth.fills, self.truth.forgotten
        first = len(fills)
        # Backwards, as far as a clock that was set back can reach.
        while first > max(after - gone, 0) and fills[first - 1].venue_ns >= since_ns - _STEP_NS:
            first -= 1
        now_ns = self._clock.now_ns()
        shown = [
            self._fill_line(fill, number)
            for number, fill in enumerate(fills[first:], gone + first + 1)
            if fill.venue_ns >= since_ns
            and self._listed_ns.get(number, 0) <= now_ns
            and number not in self._late.get(fill.client_id, ())
        ]
        return tuple(shown[:limit]), len(shown) > limit

    def untold(self, client_id: str) -> Decimal:
        """Give what of an order has filled and the venue does not know of yet."""
        late = self._late.get(client_id, {})
        return sum((fill.quantity for fill in late.values()), start=ZERO)

    def balances(self) -> tuple[BalanceLine, ...]:
        """Show every balance that is not zero; by chance those of some time ago."""
        lag_ns = self._span("balance_lag", self._knobs.balance_lag, self._knobs.balance_lag_ns)
        until_ns = self._clock.now_ns() - lag_ns
        held = next(
            (held for at_ns, held in reversed(self._history) if at_ns <= until_ns),
            self._history[0][1],
        )
        now_ns = self._venue_ns()
        return tuple(_balance_line(replace(update, venue_ns=now_ns)) for update in held)

    def _note(self) -> None:
        self._history.append((self._clock.now_ns(), self.exchange.balances(self._venue_ns())))

    def _order_line(self, update: OrderUpdate) -> OrderLine:
        state, filled = update.state, update.filled
        untold = self.untold(update.client_id)
        if untold:
            filled -= untold
            if state not in _CLOSING:
                state = OrderState.PARTIALLY_FILLED if filled else OrderState.OPEN
        return OrderLine(
            time_ns=update.venue_ns,
            symbol=update.market.symbol,
            client_id=update.client_id,
            venue_id=update.venue_id,
            state=state,
            filled=filled,
        )

    def _fill_line(self, fill: Fill, number: int) -> FillLine:
        return FillLine(
            time_ns=fill.venue_ns,
            symbol=fill.market.symbol,
            trade_id=fill.trade_id,
            client_id=fill.client_id,
            venue_id=fill.venue_id,
            side=fill.side,
            price=fill.price,
            quantity=fill.quantity,
            fee=fill.fee,
            fee_asset=fill.fee_asset,
            liquidity=fill.liquidity,
            number=number,
        )


def _balance_line(update: BalanceUpdate) -> BalanceLine:
    return BalanceLine(update.venue_ns, update.asset, update.free, update.locked)
