from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from fairlead.api import ConnectorContext, DataSource, MarketHint
from fairlead.errors import ConfigError
from fairlead.kernel.ids import SeededIds
from fairlead.kernel.virtual import VirtualClock, VirtualLoop
from fairlead.model import ConstantStep, InstrumentKind
from fairlead_paper import PaperMarket, open_market
from tests.fairlead_paper.paper_world import HINT, NoTransport, Tape, config, rules


def opened(hint: MarketHint = HINT, **changes: object) -> PaperMarket:
    loop = VirtualLoop()
    clock = VirtualClock(loop)

    def source(text: str, seed: int) -> DataSource:
        if text == "tape:missing":
            raise ValueError('no such tape; write "tape:test"')
        return Tape([], hint)

    context = ConnectorContext("main", clock, SeededIds(1), NoTransport(), source, Path())
    try:
        return open_market(config(**changes), context)
    finally:
        loop.close()


def mistake(hint: MarketHint = HINT, **changes: object) -> str:
    with pytest.raises(ConfigError) as caught:
        opened(hint, **changes)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_trading_rules_and_fees_make_the_instrument() -> None:
    instrument = opened().exchange.instrument

    assert instrument.grid == ConstantStep(Decimal("0.1"))
    assert instrument.lot == Decimal("0.1")
    assert (instrument.fees.maker, instrument.fees.taker) == (Decimal("0.001"), Decimal("0.002"))


def test_rules_of_the_configuration_come_before_those_of_the_source() -> None:
    written = rules(tick="0.2", lot="0.5", min_quantity="1", min_notional="20", multiplier="1")

    instrument = opened(instruments=written).exchange.instrument

    assert instrument.grid == ConstantStep(Decimal("0.2"))
    assert instrument.lot == Decimal("0.5")
    assert (instrument.min_quantity, instrument.min_notional) == (Decimal(1), Decimal(20))


def test_a_rule_that_is_not_written_is_that_of_the_source() -> None:
    instrument = opened(
        replace(HINT, min_notional=Decimal(7)), instruments=rules(lot="0.5")
    ).exchange.instrument

    assert instrument.grid == ConstantStep(Decimal("0.1"))
    assert instrument.min_notional == 7


@pytest.mark.parametrize(
    ("hint", "what"),
    [
        (replace(HINT, kind=InstrumentKind.PERPETUAL), "a perpetual contract"),
        (replace(HINT, kind=InstrumentKind.PERPETUAL, inverse=True), "an inverse contract"),
    ],
)
def test_a_contract_is_refused_in_one_line(hint: MarketHint, what: str) -> None:
    says = mistake(hint)

    assert says == (
        f'venues.main: source = "tape:test": ALT/USDT is {what}; '
        "paper trades spot markets, choose one"
    )


def test_a_source_that_does_not_exist_is_named() -> None:
    says = mistake(source="tape:missing")

    assert says == 'venues.main: source = "tape:missing": no such tape; write "tape:test"'


def test_rules_for_another_market_are_a_mistake() -> None:
    says = mistake(instruments={"BTC/USDT": {}})

    assert "the source carries ALT/USDT alone" in says


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ({"lot": "0.01"}, "finer than the feed's"),
        ({"multiplier": "10"}, "multiplier 1"),
    ],
)
def test_rules_that_a_spot_market_cannot_have_are_a_mistake(
    written: dict[str, str], expected: str
) -> None:
    says = mistake(instruments=rules(**written))

    assert says.startswith('venues.main: instruments."ALT/USDT"')
    assert expected in says
