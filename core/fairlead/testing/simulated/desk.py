"""Answer the requests to a simulated venue: gate, deadline, effect and answer, in this order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec

from fairlead.api import Clock, Request, RequestKind, Response, Timer
from fairlead.model import BookSnapshot
from fairlead.testing.neutral.wire import (
    Balances,
    CancelBatch,
    Complaint,
    DeadMan,
    DeadManAnswer,
    Depth,
    FillPage,
    MarketLine,
    Markets,
    OrderAnswer,
    OrderPage,
    PlaceBatch,
    Positions,
    Result,
    Results,
    Time,
    encode,
)
from fairlead.testing.simulated.account import SimulatedAccount
from fairlead.testing.simulated.budget import Budget
from fairlead.testing.simulated.chance import Chance
from fairlead.testing.simulated.flow import HINT
from fairlead.testing.simulated.knobs import Knobs, VenueSetup
from fairlead.testing.simulated.truth import Origin

__all__ = ["RequestDesk"]

_SECOND = 1_000_000_000
# A stamp may be this far ahead of the venue's clock, and a window this long.
_AHEAD_NS = 1 * _SECOND
_WIDEST_NS = 10 * _SECOND
# When the gateway gives up on what is late.
_GATEWAY_NS = _SECOND // 2

Batch = PlaceBatch | CancelBatch


class RequestDesk:
    """Every request of the neutral protocol; its own tasks let late effects land."""

    def __init__(
        self,
        setup: VenueSetup,
        account: SimulatedAccount,
        knobs: Knobs,
        chance: Chance,
        clock: Clock,
    ) -> None:
        self._setup = setup
        self._account = account
        self._knobs = knobs
        self._chance = chance
        self._clock = clock
        self._tasks: dict[asyncio.Task[Results], None] = {}
        #: What the account may ask in what time; None = anything.
        self.budget = Budget(setup.budget, setup.budget_ns) if setup.budget else None
        #: How far the venue's clock is ahead of the true time.
        self.offset_ns = 0
        #: Until when everything is refused.
        self.banned_until_ns = 0
        self.maintained_until_ns = 0
        self._dead_man: Timer | None = None
        self._gets: Mapping[str, Callable[[Mapping[str, str]], Response]] = {
            "/time": lambda _: _ok(Time(self.venue_ns())),
            "/markets": lambda _: _ok(self._markets()),
            "/depth": self._depth,
            "/order": self._order,
            "/open": self._open,
            "/fills": self._fills,
            "/balances": lambda _: _ok(Balances(account.balances())),
            "/positions": lambda _: _ok(Positions()),
        }

    @property
    def armed(self) -> bool:
        """Tell whether the dead-man timer runs."""
        return self._dead_man is not None

    def venue_ns(self) -> int:
        """Give the venue's own time."""
        return self._clock.now_ns() + self.offset_ns

    async def answer(self, request: Request) -> Response:
        """Serve one request that has arrived."""
        response = await self._serve(request)
        if self.budget is not None:
            headers = {**response.headers, **self.budget.header}
            response = msgspec.structs.replace(response, headers=headers)
        return response

    async def _serve(self, request: Request) -> Response:
        turned_away = self._gate()
        if turned_away is not None:
            return turned_away
        try:
            wish = self._understand(request)
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            return _complain(400, "BAD_REQUEST", str(error))
        too_much = self._weigh(wish)
        if too_much is not None:
            return too_much
        match wish:
            case PlaceBatch() | CancelBatch():
                response = await self._act(wish)
            case DeadMan():
                response = self._arm(wish)
            case Response():
                response = wish
        slow_ns = self._chance.span_ns(
            "slow_answer", self._knobs.slow_answer, self._knobs.slow_answer_ns
        )
        if slow_ns:
            await self._clock.sleep_ns(slow_ns)
        return response

    def close(self) -> None:
        """Disarm the timer and forget what has not landed."""
        if self._dead_man is not None:
            self._dead_man.cancel()
        for task in tuple(self._tasks):
            task.cancel()

    # --- before anything is looked at

    def _gate(self) -> Response | None:
        now_ns, knobs, chance = self._clock.now_ns(), self._knobs, self._chance
        if now_ns < self.banned_until_ns:
            chance.counts["ban"] += 1
            return _patience(418, "BANNED", self.banned_until_ns - now_ns)
        if now_ns < self.maintained_until_ns:
            chance.counts["maintenance"] += 1
            return _complain(503, "MAINTENANCE", "the venue is being maintained")
        if chance.hits("busy", knobs.busy):
            return _patience(429, "BUSY", knobs.busy_ns)
        if chance.hits("error_before", knobs.error_before):
            return _complain(503, "INTERNAL", "please try again")
        return None

    def _weigh(self, wish: Batch | DeadMan | Response) -> Response | None:
        budget, now_ns = self.budget, self._clock.now_ns()
        if budget is None:
            return None
        match wish:
            case PlaceBatch():
                wait_ns = budget.wait_ns(RequestKind.CREATE, len(wish.orders), now_ns)
            case CancelBatch():
                wait_ns = budget.wait_ns(RequestKind.CANCEL, len(wish.orders), now_ns)
            case _:
                wait_ns = budget.wait_ns(RequestKind.QUERY, 1, now_ns)
        if not wait_ns:
            return None
        self._chance.counts["over_budget"] += 1
        ban_ns = budget.ban_ns(now_ns)
        if ban_ns:
            self.banned_until_ns = max(self.banned_until_ns, now_ns + ban_ns)
            return _patience(418, "BANNED", ban_ns)
        return _patience(429, "BUSY", wait_ns)

    def _understand(self, request: Request) -> Batch | DeadMan | Response:
        # What shall be done; or, where nothing is, the answer.
        address = urlsplit(request.url)
        match request.method, address.path:
            case "GET", path if path in self._gets:
                asked = {key: values[-1] for key, values in parse_qs(address.query).items()}
                return self._gets[path](asked)
            case "POST", "/orders":
                return msgspec.json.decode(request.body, type=PlaceBatch)
            case "POST", "/cancels":
                return msgspec.json.decode(request.body, type=CancelBatch)
            case "POST", "/deadman":
                return msgspec.json.decode(request.body, type=DeadMan)
            case _:
                return _complain(404, "NO_SUCH_PATH", address.path)

    # --- what has effects

    async def _act(self, batch: Batch) -> Response:
        refused = self._refuse(batch)
        if refused is not None:
            return _complain(400, *refused)
        late_ns = self._chance.span_ns("late", self._knobs.late, self._knobs.late_ns)
        # In true time: a clock that is set while a request waits moves no deadline.
        deadline_ns = batch.time_ns + batch.window_ns - self.offset_ns
        if late_ns:
            landing = self._spawn(self._land_late(batch, deadline_ns, late_ns))
            if self._chance.random("late.answer").random() < 0.5:
                await self._clock.sleep_ns(min(_GATEWAY_NS, late_ns))
                return _complain(504, "TIMEOUT", "the outcome is not known")
            return _ok(await asyncio.shield(landing))
        results = self._land(batch, deadline_ns)
        if self._chance.hits("error_after", self._knobs.error_after):
            return _complain(503, "INTERNAL", "please try again")
        return _ok(results)

    def _refuse(self, batch: Batch) -> tuple[str, str] | None:
        if len(batch.orders) > self._setup.batch:
            return "BATCH_TOO_LARGE", str(len(batch.orders))
        if not 0 < batch.window_ns <= _WIDEST_NS:
            return "BAD_WINDOW", str(batch.window_ns)
        if batch.time_ns > self.venue_ns() + _AHEAD_NS:
            return "STAMP", "the stamp is ahead of the venue's time"
        if batch.time_ns + batch.window_ns < self.venue_ns():
            return "STAMP", "the deadline has passed"
        return None

    async def _land_late(self, batch: Batch, deadline_ns: int, late_ns: int) -> Results:
        await self._clock.sleep_ns(late_ns)
        return self._land(batch, deadline_ns)

    def _land(self, batch: Batch, deadline_ns: int) -> Results:
        if self._clock.now_ns() > deadline_ns:
            late = Result(code="TOO_LATE", text="the deadline has passed")
            return Results((late,) * len(batch.orders))
        account = self._account
        if isinstance(batch, PlaceBatch):
            return Results(tuple(account.place(order) for order in batch.orders))
        return Results(
            tuple(account.cancel(order.client_id, order.venue_id) for order in batch.orders)
        )

    def _arm(self, wish: DeadMan) -> Response:
        if not self._knobs.dead_man:
            return _complain(400, "NO_DEAD_MAN", "no timer for this account")
        if self._dead_man is not None:
            self._dead_man.cancel()
            self._dead_man = None
        if wish.timeout_ns <= 0:
            return _ok(DeadManAnswer(0))
        fires_ns = self._clock.now_ns() + wish.timeout_ns
        self._dead_man = self._clock.call_at_ns(fires_ns, self._fire)
        return _ok(DeadManAnswer(fires_ns + self.offset_ns))

    def _fire(self) -> None:
        self._dead_man = None
        self._chance.counts["dead_man"] += 1
        self._account.cancel_all("dead man", tuple(Origin))

    def _spawn(self, work: Coroutine[Any, Any, Results]) -> asyncio.Task[Results]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks[task] = None
        task.add_done_callback(self._tasks.pop)
        return task

    # --- what is only asked

    def _markets(self) -> Markets:
        instrument = self._account.exchange.instrument
        line = MarketLine(
            symbol=instrument.symbol,
            base=instrument.base,
            quote=instrument.quote,
            tick=instrument.grid.step_at(instrument.lot),
            lot=instrument.lot,
            min_quantity=instrument.min_quantity,
            min_notional=instrument.min_notional,
            maker=instrument.fees.maker,
            taker=instrument.fees.taker,
            price_decimals=HINT.scale.price_decimals,
            quantity_decimals=HINT.scale.quantity_decimals,
        )
        return Markets((line,) if self._account.listed else ())

    def _depth(self, asked: Mapping[str, str]) -> Response:
        snapshot = self._account.exchange.snapshot(self.venue_ns())
        if not isinstance(snapshot, BookSnapshot) or asked["symbol"] != HINT.symbol:
            return _complain(404, "NO_MARKET", asked["symbol"])
        return _ok(
            Depth(HINT.symbol, snapshot.venue_ns, snapshot.last_id, snapshot.bids, snapshot.asks)
        )

    def _order(self, asked: Mapping[str, str]) -> Response:
        line = self._account.order(asked["client_id"])
        if line is None:
            return _complain(404, "UNKNOWN_ORDER", asked["client_id"])
        return _ok(OrderAnswer(line))

    def _open(self, asked: Mapping[str, str]) -> Response:
        after = int(asked.get("after", "0"))
        return _ok(OrderPage(*self._account.open_orders(after, self._setup.page)))

    def _fills(self, asked: Mapping[str, str]) -> Response:
        since_ns, after = int(asked.get("since", "0")), int(asked.get("after", "0"))
        return _ok(FillPage(*self._account.fills(since_ns, after, self._setup.page)))


def _ok(answer: msgspec.Struct) -> Response:
    return Response(200, {}, encode(answer))


def _complain(status: int, code: str, text: str) -> Response:
    return Response(status, {}, encode(Complaint(code, text)))


def _patience(status: int, code: str, for_ns: int) -> Response:
    seconds = -(-for_ns // _SECOND)
    body = encode(Complaint(code, f"come back in {seconds} s"))
    return Response(status, {"Retry-After": str(seconds)}, body)
