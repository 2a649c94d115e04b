"""Define what a connector may know of its venue besides the contract."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

__all__ = ["TimeProbing"]


@runtime_checkable
class TimeProbing(Protocol):
    """A connector that asks its venue for the time."""

    @property
    def skew_ns(self) -> int | None:
        """Give how far the venue's clock is ahead of ours; behind is negative, None = unknown."""
