"""Know what each venue says we hold, and what of it a new order may use.

What we hold by our own books is the ledger's to say; here is the venue's side. A new order may
use the venue's free balance less what our orders on their way will lock. A balance that was
never read is unknown, not zero: `VenueAccount.known`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from fairlead.api import Balance
from fairlead.model import ZERO, BalanceUpdate

__all__ = ["AccountTracker", "VenueAccount"]


class VenueAccount:
    """The account at one venue as the venue shows it."""

    def __init__(self, venue: str) -> None:
        self.venue = venue
        #: False until the first complete reading of the balances.
        self.known = False
        self._balances: dict[str, BalanceUpdate] = {}

    def begin(self, balances: Iterable[BalanceUpdate]) -> None:
        """Take a complete reading."""
        for update in balances:
            self.apply(update)
        self.known = True

    def apply(self, update: BalanceUpdate) -> None:
        """Take news of one asset; older news than what we have is left out."""
        held = self._balances.get(update.asset)
        if held is None or update.venue_ns >= held.venue_ns:
            self._balances[update.asset] = update

    def totals(self) -> dict[str, Decimal]:
        """Give what the venue holds for us, by asset."""
        return {asset: update.total for asset, update in sorted(self._balances.items())}

    def as_of(self, asset: str) -> int | None:
        """Give the venue's time of what is known of an asset; None = nothing is."""
        held = self._balances.get(asset)
        return None if held is None else held.venue_ns

    def balance(self, asset: str, on_the_way: Decimal, acknowledged: Decimal) -> Balance:
        """Give an asset's balance, by what all live orders of ours at this venue take of it.

        ``on_the_way``: what the venue may not know of yet; ``acknowledged``: the others.
        """
        held = self._balances.get(asset)
        free, locked = (held.free, held.locked) if held is not None else (ZERO, ZERO)
        # The venue locks what it acknowledged; where its news lags, we hold it back ourselves.
        return Balance(free, locked, on_the_way + max(acknowledged - locked, ZERO))


class AccountTracker:
    """The accounts of all venues, by the venue's name."""

    def __init__(self, venues: Iterable[str]) -> None:
        self.venues: Mapping[str, VenueAccount] = {venue: VenueAccount(venue) for venue in venues}

    def __getitem__(self, venue: str) -> VenueAccount:
        return self.venues[venue]

    @property
    def known(self) -> bool:
        """Tell whether every venue's balances have been read."""
        return all(account.known for account in self.venues.values())
