"""Do not ask, do not listen, do not remember: what is not known stays so."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from fairlead.api import Posture
from fairlead.kernel import engine, reading, reconcile
from fairlead.kernel.desk import Desk
from fairlead.kernel.difference import BalanceWatch
from fairlead.kernel.reconcile import Reconciler
from fairlead.kernel.riskview import EngineRiskView
from fairlead.kernel.stream import StreamHealth
from fairlead.market.link import AccountReplay
from fairlead.market.link.backoff import Backoff
from fairlead.market.link.rest import RestLink
from fairlead.model import ClientId, Fill, OrderUpdate, Unavailable
from fairlead.pipeline import Pipeline, RiskGate
from fairlead.pipeline.throttle import Throttle
from fairlead.store import EarlierOrder
from fairlead.testing.simulation.plants.plant import Mutation, Plant
from fairlead.trackers import Order, OrderTracker

__all__ = ["KNOWING_PLANTS"]

_NEVER_NS = 1 << 62


def _nothing(right: Callable[..., Any]) -> Callable[..., Any]:
    del right
    return lambda *what, **more: None


def _nothing_to_wait_for(right: Callable[..., Any]) -> Callable[..., Any]:
    del right

    async def nothing(*what: object) -> None:
        """Read nothing."""

    return nothing


def _never(right: int) -> int:
    del right
    return _NEVER_NS


def _none(right: int) -> int:
    del right
    return 0


def _since_the_unfinished(right: Callable[..., Any]) -> Callable[..., Any]:
    def since(earlier: Iterable[EarlierOrder], *rest: object) -> object:
        return right([order for order in earlier if order.closed_ns is None], *rest)

    return since


def _no_differences(right: Callable[..., list[str]]) -> Callable[..., list[str]]:
    del right
    return lambda *what: []


def _once(right: Callable[..., None]) -> Callable[..., None]:
    # What was asked to be cancelled before is not asked again.
    def sweep(self: Pipeline, venue: str, found: list[OrderUpdate], reason: str) -> None:
        fresh = [
            one
            for one in found
            if (order := self._parts.orders.get(one.client_id)) is None
            or order.cancel_sent_ns is None
        ]
        if fresh:
            right(self, venue, fresh, reason)

    return sweep


def _cancel_lost(right: Callable[..., Any]) -> Callable[..., Any]:
    def ask_cancel(
        self: OrderTracker, client_id: str, reason: str, now_ns: int, *, again: bool = False
    ) -> Order | None:
        del again
        order = self.get(client_id)
        if order is not None:
            order.cancel_lost = False
        asked: Order | None = right(self, client_id, reason, now_ns)
        return asked

    return ask_cancel


def _acknowledged_only(right: Callable[..., Any]) -> Callable[..., Any]:
    def expects(self: OrderTracker, fill: Fill) -> Order | None:
        order: Order | None = right(self, fill)
        return None if order is None or order.acknowledged_ns is None else order

    return expects


def _live_only(right: Callable[..., Any]) -> Callable[..., Any]:
    def expects(self: OrderTracker, fill: Fill) -> Order | None:
        order: Order | None = right(self, fill)
        return None if order is None or order.state.is_closed else order

    return expects


def _forgets(right: Callable[..., None]) -> Callable[..., None]:
    def close(self: OrderTracker, order: Order) -> None:
        right(self, order)
        self._closed.clear()

    return close


def _zero(right: Callable[..., Any]) -> Callable[..., Any]:
    async def ask(question: Callable[..., Any], patience_ns: int) -> Any:  # noqa: ANN401 - as the right one
        answer = await right(question, patience_ns)
        return () if isinstance(answer, Unavailable) else answer

    return ask


def _blind(right: Callable[..., str | None]) -> Callable[..., str | None]:
    def apply_stranger(self: Reconciler, update: OrderUpdate, reading: Any) -> str | None:  # noqa: ANN401 - handed on
        name = ClientId.parse(update.client_id)
        if name is not None and name.tag != self._parts.tag:
            return None
        return right(self, update, reading)

    return apply_stranger


def _active(right: Callable[..., Posture]) -> Callable[..., Posture]:
    del right
    return lambda self, market: Posture()


def _always_new(right: Callable[..., Any]) -> Callable[..., Any]:
    def market(self: EngineRiskView, market: Any) -> Any:  # noqa: ANN401 - as the right one
        return replace(right(self, market), book_changed_ns=self.now_ns)

    return market


def _no_pause(right: Callable[..., int]) -> Callable[..., int]:
    del right
    return lambda self: 0


def _no_patience(right: Callable[..., int]) -> Callable[..., int]:
    del right
    return lambda self, *what, **more: 0


def _no_lane(right: Callable[..., int]) -> Callable[..., int]:
    def held_until_ns(self: RestLink, *, urgent: bool = False) -> int:
        del urgent
        return right(self)

    return held_until_ns


KNOWING_PLANTS = (
    Plant(
        "unproven_never_asked",
        "an order whose fate is unproven is not asked for",
        (Mutation(Reconciler, "_ask_unproven", _nothing),),
    ),
    Plant(
        "cancelled_but_once",
        "a cancel that was lost or had no effect is not sent again",
        (
            Mutation(Pipeline, "sweep", _once),
            Mutation(OrderTracker, "ask_cancel", _cancel_lost),
        ),
    ),
    Plant(
        "early_fill_dropped",
        "a fill that comes before its order was acknowledged is left out",
        (Mutation(OrderTracker, "expects", _acknowledged_only),),
    ),
    Plant(
        "late_fill_dropped",
        "a fill that comes after the end of its order is left out",
        (Mutation(OrderTracker, "expects", _live_only),),
    ),
    Plant(
        "closed_orders_forgotten",
        "an order is forgotten with its end, so late news finds nobody",
        (Mutation(OrderTracker, "_close", _forgets),),
    ),
    Plant(
        "never_read_again",
        "the account is read only when its stream has been away",
        (Mutation(reconcile, "_CALM_NS", _never), Mutation(BalanceWatch, "doubts", _nothing)),
    ),
    Plant(
        "reconnected_unread",
        "what a stream of the account missed while it was away is not read",
        (
            Mutation(AccountReplay, "replay", _nothing_to_wait_for),
            Mutation(Reconciler, "suspect", _nothing),
            Mutation(reconcile, "_ALARMED_NS", _never),
        ),
    ),
    Plant(
        "fills_read_without_overlap",
        "fills are read from the last one known, although some are listed late",
        (
            Mutation(reading, "_OVERLAP_NS", _none),
            Mutation(AccountReplay, "replay", _nothing_to_wait_for),
            # A start reads from the first of many ends on, which hides it well.
            Mutation(engine, "fills_since", _since_the_unfinished),
        ),
    ),
    Plant(
        "unavailable_is_zero",
        "an account that cannot be read counts as an empty one",
        (Mutation(reading, "ask", _zero),),
    ),
    Plant(
        "difference_ignored",
        "a lasting difference of balances is not booked and not told",
        (Mutation(BalanceWatch, "compare", _no_differences),),
    ),
    Plant(
        "other_fairlead_ignored",
        "an order of another Fairlead on the account is taken for anybody's",
        (Mutation(Reconciler, "_apply_stranger", _blind),),
    ),
    Plant(
        "posture_ignored",
        "what restrains a market keeps nobody from placing orders there",
        (Mutation(RiskGate, "posture", _active),),
    ),
    Plant(
        "unheard_stream_quoted",
        "a stream of the account that stays away does not pull the quotes",
        (Mutation(StreamHealth, "cut", _nothing), Mutation(StreamHealth, "judge", _nothing)),
    ),
    Plant(
        "frozen_book_trusted",
        "a book counts as new as long as anything is heard, although its content stands still",
        (Mutation(EngineRiskView, "market", _always_new),),
    ),
    Plant(
        "lost_book_quoted_on",
        "a book that is lost pulls the quotes at the next tick only",
        (Mutation(Desk, "_validity_changed", _nothing),),
    ),
    Plant(
        "reconnects_without_pause",
        "a stream that does not come up is tried again at once",
        (Mutation(Backoff, "next_ns", _no_pause),),
    ),
    Plant(
        "patience_ignored",
        "a venue that asks for patience, or bans us, is asked again at once",
        (
            Mutation(RestLink, "held_until_ns", _no_patience),
            Mutation(Throttle, "_held_ns", _no_patience),
        ),
    ),
    Plant(
        "patience_holds_cancels",
        "a cancel waits as long as the venue asks for patience",
        (Mutation(RestLink, "held_until_ns", _no_lane),),
    ),
)
