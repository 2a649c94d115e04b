"""Compare what the venue holds for us with our own books, and explain what is left over."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal

from fairlead.kernel.desk import Desk
from fairlead.kernel.reading import AccountReading
from fairlead.model import ZERO, Fill, Instrument, InstrumentKind, trimmed
from fairlead.store import Incident, Journal

__all__ = ["BalanceWatch", "moves_of"]

# A difference counts when two readings, this far apart at least, show the same one.
_APART_NS = 5_000_000_000
# How long after a fill the venue's own figures may still be those of before.
_LAG_NS = 5_000_000_000
# How long a fill that was told late may explain a difference, and how many of them are kept.
_LATE_NS = 120_000_000_000
_MOST_MISSED = 6
# What the venue tells of a balance and we have not booked is looked into after this.
_DOUBT_NS = 2_000_000_000


class BalanceWatch:
    """Follows the differences of one venue's balances from reading to reading."""

    def __init__(self, venue: str, journal: Journal) -> None:
        self._venue = venue
        self._journal = journal
        # The gap of each asset, and when the reading that showed it first was begun.
        self._seen: dict[str, tuple[Decimal, int]] = {}
        # By the monotonic clock, as the readings' own times are here.
        self._moved_ns = -_LAG_NS
        #: Whether the books have opened on the venue's balances.
        self.opened = False
        # What each fill moved that the balances on which the books opened may lack, and when it
        # was told; by asset, in its own units.
        self._missed: deque[tuple[int, Mapping[str, Decimal]]] = deque(maxlen=_MOST_MISSED)
        # The gap that the venue's news show in each asset, and since when; None = it was told.
        self._doubts: dict[str, tuple[Decimal, int | None]] = {}

    @property
    def waits(self) -> bool:
        """Tell whether there is a difference that another reading would explain or confirm."""
        return bool(self._seen)

    def moved(self, monotonic_ns: int, missed: Mapping[str, Decimal]) -> None:
        """Note that a fill was booked: balances read before, or soon after, prove nothing.

        ``missed`` is what a fill of an order of before moved: where it is told after the books
        opened, the balances of then may lack it.
        """
        self._moved_ns = monotonic_ns
        if self.opened and missed:
            self._missed.append((monotonic_ns, missed))

    def doubts(self, desk: Desk, monotonic_ns: int) -> bool:
        """Tell, once for each, of a balance by the venue's news that ours has not had for 2 s.

        Where news bear no numbers, this is how it shows that one was lost.
        """
        found = False
        gaps = self._gaps(desk, desk.accounts[self._venue].totals())
        for asset, gap in gaps.items():
            before, since_ns = self._doubts.get(asset, (ZERO, None))
            if before != gap:
                self._doubts[asset] = (gap, monotonic_ns)
            elif since_ns is not None and monotonic_ns - since_ns > _DOUBT_NS:
                self._doubts[asset] = (gap, None)
                found = True
        for asset in [asset for asset in self._doubts if asset not in gaps]:
            del self._doubts[asset]
        return found

    def _gaps(self, desk: Desk, theirs: Mapping[str, Decimal]) -> dict[str, Decimal]:
        gaps = {asset: theirs.get(asset, ZERO) - ours for asset, ours in self._ours(desk).items()}
        return {asset: gap for asset, gap in gaps.items() if gap}

    def _ours(self, desk: Desk) -> dict[str, Decimal]:
        return {
            asset: flow.balance
            for (venue, asset), flow in desk.ledger.flows.items()
            if venue == self._venue
        }

    def compare(self, reading: AccountReading, desk: Desk) -> list[str]:
        """Give the differences that two readings agree on, each with both figures.

        Such a difference is money that came or went without an order of ours: a transfer. It is
        booked as one and becomes an incident, so that nothing is ever adjusted silently; another
        one where the books have opened on balances of before a fill that was told later.
        """
        while self._missed and reading.asked_ns - self._missed[0][0] > _LATE_NS:
            self._missed.popleft()
        ours = self._ours(desk)
        theirs = {balance.asset: balance.total for balance in reading.balances}
        found: list[str] = []
        for asset in sorted({*ours, *theirs}):
            gap = theirs.get(asset, ZERO) - ours.get(asset, ZERO)
            if not gap:
                self._seen.pop(asset, None)
                continue
            before, asked_ns = self._seen.get(asset, (ZERO, 0))
            if before != gap or reading.asked_ns - self._moved_ns < _LAG_NS:
                self._seen[asset] = (gap, reading.asked_ns)
                continue
            if reading.asked_ns - asked_ns < _APART_NS:
                continue
            del self._seen[asset]
            text = (
                f"{self._venue} {asset}: ours {trimmed(ours.get(asset, ZERO))}, "
                f"venue {trimmed(theirs.get(asset, ZERO))}"
            )
            found.append(text)
            desk.transfer(self._venue, asset, gap)
            name = (
                "opening_balance_old" if self._opened_without(asset, gap) else "unexplained_balance"
            )
            self._journal.append(Incident(name=name, detail=text))
        return found

    def _opened_without(self, asset: str, gap: Decimal) -> bool:
        # Whether some of the fills that were told late are what the opening balances lacked.
        sums = {ZERO}
        for _, moves in self._missed:
            sums |= {total + moves.get(asset, ZERO) for total in sums}
        return gap in sums - {ZERO}


def moves_of(fill: Fill, instrument: Instrument) -> dict[str, Decimal]:
    """Give what a fill moves in each asset of the account; of a contract, its fee."""
    moves: dict[str, Decimal] = {}
    if instrument.kind is InstrumentKind.SPOT:
        sign = fill.side.sign
        moves[instrument.base] = sign * fill.quantity * instrument.multiplier
        moves[instrument.quote] = -sign * instrument.notional(fill.price, fill.quantity)
    moves[fill.fee_asset] = moves.get(fill.fee_asset, ZERO) - fill.fee
    return moves
