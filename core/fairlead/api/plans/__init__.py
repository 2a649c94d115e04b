"""Describe the plans of the shipped executors, so that a controller starts them by value."""

from fairlead.api.plans.atomic import AtomicLeg, AtomicOrder, AtomicPlan, AtomicPolicy
from fairlead.api.plans.maker import MakerPrice
from fairlead.api.plans.partial import MendedLeg, PartialFillReport, PartialLeg
from fairlead.api.plans.position import EntryOrder, ExitOrder, PositionPlan, TrailingStop
from fairlead.api.plans.tiered import TieredMode, TieredPlan
from fairlead.api.plans.twap import CatchUp, TwapMode, TwapPlan
from fairlead.api.plans.xemm import XemmPlan

__all__ = [
    "AtomicLeg",
    "AtomicOrder",
    "AtomicPlan",
    "AtomicPolicy",
    "CatchUp",
    "EntryOrder",
    "ExitOrder",
    "MakerPrice",
    "MendedLeg",
    "PartialFillReport",
    "PartialLeg",
    "PositionPlan",
    "TieredMode",
    "TieredPlan",
    "TrailingStop",
    "TwapMode",
    "TwapPlan",
    "XemmPlan",
]
