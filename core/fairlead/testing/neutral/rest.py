"""Ask and act at a neutral venue: every request of the protocol, with values for answers."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from fairlead.api import UNMETERED, Clock, Meter, Request, Transport
from fairlead.market.link import RestLink, VenueTime
from fairlead.model import (
    BalanceUpdate,
    BookSnapshot,
    CancelRequest,
    Fill,
    NotSent,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    RejectClass,
    Rejected,
    Unavailable,
)
from fairlead.testing.neutral.decode import NEUTRAL_OUTCOMES, NeutralDecoder, read_complaint
from fairlead.testing.neutral.wire import (
    Balances,
    Cancel,
    CancelBatch,
    DeadMan,
    DeadManAnswer,
    Depth,
    FillLine,
    FillPage,
    Markets,
    OrderAnswer,
    OrderLine,
    OrderPage,
    Place,
    PlaceBatch,
    Positions,
    Time,
    encode,
)

__all__ = ["NeutralRest"]

AnswerT = TypeVar("AnswerT")

_SECOND = 1_000_000_000
_MILLISECOND = 1_000_000
# A snapshot that takes longer is asked for again.
_SNAPSHOT_NS = 700 * _MILLISECOND
_QUERY_NS = 3 * _SECOND

_NOT_THERE: Mapping[str, OrderUpdate | None] = {"UNKNOWN_ORDER": None}
_NO_TIMER: Mapping[str, Rejected | None] = {
    "NO_DEAD_MAN": Rejected("NO_DEAD_MAN", RejectClass.PERMISSION, "no timer for this account")
}


class NeutralRest:
    """The requests of one account; ``window_ns`` = how long after its stamp one may take effect."""

    def __init__(
        self,
        base: str,
        window_ns: int,
        decoder: NeutralDecoder,
        *,
        transport: Transport,
        clock: Clock,
        meter: Meter = UNMETERED,
    ) -> None:
        self._base = base
        self._window_ns = window_ns
        self._decoder = decoder
        self._link = RestLink(
            NEUTRAL_OUTCOMES, read_complaint, transport=transport, clock=clock, meter=meter
        )
        #: The venue's clock, which every order and cancel is stamped with.
        self.time = VenueTime(clock, self._ask_time)
        self._probing: asyncio.Task[bool] | None = None

    async def close(self) -> None:
        """Give up what is asked in the background."""
        if self._probing is not None:
            self._probing.cancel()
            await asyncio.gather(self._probing, return_exceptions=True)

    # --- orders

    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        """Send orders in one request that bears its own deadline."""
        orders = tuple(
            Place(
                intent.client_id,
                intent.instrument.symbol,
                intent.side,
                intent.price,
                intent.quantity,
                intent.time_in_force,
                intent.post_only,
            )
            for intent in intents
        )
        batch = PlaceBatch(self.time.now_ns(), self._window_ns, orders)
        return await self._act("/orders", batch, len(orders), urgent=False)

    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        """Ask for cancels; they leave although the venue asked for patience."""
        orders = tuple(Cancel(request.client_id, request.venue_id or "") for request in requests)
        batch = CancelBatch(self.time.now_ns(), self._window_ns, orders)
        return await self._act("/cancels", batch, len(orders), urgent=True)

    async def _act(
        self, path: str, batch: PlaceBatch | CancelBatch, count: int, *, urgent: bool
    ) -> tuple[Outcome, ...]:
        outcomes = await self._link.act(
            Request("POST", f"{self._base}{path}", {}, encode(batch)),
            count,
            self._decoder.outcomes,
            urgent=urgent,
            timeout_ns=self._window_ns,
        )
        if any(isinstance(one, NotSent) and "STAMP" in one.cause for one in outcomes):
            self._probe()
        return outcomes

    def _probe(self) -> None:
        # The venue's clock is not what we believed: ask it anew, once at a time.
        if self._probing is None or self._probing.done():
            self._probing = asyncio.get_running_loop().create_task(self.time.renew())

    # --- what is read

    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        """Read every open order, page by page."""
        lines: list[OrderLine] = []
        while True:
            after = lines[-1].number if lines else 0
            page = await self._get(f"/open?after={after}", OrderPage)
            if isinstance(page, Unavailable):
                return page
            lines.extend(page.orders)
            if not page.more:
                return tuple(self._decoder.order(line) for line in lines)

    async def order(self, client_id: str) -> OrderUpdate | Unavailable | None:
        """Read one order; None when the venue does not show it now."""
        return await self._link.query(
            Request("GET", f"{self._base}/order?client_id={client_id}"),
            lambda body: self._decoder.order(msgspec.json.decode(body, type=OrderAnswer).order),
            timeout_ns=_QUERY_NS,
            missing=_NOT_THERE.__getitem__,
        )

    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        """Read our fills at or after ``since_ns``, page by page, oldest first."""
        lines: list[FillLine] = []
        while True:
            after = lines[-1].number if lines else 0
            page = await self._get(f"/fills?since={since_ns}&after={after}", FillPage)
            if isinstance(page, Unavailable):
                return page
            lines.extend(page.fills)
            if not page.more:
                return tuple(self._decoder.fill(line) for line in lines)

    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        """Read every balance that is not zero."""
        read = await self._get("/balances", Balances)
        if isinstance(read, Unavailable):
            return read
        return tuple(self._decoder.balance(line) for line in read.balances)

    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        """Read that there are none: it is a spot account."""
        read = await self._get("/positions", Positions)
        return read if isinstance(read, Unavailable) else ()

    async def arm(self, timeout_ns: int) -> Rejected | Unavailable | None:
        """Have the venue cancel everything unless this comes again in time; 0 = disarm.

        None = done.
        """

        def done(body: bytes) -> Rejected | None:
            msgspec.json.decode(body, type=DeadManAnswer)
            return None

        answer: Rejected | Unavailable | None = await self._link.query(
            Request("POST", f"{self._base}/deadman", {}, encode(DeadMan(timeout_ns))),
            done,
            timeout_ns=_QUERY_NS,
            missing=_NO_TIMER.__getitem__,
            urgent=True,
        )
        return answer

    async def markets(self) -> Markets | Unavailable:
        """Read the venue's markets and their rules."""
        return await self._get("/markets", Markets)

    async def book(self, symbol: str) -> BookSnapshot | Unavailable:
        """Read the whole book of a market; within 0.7 s or not at all."""
        return await self._link.query(
            Request("GET", f"{self._base}/depth?symbol={symbol}"),
            lambda body: self._decoder.snapshot(msgspec.json.decode(body, type=Depth)),
            timeout_ns=_SNAPSHOT_NS,
        )

    async def _get(self, path: str, kind: type[AnswerT]) -> AnswerT | Unavailable:
        return await self._link.query(
            Request("GET", f"{self._base}{path}"),
            lambda body: msgspec.json.decode(body, type=kind),
            timeout_ns=_QUERY_NS,
        )

    async def _ask_time(self) -> int | Unavailable:
        read = await self._get("/time", Time)
        return read if isinstance(read, Unavailable) else read.time_ns
