"""Bound the values of the rules' tables: nothing here makes sense at zero or below."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from fairlead.api import Amount, Duration, Ratio, Share

__all__ = ["AboveZero", "AmountAboveZero", "RatioAboveZero", "ShareAboveZero"]


def _amount_above_zero(value: Amount) -> Amount:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "500 USDT"')
    return value


def _share_above_zero(value: Share) -> Share:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "5%"')
    return value


def _ratio_above_zero(value: Ratio) -> Ratio:
    if value.value <= 0:
        raise ValueError('must be above zero, e.g. "3%"')
    return value


def _duration_above_zero(value: Duration) -> Duration:
    if value.ns <= 0:
        raise ValueError('must be above zero, e.g. "3 s"')
    return value


#: An amount above zero.
AmountAboveZero = Annotated[Amount, AfterValidator(_amount_above_zero)]
#: A share above zero.
ShareAboveZero = Annotated[Share, AfterValidator(_share_above_zero)]
#: A ratio above zero.
RatioAboveZero = Annotated[Ratio, AfterValidator(_ratio_above_zero)]
#: A duration above zero.
AboveZero = Annotated[Duration, AfterValidator(_duration_above_zero)]
