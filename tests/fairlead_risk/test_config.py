from typing import Any

import pytest
from pydantic import ValidationError

from fairlead.api import Offers, Registry, RuleContext
from fairlead_risk import MaxOpenOrdersConfig, MaxOrderConfig, RuleConfig, fairlead_register

DEFAULTS = {
    "max_position": "2000 USDT",
    "max_order": "500 USDT",
    "daily_loss": "2%",
    "max_drawdown": "5%",
    "max_order_share": "5%",
    "max_open_orders": "40",
    "price_band": "3%",
    "stale_book": "3 s",
    "warm_up": "60 s",
    "realised_loss": "2%",
    "margin_cut": "90%",
    "max_leverage": "3",
    "max_open_notional": "200%",
    "order_rate": "200",
    "second_source": "1%",
    "user_stream": "10 s",
    "clock_skew": "1 s",
    "venue_health": "50%",
    "one_sided_fills": "5",
    "markout_brake": "50",
    "taker_brake": "10%",
    "crash_pause": "1%",
    "reject_pause": "10",
    "slow_ticks": "10",
}
#: Whose ``limit`` is a whole number.
COUNTS = {
    "max_open_orders",
    "order_rate",
    "one_sided_fills",
    "markout_brake",
    "reject_pause",
    "slow_ticks",
}
#: What a rule has besides, or instead of, a limit.
FURTHER = {
    "reduce_only": {
        "margin_use": "80%",
        "margin_leave": "70%",
        "skew": "1.5%",
        "skew_leave": "1%",
        "skew_spot": "False",
        "losing_trades": "10",
        "losing_for": "30 min",
        "day_drawdown": "2%",
        "at_least": "60 s",
        "cross_after": "None",
        "cross_within": "0.5%",
    },
    "max_drawdown": {"measure": "equity", "flatten": "None"},
    "daily_loss": {"measure": "equity"},
    "margin_cut": {
        "to": "85%",
        "slice": "20%",
        "depth_within": "10 bps",
        "bound": "50 bps",
        "liquidation_distance": "15%",
    },
    "taker_brake": {"until": "5%", "window": "24 h", "fills": "50", "factor": "1.5"},
    "one_sided_fills": {"within": "10 s", "off": "30 s"},
    "markout_brake": {"factor": "1.5", "pause": "30 min"},
    "crash_pause": {"within": "10 s", "sigmas": "6", "floor": "10 bps", "pause": "60 s"},
    "reject_pause": {"pause": "60 s"},
    "slow_ticks": {"within": "60 s"},
    "order_rate": {"within": "10 s"},
    "price_band": {"taker": "0.5%"},
    "second_source": {"fresh": "10 s"},
    "clock_skew": {"warn": "250 ms"},
    "venue_health": {"answers": "20", "pause": "60 s"},
    "self_trade": {"clear_the_way": "True"},
    "max_order": {"size": "None"},
}


def offers() -> Offers:
    registry = Registry()
    registry.enter("risk", "fairlead 0")
    fairlead_register(registry)
    return registry.offers()


def configs() -> dict[str, type[RuleConfig]]:
    found = {}
    for name, offer in offers().rules.items():
        assert offer.config is not None
        assert issubclass(offer.config, RuleConfig)
        found[name] = offer.config
    return found


def test_every_rule_is_on_with_the_default_of_the_reference() -> None:
    found = {
        name: {key: str(value) for key, value in config().model_dump().items()}
        for name, config in configs().items()
    }

    expected = {
        name: ({"limit": DEFAULTS[name]} if name in DEFAULTS else {}) | FURTHER.get(name, {})
        for name in found
    }
    assert found == expected
    assert {*DEFAULTS, *FURTHER} == {*found}


@pytest.mark.parametrize("name", DEFAULTS)
def test_a_bare_value_is_the_limit(name: str) -> None:
    config = configs()[name]
    limit: object = int(DEFAULTS[name]) if name in COUNTS else DEFAULTS[name]

    assert config.model_validate(limit) == config.model_validate({"limit": limit}) == config()


def test_a_rule_is_built_under_its_own_name() -> None:
    rules = [
        offer.build(configs()[name](), RuleContext("USDT"))
        for name, offer in offers().rules.items()
    ]

    assert [rule.name for rule in rules] == list(offers().rules)
    assert all(offer.summary for offer in offers().rules.values())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("max_position", "0 USDT", "above zero"),
        ("max_position", 2000, "with its asset"),
        ("max_order", "-1 USDT", "above zero"),
        ("max_order", {"size": "0 ALT"}, "above zero"),
        ("max_order", {"limits": "5 USDT"}, "Extra inputs"),
        ("daily_loss", "0%", "above zero"),
        ("max_drawdown", "101%", "share"),
        ("max_order_share", "0%", "above zero"),
        ("max_open_orders", 0, "greater than or equal to 1"),
        ("max_open_orders", "40", "valid integer"),
        ("price_band", "0%", "above zero"),
        ("price_band", {"taker": "-1 bps"}, "above zero"),
        ("stale_book", "0 s", "above zero"),
        ("stale_book", 3, "with its unit"),
        ("warm_up", "60", "with its unit"),
        ("reduce_only", "80%", "Extra inputs"),
        ("reduce_only", {"losing_trades": 0}, "greater than or equal to 1"),
        ("reduce_only", {"skew": "0%"}, "above zero"),
        ("max_drawdown", {"measure": "mood"}, "equity"),
        ("max_drawdown", {"flatten": "0 bps"}, "above zero"),
        ("one_sided_fills", 1, "greater than or equal to 2"),
        ("taker_brake", {"factor": 1.5}, "exact number"),
        ("self_trade", {"clear_the_way": "perhaps"}, "boolean"),
    ],
    ids=str,
)
def test_refuses_what_makes_no_sense(name: str, value: object, said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        configs()[name].model_validate(value)


def test_a_configuration_prints_so_that_it_reads_back() -> None:
    read = MaxOrderConfig.model_validate({"limit": "500 USDT", "size": "3 BTC"})

    assert MaxOrderConfig.model_validate(read.model_dump(mode="json")) == read


@pytest.mark.parametrize("name", DEFAULTS)
def test_the_schema_takes_a_bare_value_or_a_table_with_described_keys(name: str) -> None:
    schema: dict[str, Any] = configs()[name].model_json_schema()

    bare, table = schema["anyOf"]
    assert bare["type"] in {"string", "integer"}
    assert table["additionalProperties"] is False
    assert [key for key, part in table["properties"].items() if "description" not in part] == []


def test_the_count_of_orders_is_a_whole_number() -> None:
    assert MaxOpenOrdersConfig(limit=7).limit == 7
