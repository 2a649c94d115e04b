"""Hold every transfer that the engine books to what other hands really did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal

from typing_extensions import override

from fairlead.api import Record
from fairlead.model import ZERO, Fill, trimmed
from fairlead.store import Incident
from fairlead.testing.simulated import Effect, EffectKind, Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle import Oracle

__all__ = ["TransferOracle"]

_SECOND = 1_000_000_000
# How old the balances may be on which a process opens its books: seconds, and a slow answer.
_LAG_NS = 15 * _SECOND

#: Venue and asset.
_Account = tuple[str, str]


class TransferOracle(Oracle):
    """What a process books as moved by other hands is what they moved since it began, exactly."""

    def __init__(
        self,
        add: Callable[[str, str], None],
        venues: Mapping[str, SimulatedVenue],
        now_ns: Callable[[], int],
    ) -> None:
        self._add = add
        self._venues = venues
        self._now_ns = now_ns
        #: What other hands have moved in all, after each time that they did.
        self._moved: dict[_Account, list[tuple[int, Decimal]]] = {}
        self._read = dict.fromkeys(venues, 0)
        self._booked: dict[_Account, Decimal] = {}
        self._begun_ns = 0

    @override
    def begun(self, life: Life) -> None:
        self._begun_ns = self._now_ns()
        self._booked.clear()

    @override
    def effect(self, venue: str, effect: Effect) -> None:
        self._note_transfers(venue)
        if effect.kind is EffectKind.FILLED and effect.origin is not Origin.ENGINE:
            for asset, amount in _moves(self._venues[venue].truth.fills[-1], self._venues[venue]):
                self._move((venue, asset), effect.t_ns, amount)

    @override
    def recorded(self, life: Life, seq: int, record: Record) -> None:
        if not isinstance(record, Incident) or record.name != "unexplained_balance":
            return
        account, gap = _told(record.detail)
        self._note_transfers(account[0])
        booked = self._booked[account] = self._booked.get(account, ZERO) + gap
        if booked not in self._possible(account):
            self._add("no transfer is invented", f"{record.detail}, {trimmed(booked)} in all")

    def _possible(self, account: _Account) -> Iterator[Decimal]:
        # From any state that the opening balances may have shown, to any since.
        moved = [(0, ZERO), *self._moved.get(account, ())]
        opened_ns = self._begun_ns - _LAG_NS
        known = (place for place, (at_ns, _) in enumerate(moved) if at_ns <= opened_ns)
        first = max(known, default=0)
        totals = [total for _, total in moved[first:]]
        for place, opening in enumerate(totals):
            for total in totals[place:]:
                yield total - opening

    def _note_transfers(self, venue: str) -> None:
        transfers = self._venues[venue].truth.transfers
        for at_ns, asset, amount in transfers[self._read[venue] :]:
            self._move((venue, asset), at_ns, amount)
        self._read[venue] = len(transfers)

    def _move(self, account: _Account, at_ns: int, amount: Decimal) -> None:
        moved = self._moved.setdefault(account, [])
        before = moved[-1][1] if moved else ZERO
        moved.append((at_ns, before + amount))


def _moves(fill: Fill, venue: SimulatedVenue) -> Iterator[tuple[str, Decimal]]:
    instrument = venue.instrument
    base = fill.quantity * instrument.multiplier * fill.side.sign
    quote = -instrument.notional(fill.price, fill.quantity) * fill.side.sign
    moves = {instrument.base: base, instrument.quote: quote}
    # One fill is one movement: an asset never shows half of it.
    moves[fill.fee_asset] = moves.get(fill.fee_asset, ZERO) - fill.fee
    yield from moves.items()


def _told(detail: str) -> tuple[_Account, Decimal]:
    # As the engine writes it: venue and asset, what is booked here, what is there.
    place, _, figures = detail.partition(": ours ")
    ours, _, theirs = figures.partition(", venue ")
    venue, _, asset = place.partition(" ")
    return (venue, asset), Decimal(theirs) - Decimal(ours)
