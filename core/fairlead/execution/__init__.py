"""Work admitted plans step by step: executors are pure state machines."""

from fairlead.execution.admission import affordable, price_bound, refusal_text
from fairlead.execution.exit import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.execution.liquidity import (
    Liquidity,
    LiquidityLimits,
    Recommendation,
    analyze,
    offered,
)
from fairlead.execution.maker import at_distance, has_drifted, maker_price
from fairlead.execution.quotes import Outstanding, QuotesExecutor, QuotesState
from fairlead.execution.sizing import Rate, Sized, size_for, taking_price, value_of
from fairlead.execution.slippage import (
    Slippage,
    actual_slippage,
    expected_slippage,
    model_error,
)
from fairlead.execution.taker import Nothing, cancels, pace_ns, take
from fairlead.execution.tiered import TieredExecutor
from fairlead.execution.tiered_admission import TieredPhase, TieredState, admit_tiered
from fairlead.execution.twap import TwapExecutor, TwapState
from fairlead.execution.twap_slices import Slices, cut, smallest_order

__all__ = [
    "EXIT_LEVEL",
    "ExitEnd",
    "ExitExecutor",
    "ExitPlan",
    "ExitState",
    "Liquidity",
    "LiquidityLimits",
    "Nothing",
    "Outstanding",
    "QuotesExecutor",
    "QuotesState",
    "Rate",
    "Recommendation",
    "Sized",
    "Slices",
    "Slippage",
    "TieredExecutor",
    "TieredPhase",
    "TieredState",
    "TwapExecutor",
    "TwapState",
    "actual_slippage",
    "admit_tiered",
    "affordable",
    "analyze",
    "at_distance",
    "cancels",
    "cut",
    "expected_slippage",
    "has_drifted",
    "maker_price",
    "model_error",
    "offered",
    "pace_ns",
    "price_bound",
    "refusal_text",
    "size_for",
    "smallest_order",
    "take",
    "taking_price",
    "value_of",
]
