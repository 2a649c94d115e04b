"""Write figures for people: signs, thousands, units, small bars. The one place for it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_EVEN, Decimal

from fairlead.model import ZERO, power_of_ten, trimmed

__all__ = [
    "NOT_AVAILABLE",
    "add_up",
    "amount",
    "bar",
    "clock",
    "percent",
    "places_for",
    "rounded",
    "signed",
    "sparkline",
    "tone",
    "trimmed_amount",
]

NOT_AVAILABLE = "n/a"
_MINUS = "−"
_BLOCKS = "▁▂▃▄▅▆▇█"
_SECOND_NS = 1_000_000_000


def rounded(value: Decimal, places: int) -> Decimal:
    """Round for showing only; half to even, never a negative zero."""
    return value.quantize(power_of_ten(-places), ROUND_HALF_EVEN) + ZERO


def amount(value: Decimal | float | None, places: int = 2) -> str:
    """Write ``10,021.40``; unavailable is ``n/a``."""
    if value is None:
        return NOT_AVAILABLE
    text = f"{rounded(value, places) if isinstance(value, Decimal) else value:,.{places}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")
    return text.replace("-", _MINUS)


def trimmed_amount(value: Decimal | None) -> str:
    """Write all digits that a value has, with thousands: ``2,608.5``."""
    if value is None:
        return NOT_AVAILABLE
    whole, point, rest = trimmed(abs(value)).partition(".")
    return (_MINUS if value < 0 else "") + f"{int(whole):,}" + point + rest


def signed(value: Decimal | float | None, places: int = 2) -> str:
    """Write a gain with its plus and a loss with its minus; nothing is ``0.00``."""
    text = amount(value, places)
    positive = value is not None and not text.startswith(_MINUS) and text.strip("0.,")
    return f"+{text}" if positive else text


def percent(share: Decimal | float | None, places: int = 1) -> str:
    """Write a share of one as ``97.6 %``."""
    return NOT_AVAILABLE if share is None else f"{amount(share * 100, places)} %"


def clock(span_ns: int, *, places: int = 0) -> str:
    """Write a span of time: ``18:42``, ``2:05:10``, ``3 d 04:00:00``; ``places`` of a second."""
    seconds, rest = divmod(max(span_ns, 0), _SECOND_NS)
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    text = f"{minute:02d}:{second:02d}"
    if hours:
        text = f"{hour:02d}:{text}" if days else f"{hour}:{text}"
    if days:
        text = f"{days} d {text}"
    return f"{text}.{rest * 10**places // _SECOND_NS:0{places}d}" if places else text


def tone(value: Decimal | float | None) -> str:
    """Give the style of a signed figure: green gains, red losses, plain nothing."""
    if value is None or value == 0:
        return ""
    return "green" if value > 0 else "red"


def sparkline(values: Sequence[float], width: int) -> str:
    """Draw the last values as blocks, one per column, each the last of its share of the time."""
    if not values or width < 1:
        return ""
    count = min(width, len(values))
    picked = [values[(column + 1) * len(values) // count - 1] for column in range(count)]
    low, high = min(picked), max(picked)
    if low == high:
        return _BLOCKS[3] * count
    top = len(_BLOCKS) - 1
    return "".join(_BLOCKS[round((value - low) / (high - low) * top)] for value in picked)


def bar(share: float, width: int) -> str:
    """Draw where something stands between two limits: −1 left, 0 middle, 1 right, held inside."""
    place = round((max(-1.0, min(1.0, share)) + 1) / 2 * (width - 1))
    return "▕" + "░" * place + "█" + "░" * (width - 1 - place) + "▏"


def places_for(value: Decimal | None) -> int:
    """Choose the decimals of money: two, more where an account holds few units of it."""
    if not value:
        return 2
    return max(2, min(8, 5 - value.adjusted()))


def add_up(parts: Sequence[Decimal], total: Decimal, places: int) -> list[Decimal]:
    """Round parts so that what is shown adds up to ``total``; the largest takes the rest."""
    shown = [rounded(part, places) for part in parts]
    rest = total - sum(shown, ZERO)
    if rest and shown:
        largest = max(range(len(shown)), key=lambda place: abs(shown[place]))
        shown[largest] += rest
    return shown
