"""List the executors that ship with the engine; a plugin offers more by the same door."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fairlead.api import ExecutorContext, Plan, PlanExecutor
from fairlead.api.plans import AtomicPlan, PositionPlan, TieredPlan, TwapPlan, XemmPlan
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.position import PositionExecutor
from fairlead.execution.tiered import TieredExecutor
from fairlead.execution.twap import TwapExecutor
from fairlead.execution.xemm import XemmExecutor

__all__ = ["SHIPPED"]

_Build = Callable[[Any, ExecutorContext], PlanExecutor[Any]]

#: (name, plan model, builder, summary) of each, as `Registry.executor` takes them.
SHIPPED: tuple[tuple[str, type[Plan], _Build, str], ...] = (
    (
        "tiered",
        TieredPlan,
        TieredExecutor,
        "a quantity in one market: rest as maker, take what is left",
    ),
    (
        "twap",
        TwapPlan,
        TwapExecutor,
        "a quantity spread evenly over time, as maker or taker",
    ),
    (
        "position",
        PositionPlan,
        PositionExecutor,
        "a position that leaves by stop loss, take profit, time limit or trailing stop",
    ),
    (
        "atomic",
        AtomicPlan,
        AtomicExecutor,
        "several legs that belong together, on as many markets",
    ),
    (
        "xemm",
        XemmPlan,
        XemmExecutor,
        "a quote on one market whose every fill is hedged on another",
    ),
)
