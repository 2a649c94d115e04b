"""Report what became of legs that belong together and did not fill alike."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from fairlead.model import Side, trimmed

__all__ = ["MendedLeg", "PartialFillReport", "PartialLeg"]

_NOTE = "partial_fill"


class PartialLeg(msgspec.Struct, frozen=True):
    """One leg as its own orders left it, before anything was mended."""

    market: str
    side: Side
    #: Base units or contracts.
    requested: Decimal
    filled: Decimal
    #: Quote currency; None = nothing was filled.
    average: Decimal | None


class MendedLeg(msgspec.Struct, frozen=True):
    """What was traded in one market to close the open side."""

    market: str
    side: Side
    #: Base units.
    quantity: Decimal
    average: Decimal
    #: The price that the loss is measured against: what was paid, or was expected, for the leg.
    reference: Decimal
    #: Quote currency, before fees; negative = a gain.
    loss: Decimal
    currency: str


class PartialFillReport(msgspec.Struct, frozen=True):
    """A one-sided fill: why it happened, what was done about it, what it cost, what is left."""

    cause: str
    policy: str
    legs: tuple[PartialLeg, ...]
    mended: tuple[MendedLeg, ...]
    #: By quote currency, before fees; negative = a gain.
    loss: dict[str, Decimal]
    #: By market, signed, in base units or contracts.
    left: dict[str, Decimal]
    #: When the first fill came, and when the report was made.
    from_ns: int
    until_ns: int

    @property
    def text(self) -> str:
        """Say it in a line."""
        filled = ", ".join(
            f"{leg.market} {leg.side} {trimmed(leg.filled)} of {trimmed(leg.requested)}"
            for leg in self.legs
        )
        mended = ", ".join(
            f"{leg.side} {trimmed(leg.quantity)} on {leg.market} at {leg.average:.8f}"
            for leg in self.mended
        )
        loss = ", ".join(f"{amount:.8f} {asset}" for asset, amount in self.loss.items())
        left = ", ".join(f"{market} {trimmed(value)}" for market, value in self.left.items())
        return (
            f"{self.cause}: {filled}; {self.policy}: {mended or 'nothing traded'}; "
            f"loss {loss or '0'}; left {left or '0'}; "
            f"{(self.until_ns - self.from_ns) / 1e9:.3f} s"
        )

    def note(self) -> tuple[str, str]:
        """Give it as a note of an execution's result."""
        return _NOTE, msgspec.json.encode(self).decode()

    @classmethod
    def of(cls, notes: Mapping[str, str]) -> PartialFillReport | None:
        """Read it back from the notes of a result; None = the legs filled alike."""
        text = notes.get(_NOTE)
        return None if text is None else msgspec.json.decode(text, type=cls)
