"""Strategies come, change and go while the engine runs, by a file that is good as a whole."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from fairlead.cli.config import configured
from fairlead.config import Settings
from fairlead.errors import ExitCode
from fairlead.kernel import Flatten, Pause, Refused, Resume, Strategy
from fairlead.model import MarketId
from fairlead.store import ControlAsked, DecisionMade, OrderRecorded, StrategyChanged
from tests.conftest import ROOT
from tests.fairlead.kernel.control_world import CALM, MARKET, Hand, Script, Steered, steer
from tests.fairlead.ledger.factories import terms

DEMO = (ROOT / "plugins.toml").read_text(encoding="utf-8")
BETA = """
[strategies.beta]
controller = "pmm"
market = "main:ALT/USDT"
spread = "30 bps"
order_size = "20 ALT"
"""
OTHER = """
[venues.other]
connector = "paper"
source = "synthetic:midcap"
balances = { USDT = "1" }
"""


def write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def report_of(found: Steered) -> dict[str, Any]:
    assert found.outcome.report is not None
    report: dict[str, Any] = json.loads(json.dumps(found.outcome.report))
    return report


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The demo's configuration, to be changed."""
    path = tmp_path / "plugins.toml"
    path.write_text(DEMO, encoding="utf-8")
    return path


def steered(script: Script, file: Path, *, seconds: int = 120) -> Steered:
    def reread() -> Settings:
        return configured(file, CALM, env={}).settings

    return steer(script, config=file, reread=reread, seconds=seconds)


