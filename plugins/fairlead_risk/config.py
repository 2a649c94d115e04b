"""Configure the risk rules: each key of ``[risk]`` is one rule with its own model.

A rule is written as a table, or as the bare value of its ``limit``: ``max_order = "500 USDT"``
is ``max_order = { limit = "500 USDT" }``. What is not written is on with its default.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from typing_extensions import override

from fairlead.api import Amount, Duration, Ratio, Share
from fairlead_risk.unit import AboveZero, AmountAboveZero, RatioAboveZero, ShareAboveZero

__all__ = [
    "DailyLossConfig",
    "MaxDrawdownConfig",
    "MaxOpenOrdersConfig",
    "MaxOrderConfig",
    "MaxOrderShareConfig",
    "MaxPositionConfig",
    "Measure",
    "PriceBandConfig",
    "RuleConfig",
    "StaleBookConfig",
    "WarmUpConfig",
]


#: What a fall is measured on.
Measure = Literal["equity", "trading"]


class RuleConfig(BaseModel):
    """The base of every rule's table: a bare value stands for its ``limit``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: Which way the ``limit`` is stricter: "lower" or "higher".
    stricter: ClassVar[str] = "lower"

    @model_validator(mode="before")
    @classmethod
    def _from_limit(cls, value: object) -> object:
        return value if isinstance(value, Mapping | BaseModel) else {"limit": value}

    @classmethod
    @override
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler, /
    ) -> JsonSchemaValue:
        table = handler.resolve_ref_schema(handler(core_schema))
        limit = table.get("properties", {}).get("limit")
        if limit is None:
            return table  # no single value could stand for the whole
        return {"anyOf": [limit, table], "title": cls.__name__, "description": cls.__doc__}


class MaxOrderConfig(RuleConfig):
    """How large one order may be."""

    limit: AmountAboveZero = Field(
        default=Amount(Decimal(500), "USDT"),
        description="largest value of one order (inclusive), above 0; any asset with a mark",
    )
    size: AmountAboveZero | None = Field(
        default=None,
        description="largest quantity of one order (inclusive) on markets of this base asset",
    )


class MaxOrderShareConfig(RuleConfig):
    """How large one order may be against what the account is worth."""

    limit: ShareAboveZero = Field(
        default=Share(Decimal("0.05"), "5%"),
        description="largest value of one order as a share of equity (inclusive), above 0%",
    )


class MaxPositionConfig(RuleConfig):
    """How far from its target a market's position may come."""

    limit: AmountAboveZero = Field(
        default=Amount(Decimal(2000), "USDT"),
        description="largest value of |position - target| per market (inclusive), with every "
        "live and unproven order of the growing side counted as filled; above 0",
    )


class MaxOpenOrdersConfig(RuleConfig):
    """How many orders may be live on one market."""

    limit: int = Field(
        default=40, ge=1, le=1000, strict=True, description="orders per market (inclusive), 1-1000"
    )


class PriceBandConfig(RuleConfig):
    """How far from the mid an order may be priced."""

    limit: RatioAboveZero = Field(
        default=Ratio(Decimal("0.03"), "3%"),
        description="largest distance of a post-only order from the mid (inclusive), above 0",
    )
    taker: RatioAboveZero = Field(
        default=Ratio(Decimal("0.005"), "0.5%"),
        description="how far through the mid any other order may be priced (inclusive), above 0",
    )


class StaleBookConfig(RuleConfig):
    """How long a book may be silent."""

    limit: AboveZero = Field(
        default=Duration(3_000_000_000, "3 s"),
        description="a book silent for this long is not traded on, above 0",
    )


class WarmUpConfig(RuleConfig):
    """How long a book must have been valid before anything is quoted."""

    stricter: ClassVar[str] = "higher"

    limit: Duration = Field(
        default=Duration(60_000_000_000, "60 s"),
        description="time of valid book before the first quote, also after a gap; 0 s = none",
    )


class MaxDrawdownConfig(RuleConfig):
    """How far equity may fall from its peak."""

    limit: ShareAboveZero = Field(
        default=Share(Decimal("0.05"), "5%"),
        description="largest fall from the peak (inclusive); beyond it trading halts; above 0%",
    )
    measure: Measure = Field(
        default="equity",
        description='what falls: "equity", or "trading" = without the price moves of the target',
    )
    flatten: RatioAboveZero | None = Field(
        default=None,
        description="bring positions to their targets before halting, by taking no further than "
        "this from the mid; by default they stay",
    )


class DailyLossConfig(RuleConfig):
    """How far equity may fall below the day's start."""

    limit: ShareAboveZero = Field(
        default=Share(Decimal("0.02"), "2%"),
        description="largest loss since the day's start (inclusive); beyond it orders may only "
        "reduce, until the next day; above 0%",
    )
    measure: Measure = Field(
        default="equity",
        description='what falls: "equity", or "trading" = without the price moves of the target',
    )
