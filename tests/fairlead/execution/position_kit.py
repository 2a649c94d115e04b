"""Positions with a triple barrier that have begun, or that were entered."""

from decimal import Decimal
from typing import Any

from fairlead.api import Denied, OrderView
from fairlead.api.plans import PositionPlan
from fairlead.execution import ENTRY_LEVEL, PositionExecutor
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

SPOT = instrument(lot="0.1", min_quantity="0.5")
MARKET = SPOT.market
MID = Decimal(100)
TRAIL: dict[str, Any] = {"stop_loss": None, "trailing_stop": {"activation": "1%", "delta": "0.5%"}}


def plan(**given: Any) -> PositionPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": "BUY", "quantity": "10", "stop_loss": "1%"}
    return PositionPlan.model_validate(defaults | given)


def started(**given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    kit = Kit(PositionExecutor, plan(**given), [SPOT])
    kit.quote(MARKET, "99.90", "100.10")
    assert not isinstance(kit.start(), Denied)
    return kit


def entered(quantity: str = "10", **given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    """Give a position that was entered at 99.90 (or 100.10 when short)."""
    kit = started(**given)
    kit.ack(kit.only(ENTRY_LEVEL))
    kit.fill(kit.only(ENTRY_LEVEL), quantity)
    return kit


def at_level(kit: Kit, level: int) -> list[OrderView]:
    return [order for order in kit.orders.values() if order.slot.level == level]