def test_an_added_strategy_quotes_and_earns_from_its_tick_on(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        write(file, DEMO + BETA)
        done = await hand.told(Strategy("add", "beta"))
        assert done["waits_for_next_start"] == []
        await hand.at(34)
        assert len(hand.live("beta")) > 0
        assert len(hand.live("alt")) > 0

    found = steered(script, file)

    (changed,) = found.trace.of(StrategyChanged)
    assert (changed.strategy, changed.change, changed.market) == ("beta", "added", MARKET)
    assert json.loads(changed.config)["spread"] == "30 bps"
    assert len(changed.config_hash) == 64
    assert set(report_of(found)["strategies"]) == {"alt", "beta"}
    assert found.outcome.result.proven


def test_a_removed_strategy_leaves_no_order_and_keeps_its_books(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(60.5)
        assert (await hand.told(Strategy("remove", "alt")))["market"] == MARKET
        await hand.at(62)
        assert hand.live() == []
        assert hand.gap == 0
        await hand.at(110)
        assert hand.live() == []
        # Its market is still there, and what it holds can be left.
        assert (await hand.told(Flatten(MARKET, "50 bps")))["filled"] == "0"

    found = steered(script, file)

    last = found.trace.of(OrderRecorded)[-1]
    asked = found.trace.of(ControlAsked)[0]
    assert asked.command == "strategy"
    records = found.trace.records
    assert records.index(last) < records.index(asked)
    assert "alt" in report_of(found)["strategies"]


def test_a_strategy_comes_back_to_its_own_books(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(60.5)
        ledger = hand.session.engine.desk.ledger
        book = ledger.strategies["alt"].book
        await hand.told(Strategy("remove", "alt"))
        await hand.at(70.5)
        await hand.told(Strategy("add", "alt"))
        await hand.at(75)
        assert ledger.strategies["alt"].book is book
        assert len(hand.live()) > 0

    steered(script, file)


def test_a_reloaded_strategy_goes_on_with_its_new_settings(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        assert len(hand.live()) == 6
        write(file, DEMO.replace("count = 3", "count = 1"))
        await hand.told(Strategy("reload", "alt"))
        await hand.at(45)
        assert len(hand.live()) == 2

    found = steered(script, file)

    assert [one.change for one in found.trace.of(StrategyChanged)] == ["reloaded"]
    assert {one.strategy for one in found.trace.of(DecisionMade)} == {"alt"}


def test_what_else_changed_is_named_and_waits(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        text = DEMO.replace('"500 USDT"', '"400 USDT"').replace("seed = 7", "seed = 8")
        write(file, text.replace('spread = "8 bps"', 'spread = "9 bps"'))
        done = await hand.told(Strategy("reload", "alt"))
        assert done["waits_for_next_start"] == ["risk.max_order", "venues.main"]

    steered(script, file, seconds=60)


@pytest.mark.parametrize(
    ("command", "text", "reason"),
    [
        (Strategy("add", "alt"), DEMO, "strategy 'alt': runs already; running are: alt"),
        (Strategy("remove", "nix"), DEMO, "strategy 'nix': does not run; running are: alt"),
        (Strategy("reload", "nix"), DEMO, "strategy 'nix': does not run; running are: alt"),
        (Strategy("add", "nix"), DEMO, "strategy 'nix': is not in the configuration"),
        (Strategy("add", "beta"), DEMO + BETA.replace("30 bps", "30"), "strategies.beta.spread"),
        (
            Strategy("add", "beta"),
            DEMO.replace('tick = "1 s"', 'tick = "soon"') + BETA,
            "engine.tick",
        ),
        (
            Strategy("add", "beta"),
            DEMO + BETA.replace("main:", "other:") + OTHER,
            "its venue 'other' does not run; running are: main",
        ),
    ],
)
def test_one_finding_anywhere_and_nothing_happens(
    file: Path, command: Strategy, text: str, reason: str
) -> None:
    refused: list[Refused] = []

    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        write(file, text)
        refused.append(await hand.refused(command))

    found = steered(script, file, seconds=40)

    assert reason in refused[0].reason
    assert refused[0].code is ExitCode.USAGE
    assert found.trace.of(StrategyChanged) == []
    assert len(found.trace.of(ControlAsked)) == 1


def test_a_run_without_a_file_cannot_read_it_again() -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        assert "has no configuration file" in (await hand.refused(Strategy("reload", "alt"))).reason

    steer(script, seconds=40)


def test_a_pause_outlasts_a_reload(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        await hand.told(Pause("alt"))
        await hand.told(Strategy("reload", "alt"))
        await hand.at(36)
        assert hand.live() == []
        await hand.told(Resume("alt"))
        await hand.at(40)
        assert len(hand.live()) > 0

    steered(script, file, seconds=60)


def test_a_name_belongs_to_one_market_for_the_whole_run(file: Path) -> None:
    async def script(hand: Hand) -> None:
        await hand.at(30.5)
        ledger = hand.session.engine.desk.ledger
        ledger.enlist(terms("beta", MarketId("main", "BTC/USDT")))
        write(file, DEMO + BETA)
        refused = await hand.refused(Strategy("add", "beta"))
        assert "trades main:BTC/USDT in this run" in refused.reason

    steered(script, file, seconds=40)


@pytest.mark.unmeasured
def test_the_money_adds_up_with_strategies_that_come_and_go(file: Path) -> None:
    async def script(hand: Hand) -> None:
        write(file, DEMO + BETA)
        for second, change in ((60.5, "add"), (200.5, "remove"), (300.5, "add")):
            await hand.at(second)
            await hand.told(Strategy(change, "beta"))

    report = report_of(steered(script, file, seconds=600))

    for parts in (one["pnl"] for one in report["strategies"].values()):
        rest = sum((Decimal(part) for name, part in parts.items() if name != "total"), Decimal())
        assert Decimal(parts["total"]) == rest
    venue = report["venues"]["main"]
    assert Decimal(venue["fees"]["USDT"]) > 0
    for asset, balance in venue["balances"].items():
        moved = Decimal(venue["fills_net"][asset]) - Decimal(venue["fees"].get(asset, "0"))
        assert Decimal(balance["end"]) - Decimal(balance["start"]) == moved
