"""Put orders together into requests, and count what that saves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from fairlead.api import BatchLimits
from fairlead.model import CancelRequest, OrderIntent

__all__ = ["BatchPolicy", "RequestCounts", "batches", "cancel_batches"]

ItemT = TypeVar("ItemT")

_SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How many orders may share a request, and how long one may wait for company."""

    size: int = 5
    #: Concerns resting quotes and entries decided between two ticks, nothing else.
    timeout_ns: int = 1 * _SECOND
    #: False: every order and cancel has a request of its own.
    on: bool = True

    def within(self, limits: BatchLimits) -> BatchLimits:
        """Give the limits in force at a venue: the smaller of ours and its own, 1 at least."""
        size = max(self.size, 1) if self.on else 1
        return BatchLimits(
            creates=max(min(size, limits.creates), 1),
            cancels=max(min(size, limits.cancels), 1),
            mixed_markets=limits.mixed_markets,
            mixed_sides=limits.mixed_sides,
        )


@dataclass(slots=True)
class RequestCounts:
    """What left for one venue: orders and cancels, and the requests that carried them."""

    requests: int = 0
    #: Orders and cancels.
    items: int = 0
    #: Requests that carried more than one.
    batches: int = 0
    #: Batches that the venue refused as a whole; their orders went one by one.
    split: int = 0
    #: Creates that found no room within their tick and were dropped, unrecorded.
    dropped: int = 0

    def count(self, items: int) -> None:
        """Count a request that leaves."""
        self.requests += 1
        self.items += items
        self.batches += items > 1

    @property
    def saved(self) -> int:
        """Give how many requests fewer than orders and cancels there were."""
        return self.items - self.requests

    @property
    def mean(self) -> float | None:
        """Give the mean number of orders or cancels in a request; None before the first."""
        return self.items / self.requests if self.requests else None


def batches(
    intents: Sequence[OrderIntent], limits: BatchLimits
) -> tuple[tuple[OrderIntent, ...], ...]:
    """Cut intents, in order, into requests that the venue takes."""

    def group(intent: OrderIntent) -> Hashable:
        return (
            None if limits.mixed_markets else intent.slot.market,
            None if limits.mixed_sides else intent.side,
        )

    return _cut(intents, limits.creates, group)


def cancel_batches(
    requests: Sequence[CancelRequest], limits: BatchLimits
) -> tuple[tuple[CancelRequest, ...], ...]:
    """Cut cancels, in order, into requests that the venue takes."""
    mixed = limits.mixed_markets
    return _cut(requests, limits.cancels, lambda request: None if mixed else request.market)


def _cut(
    items: Sequence[ItemT], most: int, group: Callable[[ItemT], Hashable]
) -> tuple[tuple[ItemT, ...], ...]:
    chunks: list[list[ItemT]] = []
    filling: dict[Hashable, list[ItemT]] = {}
    for item in items:
        key = group(item)
        chunk = filling.get(key)
        if chunk is None or len(chunk) >= max(most, 1):
            chunk = filling[key] = []
            chunks.append(chunk)
        chunk.append(item)
    return tuple(tuple(chunk) for chunk in chunks)
