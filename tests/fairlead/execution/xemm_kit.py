"""Plans across exchanges that wait, quote or hedge."""

from typing import Any

from fairlead.api import Denied, Place
from fairlead.api.plans.xemm import XemmPlan
from fairlead.execution.xemm import XemmExecutor
from fairlead.model import MarketId, Side
from fairlead.testing import instrument
from tests.fairlead.execution.plan_kit import Kit

MAKER, TAKER = MarketId("thin", "ALT/USDT"), MarketId("deep", "ALT/USDT")
RULES: dict[str, Any] = {"lot": "1", "min_quantity": "1", "fees": ("0.0002", "0.0005")}


def plan(**given: Any) -> XemmPlan:  # noqa: ANN401 - the plan's own keys
    defaults = {
        "maker_market": MAKER,
        "taker_market": TAKER,
        "maker_side": Side.BUY,
        "order_amount": "10",
    }
    return XemmPlan.model_validate(defaults | given)


def waiting(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    instruments = [instrument(MAKER, **RULES), instrument(TAKER, **(RULES | taker))]
    kit = Kit(XemmExecutor, wish or plan(), instruments)
    kit.quote(MAKER, "99.50", "100.50")
    kit.quote(TAKER, "100.00", "100.02")
    return kit


def started(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    kit = waiting(wish, **taker)
    assert not isinstance(kit.start(), Denied)
    return kit


def quoting(wish: XemmPlan | None = None, **taker: Any) -> Kit:  # noqa: ANN401 - instrument keys
    kit = started(wish, **taker)
    kit.ack(kit.only(0))
    return kit


def denial(kit: Kit) -> Denied:
    found = kit.start()
    assert isinstance(found, Denied)
    return found


def hedges(kit: Kit) -> list[Place]:
    return [place for place in kit.places if place.slot.market == TAKER]
