"""The paper venue on the recorded spot stream, with an account that quotes every second."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fairlead.api import MarketHint, SourceContext
from fairlead.kernel.ids import SeededIds
from fairlead.market import recorded_source
from fairlead.model import (
    Accepted,
    BestQuote,
    CancelRequest,
    Fill,
    Instrument,
    MarketEvent,
    MarketId,
    OrderIntent,
    Side,
    Slot,
    Unavailable,
)
from tests.fairlead_paper.paper_world import World, config

FILES = "spot_btcusdt_20240808.jsonl.gz,spot_btcusdt_20240809.jsonl.gz"
MARKET = MarketId("main", "BTC/USDT")


class Recorded:
    """The recorded stream, counting what it gave."""

    def __init__(self, folder: Path) -> None:
        context = SourceContext("main", SeededIds(1).random, folder, {})
        self._source = recorded_source(FILES, context)
        self.given: Counter[str] = Counter()
        self.name = "recorded"
        self.duration_ns: int | None = None
        self.starts_ns = next(iter(self._source.events())).local_ns

    def market(self) -> MarketHint:
        return self._source.market()

    def events(self) -> Iterator[MarketEvent]:
        for event in self._source.events():
            self.given[type(event).__name__] += 1
            yield event


def ladder(
    instrument: Instrument, quote: BestQuote, price_step: Decimal, run: int
) -> list[OrderIntent]:
    intents = []
    mid = (quote.bid + quote.ask) // 2 * price_step
    for side in Side:
        for level in range(3):
            price = instrument.round_price(mid - side.sign * mid * (level + 1) / 10_000, side)
            intents.append(
                OrderIntent(
                    client_id=f"{run}-{side}-{level}",
                    instrument=instrument,
                    side=side,
                    price=price,
                    quantity=Decimal("0.02"),
                    slot=Slot("s", MARKET, side, level),
                )
            )
    return intents


@pytest.mark.unmeasured
def test_a_quoting_account_on_the_recorded_stream_keeps_every_coin(data_dir: Path) -> None:
    source = Recorded(data_dir / "binance_l2")
    start = {"BTC": Decimal(1), "USDT": Decimal(60_000)}
    settings = config(balances={asset: str(amount) for asset, amount in start.items()})
    world = World(source, settings, source.starts_ns, symbol="BTC/USDT")
    step = source.market().scale.price(1)

    async def script() -> None:
        last = 0
        for run in range(640):
            await world.clock.sleep_ns(1_000_000_000)
            quotes = (e for _, e in reversed(world.heard[last:]) if isinstance(e, BestQuote))
            quote = next(quotes, None)
            last = len(world.heard)
            orders = await world.connector.open_orders()
            assert not isinstance(orders, Unavailable)
            requests = [CancelRequest(o.client_id, MARKET, o.venue_id, "test") for o in orders]
            if requests:
                await world.connector.cancel(requests)
            if quote is not None:
                intents = ladder(world.instrument, quote, step, run)
                outcomes = await world.connector.submit(intents)
                assert any(isinstance(outcome, Accepted) for outcome in outcomes)

    async def all_balances() -> object:
        await world.clock.sleep_ns(660_000_000_000)
        return await world.connector.balances()

    _, balances = world.play(script(), all_balances())

    heard = Counter(type(event).__name__ for _, event in world.heard)
    assert {kind: heard[kind] for kind in source.given} == source.given
    assert sum(source.given.values()) == 99_574
    fills = [event for _, event in world.heard if isinstance(event, Fill)]
    assert {fill.side for fill in fills} == set(Side)
    expected = dict(start)
    for fill in fills:
        expected["BTC"] += fill.side.sign * fill.quantity
        expected["USDT"] -= fill.side.sign * fill.quantity * fill.price
        expected[fill.fee_asset] -= fill.fee
    assert isinstance(balances, tuple)
    assert {balance.asset: balance.total for balance in balances} == expected
