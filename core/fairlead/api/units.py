"""Read values that carry their unit: ``"10 bps"``, ``"1 s"``, ``"250 USDT"``, ``"5%"``.

A bare number where a unit is due is an error that says what would be right. Each type keeps the
text that it was written as, so a configuration prints as it was read.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    PlainSerializer,
    PlainValidator,
    WithJsonSchema,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, core_schema
from typing_extensions import override

from fairlead.model import MarketId
from fairlead.model.numbers import decimal_from, trimmed

__all__ = ["Amount", "ClockTime", "Duration", "Exact", "Market", "Quantity", "Ratio", "Share"]

_NUMBER = r"([+-]?\d+(?:\.\d+)?)"
_NS = {
    "ns": 1,
    "us": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "min": 60_000_000_000,
    "h": 3_600_000_000_000,
    "d": 86_400_000_000_000,
}


def _schema(parse: Callable[[Any], Any], cls: type) -> CoreSchema:
    return core_schema.no_info_plain_validator_function(
        lambda value: value if isinstance(value, cls) else parse(value),
        serialization=core_schema.plain_serializer_function_ser_schema(str),
    )


class _Unit(ABC):
    """Shared pydantic plumbing: subclasses give ``parse`` and a pattern with examples."""

    _pattern = ""
    _examples: tuple[str, ...] = ()

    @classmethod
    @abstractmethod
    def parse(cls, value: object) -> Self:
        """Read a value from a configuration.

        :raises ValueError: when the text does not carry the right unit.
        """

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type, handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        del source, handler
        return _schema(cls.parse, cls)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        del schema, handler
        return {"type": "string", "pattern": cls._pattern, "examples": list(cls._examples)}


@dataclass(frozen=True, slots=True)
class Duration(_Unit):
    """A length of time, written ``"250 ms"``, ``"1 s"``, ``"10 min"``, ``"2 h"``, ``"1 d"``."""

    ns: int
    text: str = ""

    _pattern = rf"^{_NUMBER} ?(ns|us|ms|s|min|h|d)$"
    _examples = ("250 ms", "1 s", "10 min")

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read a duration; it may be zero but not negative."""
        match = re.match(cls._pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError('write a duration with its unit, e.g. "1 s", "250 ms", "10 min"')
        ns = Decimal(match[1]) * _NS[match[2]]
        if ns < 0 or ns != int(ns):
            raise ValueError("a duration is a whole number of nanoseconds, zero or more")
        return cls(int(ns), match[0])

    @property
    def seconds(self) -> float:
        """Give seconds, for showing and for statistics."""
        return self.ns / 1e9

    @override
    def __str__(self) -> str:
        return self.text or f"{self.ns} ns"


@dataclass(frozen=True, slots=True)
class Ratio(_Unit):
    """A share of a price or amount, written ``"8 bps"`` or ``"0.5%"``."""

    value: Decimal
    text: str = ""

    _pattern = rf"^{_NUMBER} ?(bps|%)$"
    _examples = ("8 bps", "0.5%")

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read a ratio; bounds belong to the field that uses it."""
        match = re.match(cls._pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError('write a ratio with its unit, e.g. "8 bps" or "0.5%"')
        scale = -4 if match[2] == "bps" else -2
        return cls(Decimal(match[1]).scaleb(scale), match[0])

    @property
    def bps(self) -> Decimal:
        """Give basis points."""
        return self.value.scaleb(4)

    @override
    def __str__(self) -> str:
        return self.text or f"{trimmed(self.bps)} bps"


@dataclass(frozen=True, slots=True)
class Share(_Unit):
    """A part of a whole from 0 to 1, written ``"50%"``."""

    value: Decimal
    text: str = ""

    _pattern = rf"^{_NUMBER} ?%$"
    _examples = ("50%",)

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read a share, 0 % to 100 % inclusive."""
        match = re.match(cls._pattern, value) if isinstance(value, str) else None
        if match is None or not 0 <= Decimal(match[1]) <= 100:
            raise ValueError('write a share from "0%" to "100%"')
        return cls(Decimal(match[1]).scaleb(-2), match[0])

    @override
    def __str__(self) -> str:
        return self.text or f"{trimmed(self.value.scaleb(2))}%"


@dataclass(frozen=True, slots=True)
class Amount(_Unit):
    """A quantity of an asset, written ``"250 USDT"``; the unit decides what is meant."""

    value: Decimal
    asset: str

    _pattern = rf"^{_NUMBER} ([A-Za-z0-9]+)$"
    _examples = ("250 USDT", "0.01 BTC")

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read an amount; bounds belong to the field that uses it."""
        match = re.match(cls._pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError('write an amount with its asset, e.g. "250 USDT" or "0.01 BTC"')
        return cls(decimal_from(match[1]), match[2])

    @override
    def __str__(self) -> str:
        return f"{trimmed(self.value)} {self.asset}"


@dataclass(frozen=True, slots=True)
class ClockTime(_Unit):
    """A time of day, written ``"00:00 UTC"``: 24 hours, always UTC."""

    ns: int
    text: str = ""

    _pattern = r"^([01]\d|2[0-3]):([0-5]\d) UTC$"
    _examples = ("00:00 UTC", "17:30 UTC")

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read a time of day."""
        match = re.match(cls._pattern, value) if isinstance(value, str) else None
        if match is None:
            raise ValueError('write a time of day in UTC, e.g. "00:00 UTC"')
        return cls((int(match[1]) * 60 + int(match[2])) * _NS["min"], match[0])

    @override
    def __str__(self) -> str:
        minutes = self.ns // _NS["min"]
        return self.text or f"{minutes // 60:02d}:{minutes % 60:02d} UTC"


@dataclass(frozen=True, slots=True)
class Exact(_Unit):
    """A bare decimal that must stay exact, written as a string: ``"2500"``."""

    value: Decimal

    _pattern = rf"^{_NUMBER}$"
    _examples = ("2500", "0.001")

    @classmethod
    @override
    def parse(cls, value: object) -> Self:
        """Read a decimal from a string or a whole number; a TOML float has lost digits."""
        if isinstance(value, bool) or not isinstance(value, str | int):
            # pydantic turns ValueError, not TypeError, into a finding
            raise ValueError(  # noqa: TRY004 - see the line above
                'write an exact number as a string, e.g. "0.001"'
            )
        return cls(decimal_from(value))

    @override
    def __str__(self) -> str:
        return trimmed(self.value)


def _market(value: object) -> MarketId:
    if isinstance(value, MarketId):
        return value
    return MarketId.parse(value if isinstance(value, str) else "")


def _quantity(value: object) -> Decimal:
    number = value if isinstance(value, Decimal) else Exact.parse(value).value
    if not number.is_finite() or number <= 0:
        raise ValueError("must be above zero")
    return number


#: A venue's role and a unified symbol: ``"main:BTC/USDT"``.
Market = Annotated[
    MarketId,
    PlainValidator(_market),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": "^[a-z][a-z0-9_]*:.+/.+$", "examples": ["main:BTC/USDT"]}
    ),
]

#: A quantity or price above zero that stays exact: written as a string, ``"0.001"``.
Quantity = Annotated[
    Decimal,
    PlainValidator(_quantity),
    PlainSerializer(trimmed, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\d+(\.\d+)?$", "examples": ["2500", "0.001"]}),
]
