"""Keep money exact: the one place where decimals are made, scaled and rounded.

Prices, quantities and money are `Decimal`, made from strings and integers. Inside a book they
are integers in the feed's finest decimals; `scaled` and `unscaled` are the way in and out.
Rounding an order is *grid plus side* and never makes it more aggressive: a buy goes down, a
sell goes up, a quantity goes down. Floats are for statistics and never touch money; the context
that `install_context` sets traps the mixture.
"""

from __future__ import annotations

import decimal
import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from functools import lru_cache

__all__ = [
    "HALF",
    "ONE",
    "PRECISION",
    "ZERO",
    "ceil_to",
    "clamp",
    "decimal_from",
    "floor_to",
    "install_context",
    "is_multiple",
    "power_of_ten",
    "scaled",
    "statistic",
    "trimmed",
    "unscaled",
]

PRECISION = 40
ZERO = Decimal(0)
ONE = Decimal(1)
HALF = Decimal("0.5")

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)

# A venue's number beyond these is a broken message, not a price (RELIABILITY: bad price).
_LARGEST_EXPONENT = 24
_FINEST_EXPONENT = -24


def install_context() -> None:
    """Set precision 40 and trap float arithmetic, here and in every context made later."""
    for context in (decimal.DefaultContext, decimal.getcontext()):
        context.prec = PRECISION
        context.traps[decimal.FloatOperation] = True
        context.traps[decimal.InvalidOperation] = True
        context.traps[decimal.DivisionByZero] = True


def decimal_from(value: str | int | Decimal) -> Decimal:
    """Make a finite decimal of a sane size from outside data.

    :raises ValueError: when it is not a number, not finite, beyond 1e±24 or of over 40 digits.
    """
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        # Decimal itself would also take " 1", "1_0" and "NaN".
        raise ValueError(f"not a number: {value!r}")
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError) as error:
        raise ValueError(f"not a number: {value!r}") from error
    if not number.is_finite():
        raise ValueError(f"not a finite number: {value!r}")
    if len(number.as_tuple().digits) > PRECISION:
        raise ValueError(f"more than {PRECISION} digits: {value!r}")
    if number and not _FINEST_EXPONENT <= number.adjusted() <= _LARGEST_EXPONENT:
        raise ValueError(f"out of range: {value!r}")
    return number


@lru_cache(maxsize=64)
def power_of_ten(exponent: int) -> Decimal:
    """Give 10**exponent, exactly, for either sign."""
    return Decimal(1).scaleb(exponent)


def scaled(text: str, decimals: int) -> int:
    """Give a decimal text as an integer count of 10**-decimals.

    :raises ValueError: when it is no number, or has digits finer than ``decimals``.
    """
    number = decimal_from(text).scaleb(decimals)
    whole = int(number)
    if whole != number:
        raise ValueError(f"finer than {decimals} decimals: {text!r}")
    return whole


def unscaled(value: int, decimals: int) -> Decimal:
    """Give an integer count of 10**-decimals as a decimal."""
    return Decimal(value).scaleb(-decimals)


def floor_to(value: Decimal, step: Decimal) -> Decimal:
    """Give the largest multiple of ``step`` that is not above ``value``."""
    return (value / step).to_integral_value(ROUND_FLOOR) * step


def ceil_to(value: Decimal, step: Decimal) -> Decimal:
    """Give the smallest multiple of ``step`` that is not below ``value``."""
    return (value / step).to_integral_value(ROUND_CEILING) * step


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Tell whether ``value`` lies on the grid of ``step``."""
    return value % step == 0


def clamp(value: Decimal, low: Decimal, high: Decimal) -> Decimal:
    """Give ``value``, held within [low, high]."""
    return max(low, min(high, value))


def statistic(value: Decimal) -> float:
    """Leave money for statistics: the only crossing from `Decimal` to float."""
    return float(value)


def trimmed(value: Decimal) -> str:
    """Write a decimal in plain notation without trailing zeros: ``1.50`` as ``1.5``."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text
