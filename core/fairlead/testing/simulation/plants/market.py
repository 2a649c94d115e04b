"""Believe a feed that should not be believed, and touch what is not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from fairlead.book import ConsecutiveIds, Sequel, SortedLadder
from fairlead.kernel.reconcile import Reconciler
from fairlead.kernel.stream import StreamHealth
from fairlead.market.link import ReconnectingStream
from fairlead.model import ClientId, Level, OrderUpdate
from fairlead.testing.simulation.plants.plant import Mutation, Plant
from fairlead.trackers import MarketTracker

__all__ = ["MARKET_PLANTS"]


def _no_gaps(right: Callable[..., Sequel]) -> Callable[..., Sequel]:
    def judge(self: ConsecutiveIds, *what: Any, **more: Any) -> Sequel:  # noqa: ANN401 - as the right one
        answer = right(self, *what, **more)
        return Sequel.NEXT if answer is Sequel.GAP else answer

    return judge


def _merges(right: Callable[..., bool]) -> Callable[..., bool]:
    del right

    def replace(self: SortedLadder, levels: Iterable[Level]) -> bool:
        return self.apply(levels)

    return replace


def _never_mute(right: Callable[..., bool]) -> Callable[..., bool]:
    del right
    return lambda self, now_ns: False


def _never_silent(right: Callable[..., None]) -> Callable[..., None]:
    def init(self: ReconnectingStream, *what: Any, **more: Any) -> None:  # noqa: ANN401 - as the right one
        right(self, *what, **more)
        self._policy = replace(self._policy, silence_ns=1 << 62)

    return init


def _asked_once(right: Callable[..., None]) -> Callable[..., None]:
    def nudge(self: MarketTracker, now_ns: int) -> None:
        if self._asked_ns is not None:
            right(self, now_ns)

    return nudge


def _sweeps_strangers(right: Callable[..., str | None]) -> Callable[..., str | None]:
    def apply_open(self: Reconciler, update: OrderUpdate, reading: Any) -> str | None:  # noqa: ANN401 - handed on
        if ClientId.parse(update.client_id) is None:
            self._desk.pipeline.sweep(reading.venue, [update], "unknown to us")
        return right(self, update, reading)

    return apply_open


MARKET_PLANTS = (
    Plant(
        "gap_ignored",
        "a book goes on over a hole in its updates",
        (Mutation(ConsecutiveIds, "judge", _no_gaps),),
    ),
    Plant(
        "snapshot_merged",
        "a fresh snapshot is merged into the book instead of replacing it",
        (Mutation(SortedLadder, "replace", _merges),),
    ),
    Plant(
        "book_asked_for_once",
        "a book whose first snapshot was refused is not asked for again",
        (Mutation(MarketTracker, "nudge", _asked_once),),
    ),
    Plant(
        "mute_stream_trusted",
        "a user stream that tells nothing is believed as long as it is open",
        (
            Mutation(StreamHealth, "judge", _never_mute),
            Mutation(ReconnectingStream, "__init__", _never_silent),
        ),
    ),
    Plant(
        "strangers_cancelled",
        "orders that somebody placed by hand are cancelled",
        (Mutation(Reconciler, "_apply_open", _sweeps_strangers),),
    ),
)
