"""Describe the ``[venues.NAME]`` table of a paper venue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fairlead.api import Duration, Exact, Ratio
from fairlead.market import QueueModel

__all__ = ["FeeTable", "InstrumentTable", "LatencyTable", "PaperConfig"]

_LARGEST_FEE = Decimal("0.01")
_LONGEST_LATENCY_NS = 10_000_000_000
_ASSET = re.compile(r"[A-Z0-9]+")
_SYMBOL = re.compile(r"[^/\s]+/[^/\s]+")
_SCHEME = re.compile(r"[a-z][a-z0-9_]*:.+", re.DOTALL)


def _fee(fee: Ratio) -> Ratio:
    if abs(fee.value) > _LARGEST_FEE:
        raise ValueError('write a fee from "-1%" to "1%"; a rebate is below zero')
    return fee


def _latency(latency: Duration) -> Duration:
    if latency.ns > _LONGEST_LATENCY_NS:
        raise ValueError('write a latency of at most "10 s"')
    return latency


def _positive(number: Exact) -> Exact:
    if number.value <= 0:
        raise ValueError("must be above zero")
    return number


def _not_negative(number: Exact) -> Exact:
    if number.value < 0:
        raise ValueError("must not be below zero")
    return number


def _source(text: str) -> str:
    if not _SCHEME.fullmatch(text):
        raise ValueError('write a source as "scheme:argument", e.g. "synthetic:midcap"')
    return text


def _assets(balances: Mapping[str, Exact]) -> Mapping[str, Exact]:
    if not balances:
        raise ValueError('write at least one balance, e.g. { USDT = "5000" }')
    for asset in balances:
        if not _ASSET.fullmatch(asset):
            raise ValueError(f'"{asset}" is no asset; write it in capitals, e.g. "USDT"')
    return balances


def _symbols(tables: Mapping[str, InstrumentTable]) -> Mapping[str, InstrumentTable]:
    for symbol in tables:
        if not _SYMBOL.fullmatch(symbol):
            raise ValueError(f'"{symbol}" is no symbol; write it as "BTC/USDT"')
    return tables


class _Table(BaseModel):
    """A table that is never changed and takes no unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FeeTable(_Table):
    """What the venue charges for a fill, as a share of its notional."""

    maker: Annotated[Ratio, AfterValidator(_fee)] = Field(
        Ratio.parse("10 bps"),
        description="for giving liquidity, from -1% to 1%; below zero it is a rebate",
    )
    taker: Annotated[Ratio, AfterValidator(_fee)] = Field(
        Ratio.parse("10 bps"), description="for taking liquidity, from -1% to 1%"
    )


class LatencyTable(_Table):
    """How long messages are under way."""

    market_data: Annotated[Duration, AfterValidator(_latency)] = Field(
        Duration.parse("20 ms"),
        description="from the venue's book and prints to the engine, at most 10 s",
    )
    orders: Annotated[Duration, AfterValidator(_latency)] = Field(
        Duration.parse("40 ms"),
        description="orders, cancels and queries to the venue, and its answers and account news "
        "back: each way, at most 10 s",
    )


class InstrumentTable(_Table):
    """A market's trading rules, where the source does not know them or others shall hold."""

    tick: Annotated[Exact, AfterValidator(_positive)] | None = Field(
        None, description="the step of prices; by default what the source says"
    )
    lot: Annotated[Exact, AfterValidator(_positive)] | None = Field(
        None, description="the step of quantities; by default what the source says"
    )
    min_quantity: Annotated[Exact, AfterValidator(_not_negative)] | None = Field(
        None, description="the smallest quantity of an order; by default what the source says"
    )
    min_notional: Annotated[Exact, AfterValidator(_not_negative)] | None = Field(
        None,
        description="the smallest price x quantity of an order; by default what the source says",
    )
    multiplier: Annotated[Exact, AfterValidator(_positive)] | None = Field(
        None, description="base units in one contract; 1 for a spot market"
    )


class PaperConfig(_Table):
    """The ``[venues.NAME]`` table of a paper venue: one market, one account of play money."""

    source: Annotated[str, AfterValidator(_source)] = Field(
        description="where the market comes from, as scheme:argument",
        examples=["synthetic:midcap", "file:a.jsonl.gz,b.jsonl.gz"],
    )
    seed: int = Field(0, ge=0, description="what a synthetic source draws its chances from")
    balances: Annotated[
        Mapping[str, Annotated[Exact, AfterValidator(_not_negative)]], AfterValidator(_assets)
    ] = Field(
        description="what the account holds at the start, by asset",
        examples=[{"BTC": "0.1", "USDT": "5000"}],
    )
    fees: FeeTable = Field(FeeTable(), description="what a fill costs")
    latency: LatencyTable = Field(LatencyTable(), description="how long messages are under way")
    fills: QueueModel = Field(
        QueueModel.CONSERVATIVE,
        description="whether others' cancels bring an order forward in its queue: conservative "
        "says never, probabilistic in proportion",
    )
    instruments: Annotated[Mapping[str, InstrumentTable], AfterValidator(_symbols)] = Field(
        {}, description="trading rules by symbol, before those of the source"
    )
