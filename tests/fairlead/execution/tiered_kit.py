"""Orders in tiers that have begun."""

from decimal import Decimal
from typing import Any

from fairlead.api import Denied
from fairlead.api.plans import TieredPlan
from fairlead.execution import TieredExecutor
from fairlead.model import Side
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

SPOT = instrument(lot="0.1", min_quantity="0.5", fees=("0.0002", "0.0005"))
MARKET = SPOT.market
MID = Decimal(100)


def plan(**given: Any) -> TieredPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {"market": MARKET, "side": Side.BUY, "quantity": "10", "mode": "limit_with_fallback"}
    return TieredPlan.model_validate(defaults | given)


def started(size: int = 100, **given: Any) -> Kit:  # noqa: ANN401 - the plan's own keys
    kit = Kit(TieredExecutor, plan(**given), [SPOT])
    kit.quote(MARKET, "99.90", "100.10", size)
    assert not isinstance(kit.start(), Denied)
    return kit
