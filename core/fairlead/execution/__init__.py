"""Work admitted plans step by step: executors are pure state machines."""

from fairlead.execution.admission import affordable, price_bound, refusal_text
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.atomic_check import check_legs, coarsest_lot
from fairlead.execution.atomic_mend import (
    COVER_LEVEL,
    UNWIND_LEVEL,
    following,
    repair_costs,
    repair_ways,
)
from fairlead.execution.atomic_order import LEG_LEVEL, entry_order, lead_order, lead_price
from fairlead.execution.atomic_state import AtomicPhase, AtomicState, hear_event, remember_sent
from fairlead.execution.exit import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.execution.flight import Asked, asked_orders, still_asked, unresolved
from fairlead.execution.liquidity import (
    Liquidity,
    LiquidityLimits,
    Recommendation,
    analyze,
    offered,
)
from fairlead.execution.maker import at_distance, has_drifted, maker_price
from fairlead.execution.partial import (
    PairedLeg,
    cancel_rest,
    matched_share,
    missing_quantity,
    partial_fill_report,
)
from fairlead.execution.preflight import large_enough, matching_markets, payable
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
from fairlead.execution.unwind import (
    Closing,
    Spent,
    Way,
    closing_orders,
    excess_by_market,
    lot_base,
    net_base,
    reachable,
    worst_price,
)
from fairlead.execution.xemm import HEDGE_LEVEL, XemmExecutor
from fairlead.execution.xemm_price import HedgeTerms, conversion, hedge_bound, hedge_price
from fairlead.execution.xemm_quote import QUOTE_LEVEL, XemmQuote
from fairlead.execution.xemm_state import XemmState

__all__ = [
    "COVER_LEVEL",
    "EXIT_LEVEL",
    "HEDGE_LEVEL",
    "LEG_LEVEL",
    "QUOTE_LEVEL",
    "UNWIND_LEVEL",
    "Asked",
    "AtomicExecutor",
    "AtomicPhase",
    "AtomicState",
    "Closing",
    "ExitEnd",
    "ExitExecutor",
    "ExitPlan",
    "ExitState",
    "HedgeTerms",
    "Liquidity",
    "LiquidityLimits",
    "Nothing",
    "Outstanding",
    "PairedLeg",
    "QuotesExecutor",
    "QuotesState",
    "Rate",
    "Recommendation",
    "Sized",
    "Slices",
    "Slippage",
    "Spent",
    "TieredExecutor",
    "TieredPhase",
    "TieredState",
    "TwapExecutor",
    "TwapState",
    "Way",
    "XemmExecutor",
    "XemmQuote",
    "XemmState",
    "actual_slippage",
    "admit_tiered",
    "affordable",
    "analyze",
    "asked_orders",
    "at_distance",
    "cancel_rest",
    "cancels",
    "check_legs",
    "closing_orders",
    "coarsest_lot",
    "conversion",
    "cut",
    "entry_order",
    "excess_by_market",
    "expected_slippage",
    "following",
    "has_drifted",
    "hear_event",
    "hedge_bound",
    "hedge_price",
    "large_enough",
    "lead_order",
    "lead_price",
    "lot_base",
    "maker_price",
    "matched_share",
    "matching_markets",
    "missing_quantity",
    "model_error",
    "net_base",
    "offered",
    "pace_ns",
    "partial_fill_report",
    "payable",
    "price_bound",
    "reachable",
    "refusal_text",
    "remember_sent",
    "repair_costs",
    "repair_ways",
    "size_for",
    "smallest_order",
    "still_asked",
    "take",
    "taking_price",
    "unresolved",
    "value_of",
    "worst_price",
]
