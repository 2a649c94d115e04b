from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from fairlead.api import ControllerContext, Offers, QuotesConfig, Registry
from fairlead.model import Instrument, Side
from fairlead_pmm import PmmConfig, PmmController, Reference, build, fairlead_register
from tests.fairlead_pmm.factory import config, instrument

README = {
    "spread": "8 bps",
    "levels": {"count": 3, "step": "4 bps"},
    "order_size": "250 USDT",
    "refresh": {"every": "10 s", "keep_within": "1 bps"},
    "inventory": {"target": "50%", "band": "20%", "price_skew": "6 bps", "size_skew": True},
}


def offers() -> Offers:
    registry = Registry()
    registry.enter("pmm", "fairlead 0")
    fairlead_register(registry)
    return registry.offers()


def refusals(keys: PmmConfig, market: Instrument) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    build(keys, ControllerContext("alt", market, lambda *finding: found.append(finding)))
    return found


def test_the_example_of_the_design_is_read() -> None:
    read = PmmConfig.model_validate(README)

    assert read.levels.count == 3
    assert read.spread_of(Side.BUY) == read.spread_of(Side.SELL) == Decimal("0.0008")
    assert read.reference is Reference.MID
    assert read.plan == QuotesConfig(
        refresh_every_ns=10_000_000_000,
        keep_within=Decimal("0.0001"),
        size_within=Decimal("0.2"),
        cancel_closer_than=None,
    )


def test_a_configuration_prints_as_it_was_read() -> None:
    read = PmmConfig.model_validate(README)

    written = read.model_dump(mode="json", exclude_unset=True)

    assert written == README
    assert PmmConfig.model_validate(read.model_dump(mode="json")) == PmmConfig.model_validate(
        {**README, **read.model_dump(mode="json")}
    )


def test_each_side_may_have_its_own_spread() -> None:
    read = PmmConfig.model_validate(
        {"bid_spread": "8 bps", "ask_spread": "12 bps", "order_size": "1 ALT"}
    )

    assert read.spread_of(Side.BUY) == Decimal("0.0008")
    assert read.spread_of(Side.SELL) == Decimal("0.0012")


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"spread": "0 bps"}, "above zero"),
        ({"spread": "-8 bps"}, "above zero"),
        ({"spread": 8}, "with its unit"),
        ({"spread": None}, "either spread"),
        ({"spread": None, "bid_spread": "8 bps"}, "either spread"),
        ({"bid_spread": "8 bps"}, "either spread"),
        ({"bid_spread": "8 bps", "ask_spread": "8 bps"}, "either spread"),
        ({"order_size": "0 ALT"}, "above zero"),
        ({"order_size": 100}, "with its asset"),
        ({"levels": {"count": 0}}, "greater than or equal to 1"),
        ({"levels": {"count": 21}}, "less than or equal to 20"),
        ({"levels": {"step": "-1 bps"}}, "zero or more"),
        ({"levels": {"count": 20, "step": "6%"}}, "reach 100%"),
        ({"inventory": {"target": "101%"}}, "share"),
        ({"inventory": {"band": "0%"}}, "above zero"),
        ({"inventory": {"price_skew": "-6 bps"}}, "zero or more"),
        ({"cancel_closer_than": "8 bps"}, "less than the spread"),
        ({"sprad": "8 bps"}, "Extra inputs"),
    ],
    ids=str,
)
def test_refuses_what_makes_no_sense(keys: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        config(**keys)


def test_a_floor_below_the_spread_may_be_watched() -> None:
    read = config(cancel_closer_than="7 bps")

    assert read.plan.cancel_closer_than == Decimal("0.0007")


def test_every_key_is_described() -> None:
    def undescribed(schema: dict[str, Any]) -> list[str]:
        return [key for key, part in schema["properties"].items() if "description" not in part]

    schema = PmmConfig.model_json_schema()

    assert undescribed(schema) == []
    assert [undescribed(part) for part in schema["$defs"].values() if "properties" in part] == [
        [],
        [],
        [],
    ]


def test_the_plugin_offers_pmm() -> None:
    offer = offers().controllers["pmm"]

    controller = offer.build(config(), ControllerContext("alt", instrument()))

    assert isinstance(controller, PmmController)
    assert controller.plan == config().plan


def test_refuses_a_size_in_a_foreign_asset() -> None:
    found = refusals(config(order_size="1 BTC"), instrument())

    assert found == [("order_size", "1 BTC", "write the size in ALT or USDT")]


def test_refuses_an_inverse_contract() -> None:
    found = refusals(config(), instrument(inverse=True))

    assert found == [("market", "main:ALT/USDT", "inverse contracts are not quoted")]
