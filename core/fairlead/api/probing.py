"""Define what a connector may know of its venue besides the contract."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Protocol, runtime_checkable

import msgspec

from fairlead.api.risk_view import PositionMargin
from fairlead.model import Instrument, Unavailable

__all__ = ["MarginAmounts", "Margined", "RuleReading", "TimeProbing"]


@runtime_checkable
class RuleReading(Protocol):
    """A connector that can read its markets and their trading rules again while it runs."""

    async def read_instruments(self) -> Mapping[str, Instrument] | Unavailable:
        """Read every market by its symbol; what `Connector.instruments` gives from then on.

        A connector whose book of a market has other decimals from now on publishes `BookLost` for
        it and fetches it anew.
        """


@runtime_checkable
class TimeProbing(Protocol):
    """A connector that asks its venue for the time."""

    @property
    def skew_ns(self) -> int | None:
        """Give how far the venue's clock is ahead of ours; behind is negative, None = unknown."""


class MarginAmounts(msgspec.Struct, frozen=True):
    """Margin in use at a venue, all of it in ``asset``; amounts, never a ready-made ratio."""

    asset: str
    initial: Decimal
    maintenance: Decimal
    positions: tuple[PositionMargin, ...] = ()


@runtime_checkable
class Margined(Protocol):
    """A connector of an account that trades on margin."""

    async def margin(self) -> MarginAmounts | Unavailable:
        """Read what is bound as margin now; complete or `Unavailable`, never zero for unknown."""
