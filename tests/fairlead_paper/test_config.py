from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel, ValidationError

from fairlead.market import QueueModel
from fairlead_paper import FeeTable, InstrumentTable, LatencyTable, PaperConfig

EXAMPLE = {
    "source": "synthetic:midcap",
    "seed": 7,
    "balances": {"ALT": "2500", "USDT": "5000"},
    "fees": {"maker": "2 bps", "taker": "5 bps"},
    "latency": {"market_data": "20 ms", "orders": "40 ms"},
    "fills": "conservative",
}


def test_the_table_of_the_example_is_read() -> None:
    config = PaperConfig.model_validate(EXAMPLE)

    assert config.balances["ALT"].value == 2500
    assert config.fees.maker.value == Decimal("0.0002")
    assert config.latency.orders.ns == 40_000_000
    assert config.fills is QueueModel.CONSERVATIVE


def test_source_and_balances_suffice() -> None:
    config = PaperConfig.model_validate({"source": "file:a.gz", "balances": {"USDT": "1"}})

    assert config.fees.taker.bps == 10
    assert config.latency.market_data.ns == 20_000_000


def test_a_rebate_is_a_maker_fee_below_zero() -> None:
    config = PaperConfig.model_validate(EXAMPLE | {"fees": {"maker": "-0.5 bps"}})

    assert config.fees.maker.value == Decimal("-0.00005")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"source": "midcap"}, "scheme:argument"),
        ({"seed": -1}, "greater than or equal to 0"),
        ({"balances": {}}, "at least one balance"),
        ({"balances": {"usdt": "1"}}, "in capitals"),
        ({"balances": {"USDT": "-1"}}, "must not be below zero"),
        ({"balances": {"USDT": 0.5}}, "as a string"),
        ({"fees": {"maker": "1.01%"}}, "from"),
        ({"fees": {"taker": "-1.01%"}}, "from"),
        ({"fees": {"maker": "2"}}, "with its unit"),
        ({"latency": {"orders": "10001 ms"}}, "at most"),
        ({"latency": {"orders": 40}}, "with its unit"),
        ({"fills": "optimistic"}, "conservative"),
        ({"instruments": {"BTCUSDT": {}}}, "BTC/USDT"),
        ({"instruments": {"BTC/USDT": {"tick": "0"}}}, "above zero"),
        ({"instruments": {"BTC/USDT": {"min_notional": "-1"}}}, "not be below zero"),
        ({"instruments": {"BTC/USDT": {"step": "1"}}}, "Extra inputs"),
        ({"latencies": {}}, "Extra inputs"),
    ],
)
def test_a_mistake_says_what_would_be_right(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        PaperConfig.model_validate(EXAMPLE | change)


def test_the_bounds_themselves_are_allowed() -> None:
    config = PaperConfig.model_validate(
        EXAMPLE
        | {
            "fees": {"maker": "-1%", "taker": "1%"},
            "latency": {"market_data": "0 ms", "orders": "10 s"},
            "balances": {"USDT": "0"},
        }
    )

    assert config.latency.orders.ns == 10_000_000_000


@pytest.mark.parametrize("table", [PaperConfig, FeeTable, LatencyTable, InstrumentTable])
def test_every_key_is_described(table: type[BaseModel]) -> None:
    assert all(field.description for field in table.model_fields.values())


def test_what_is_written_out_reads_back_the_same() -> None:
    config = PaperConfig.model_validate(
        EXAMPLE | {"instruments": {"ALT/USDT": {"tick": "0.01", "min_notional": "5"}}}
    )

    assert PaperConfig.model_validate(config.model_dump(mode="json")) == config
