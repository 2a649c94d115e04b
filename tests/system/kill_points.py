"""Count the points at which a process may die, and let it die at one of them: by SIGKILL.

Nothing of this is in the engine. The seams are wrapped: every commit, every request and stream
and every call of the connector has a point before and one after it.
"""

import os
import signal
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from typing_extensions import override

from fairlead.api import ConnectorContext, Registry
from fairlead.kernel import SystemProcess
from fairlead.model import (
    BalanceUpdate,
    CancelRequest,
    Fill,
    MarketId,
    OrderIntent,
    OrderUpdate,
    Outcome,
    PositionUpdate,
    Rejected,
    Unavailable,
)
from fairlead.store import Database, Transaction
from fairlead.testing.neutral import NeutralConfig, NeutralConnector

AnswerT = TypeVar("AnswerT")


class Points:
    """The points passed so far; at number ``kill_at`` the process is gone."""

    def __init__(self, kill_at: int = 0) -> None:
        self.kill_at = kill_at
        self.names: list[str] = []

    def at(self, name: str) -> None:
        self.names.append(name)
        if len(self.names) == self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    async def around(self, name: str, ask: Callable[[], Awaitable[AnswerT]]) -> AnswerT:
        self.at(f"{name} begins")
        answer = await ask()
        self.at(f"{name} is done")
        return answer


class PointedDatabase(Database):
    """A database with a point before, within and after every commit."""

    points = Points()

    @contextmanager
    @override
    def transaction(self, *, synced: bool = False) -> Iterator[Transaction]:
        self.points.at("commit begins")
        with super().transaction(synced=synced) as transaction:
            yield transaction
            self.points.at("commit under way")
        self.points.at("commit is done")


class PointedConnector(NeutralConnector):
    """The neutral connector with a point before and after each call."""

    points = Points()

    @override
    async def submit(self, intents: Sequence[OrderIntent]) -> tuple[Outcome, ...]:
        submit = super().submit
        return await self.points.around("submit", lambda: submit(intents))

    @override
    async def cancel(self, requests: Sequence[CancelRequest]) -> tuple[Outcome, ...]:
        cancel = super().cancel
        return await self.points.around("cancel", lambda: cancel(requests))

    @override
    async def open_orders(self) -> tuple[OrderUpdate, ...] | Unavailable:
        return await self.points.around("open orders", super().open_orders)

    @override
    async def order(self, market: MarketId, client_id: str) -> OrderUpdate | Unavailable | None:
        order = super().order
        return await self.points.around("order", lambda: order(market, client_id))

    @override
    async def fills(self, since_ns: int) -> tuple[Fill, ...] | Unavailable:
        fills = super().fills
        return await self.points.around("fills", lambda: fills(since_ns))

    @override
    async def balances(self) -> tuple[BalanceUpdate, ...] | Unavailable:
        return await self.points.around("balances", super().balances)

    @override
    async def positions(self) -> tuple[PositionUpdate, ...] | Unavailable:
        return await self.points.around("positions", super().positions)

    @override
    async def arm(self, timeout_ns: int) -> Rejected | Unavailable | None:
        arm = super().arm
        return await self.points.around("arm", lambda: arm(timeout_ns))

    @override
    async def disarm(self) -> Rejected | Unavailable | None:
        return await self.points.around("disarm", super().disarm)


class PointedProcess(SystemProcess):
    """The real process with points around what it leaves beside the store."""

    points = Points()

    @override
    def write_marker(self, name: str, text: str) -> None:
        self.points.at("note begins")
        super().write_marker(name, text)
        self.points.at("note is done")

    @override
    def clear_marker(self, name: str) -> None:
        self.points.at("note goes")
        super().clear_marker(name)
        self.points.at("note is gone")


def count_in(points: Points) -> None:
    """Let every wrapped seam of this process count here."""
    PointedDatabase.points = PointedConnector.points = PointedProcess.points = points


def offer_pointed(registry: Registry) -> None:
    """Offer the connector that counts, under the name of the one that does not."""

    def build(config: NeutralConfig, context: ConnectorContext) -> Any:  # noqa: ANN401 - a connector
        return PointedConnector(config, context)

    registry.connector("neutral", NeutralConfig, build, summary="counts its calls")
