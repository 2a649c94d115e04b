"""Add and multiply money without losing a digit."""

from __future__ import annotations

import decimal
from contextlib import AbstractContextManager

__all__ = ["exactly"]

# Numbers from outside have at most 49 digits (`decimal_from`); a product of three of them and a
# sum over a lifetime fit, so nothing that the ledger adds or multiplies is ever rounded.
_EXACT = decimal.Context(
    prec=320,
    rounding=decimal.ROUND_HALF_EVEN,
    traps=[decimal.FloatOperation, decimal.InvalidOperation, decimal.DivisionByZero],
)


def exactly() -> AbstractContextManager[decimal.Context]:
    """Enter arithmetic in which sums and products of money are exact; divide outside of it."""
    return decimal.localcontext(_EXACT)
