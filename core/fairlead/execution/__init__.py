"""Work admitted plans step by step: executors are pure state machines."""

from fairlead.execution.admission import affordable, portion, price_bound, refusal_text, smaller
from fairlead.execution.atomic import AtomicExecutor
from fairlead.execution.atomic_check import check_legs, coarsest_lot
from fairlead.execution.atomic_mend import (
    COVER_LEVEL,
    UNWIND_LEVEL,
    following,
    repair_costs,
    repair_ways,
)
from fairlead.execution.atomic_order import (
    LEG_LEVEL,
    entry_order,
    entry_price,
    lead_order,
    lead_price,
)
from fairlead.execution.atomic_state import AtomicPhase, AtomicState, hear_event, remember_sent
from fairlead.execution.easing import (
    Easing,
    Easings,
    eased_cushion,
    eased_quantity,
    hear_refusal,
)
from fairlead.execution.exit import EXIT_LEVEL, ExitEnd, ExitExecutor, ExitPlan, ExitState
from fairlead.execution.flight import Asked, asked_orders, still_asked, unresolved
from fairlead.execution.liquidity import (
    CUSHION,
    Liquidity,
    LiquidityLimits,
    Recommendation,
    analyze,
    needed_price,
    offered,
)
from fairlead.execution.maker import at_distance, has_drifted, maker_price, rest_at
from fairlead.execution.partial import (
    PairedLeg,
    cancel_rest,
    matched_share,
    missing_quantity,
    partial_fill_report,
)
from fairlead.execution.position import PositionExecutor
from fairlead.execution.position_barrier import (
    Barrier,
    Judged,
    exit_order,
    judge,
    profit_price,
    watches,
)
from fairlead.execution.position_entry import PositionEntry, is_far, refused_lately
from fairlead.execution.position_exit import PositionExit
from fairlead.execution.position_state import (
    ENTRY_LEVEL,
    LEAVE_LEVEL,
    PROFIT_LEVEL,
    REST_LEVEL,
    Holding,
    PositionState,
    holding,
)
from fairlead.execution.preflight import large_enough, matching_markets, payable
from fairlead.execution.quotes import Outstanding, QuotesExecutor, QuotesState
from fairlead.execution.shipped import SHIPPED
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
    "CUSHION",
    "ENTRY_LEVEL",
    "EXIT_LEVEL",
    "HEDGE_LEVEL",
    "LEAVE_LEVEL",
    "LEG_LEVEL",
    "PROFIT_LEVEL",
    "QUOTE_LEVEL",
    "REST_LEVEL",
    "SHIPPED",
    "UNWIND_LEVEL",
    "Asked",
    "AtomicExecutor",
    "AtomicPhase",
    "AtomicState",
    "Barrier",
    "Closing",
    "Easing",
    "Easings",
    "ExitEnd",
    "ExitExecutor",
    "ExitPlan",
    "ExitState",
    "HedgeTerms",
    "Holding",
    "Judged",
    "Liquidity",
    "LiquidityLimits",
    "Nothing",
    "Outstanding",
    "PairedLeg",
    "PositionEntry",
    "PositionExecutor",
    "PositionExit",
    "PositionState",
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
    "eased_cushion",
    "eased_quantity",
    "entry_order",
    "entry_price",
    "excess_by_market",
    "exit_order",
    "expected_slippage",
    "following",
    "has_drifted",
    "hear_event",
    "hear_refusal",
    "hedge_bound",
    "hedge_price",
    "holding",
    "is_far",
    "judge",
    "large_enough",
    "lead_order",
    "lead_price",
    "lot_base",
    "maker_price",
    "matched_share",
    "matching_markets",
    "missing_quantity",
    "model_error",
    "needed_price",
    "net_base",
    "offered",
    "pace_ns",
    "partial_fill_report",
    "payable",
    "portion",
    "price_bound",
    "profit_price",
    "reachable",
    "refusal_text",
    "refused_lately",
    "remember_sent",
    "repair_costs",
    "repair_ways",
    "rest_at",
    "size_for",
    "smaller",
    "smallest_order",
    "still_asked",
    "take",
    "taking_price",
    "unresolved",
    "value_of",
    "watches",
    "worst_price",
]
