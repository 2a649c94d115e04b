"""Keep of an account what must outlive a run: peaks, the day, and what was held at the end."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from fairlead.ledger.nav import NavState

__all__ = ["AccountMemory"]


class AccountMemory(msgspec.Struct, frozen=True):
    """Both measures of equity in units, and the balances of a run that ended with proof.

    ``balances`` is by "venue asset"; None = the run was killed, so fills may have come since and
    no difference can be told from a transfer.
    """

    nav: NavState
    trading: NavState
    balances: dict[str, Decimal] | None = None

    def forgetting(self) -> AccountMemory:
        """Give the same with both peaks where the account stood last."""
        replace = msgspec.structs.replace
        return replace(
            self,
            nav=replace(self.nav, peak=self.nav.now),
            trading=replace(self.trading, peak=self.trading.now),
        )
