import json
from typing import Any

from fairlead.api import Offers
from fairlead.config.schema import schema
from tests.fairlead.config.fakes import offers


def variants(tree: dict[str, Any], key: str) -> dict[str, Any]:
    found = tree["properties"][key]["additionalProperties"]["oneOf"]
    return {variant["title"]: variant for variant in found}


def test_a_venue_holds_the_keys_of_the_engine_and_of_its_connector() -> None:
    paper = variants(schema(offers()), "venues")["paper"]

    assert paper["properties"]["connector"]["const"] == "paper"
    assert paper["properties"]["seed"]["default"] == 0
    assert paper["required"] == ["connector", "source", "balances"]
    assert paper["additionalProperties"] is False
    assert paper["description"] == "play money"


def test_a_strategy_holds_the_keys_of_the_engine_and_of_its_controller() -> None:
    pmm = variants(schema(offers()), "strategies")["pmm"]

    assert {"controller", "market", "every", "replace", "obligation", "spread"} <= set(
        pmm["properties"]
    )
    assert "options" not in pmm["properties"]
    assert pmm["required"] == ["controller", "market", "spread", "order_size"]


def test_a_rule_takes_its_table_or_its_limit() -> None:
    rules = schema(offers())["properties"]["risk"]["properties"]

    table, limit = rules["max_open_orders"]["anyOf"]
    assert table["$ref"].endswith("Count")
    assert limit["minimum"] == 1


def test_defaults_carry_their_unit() -> None:
    tree = schema(offers())

    assert tree["$defs"]["EngineSettings"]["properties"]["tick"]["default"] == "1 s"
    assert variants(tree, "venues")["paper"]["properties"]["latency"]["default"] == {
        "orders": "40 ms"
    }


def test_every_reference_leads_somewhere() -> None:
    tree = schema(offers())

    text = json.dumps(tree)
    references = {part.partition('"')[0] for part in text.split("#/$defs/")[1:]}
    assert references <= set(tree["$defs"])
    assert "VenueSettings" not in tree["$defs"]


def test_without_plugins_nothing_can_be_named() -> None:
    tree = schema(Offers({}, {}, {}, {}))

    assert tree["properties"]["venues"]["additionalProperties"] is False
