import json
from decimal import Decimal
from typing import Any

import pytest

from fairlead.ledger import (
    AccountLedger,
    IdentityBrokenError,
    OrderCounts,
    PlanFact,
    RunFacts,
    build_report,
)
from fairlead.model import Liquidity, Side
from tests.fairlead.ledger.factories import ALT, D, account, fill

SECOND = 1_000_000_000
FACTS = RunFacts("demo-1", "demo", "paper", 7, "abc", 0, 120 * SECOND, 900, 120, 0, "done", True)
STRATEGY_KEYS = {
    "market",
    "orders",
    "fills",
    "volume_base",
    "volume_quote",
    "maker_share",
    "uptime",
    "pnl",
    "drawdown_max",
    "markout_bps",
}


def traded() -> AccountLedger:
    ledger = account(ALT="1000", USDT="5000")
    ledger.on_mark(ALT, D(2), 0)
    ledger.sample(0)
    ledger.on_target("alt", D(1000))
    maker = fill(Side.BUY, "100", "1.99", fee="0.02", fee_asset="ALT", trade="a")
    taker = fill(Side.SELL, "50", "2.01", fee="-0.1", liquidity=Liquidity.TAKER, trade="b")
    for trade in (maker, taker):
        ledger.on_fill("alt", trade, D(2))
        ledger.strategies["alt"].markout.on_fill("alt", 0, trade, D(200), D(2))
    ledger.strategies["alt"].markout.on_mid(2 * SECOND, D("2.02"))
    ledger.on_mark(ALT, D("2.1"), 61 * SECOND)
    ledger.sample(61 * SECOND)
    ledger.on_mark(ALT, D("1.9"), 120 * SECOND)
    ledger.sample(120 * SECOND)
    ledger.strategies["alt"].markout.finish()
    return ledger


def built(
    ledger: AccountLedger, ends: dict[str, dict[str, Decimal]] | None = None
) -> dict[str, Any]:
    report = build_report(FACTS, ledger, {"alt": OrderCounts(created=4, cancelled=2)}, ends)
    found: dict[str, Any] = json.loads(json.dumps(report))
    return found


def test_the_report_has_the_keys_of_its_contract() -> None:
    report = built(traded())

    assert report["schema"] == 1
    assert set(report) == {
        "schema", "run", "instance", "mode", "seed", "config_hash", "started_ns", "ended_ns",
        "currency", "messages", "ticks", "overruns", "strategies", "venues", "incidents",
        "summary",
    }  # fmt: skip
    assert set(report["strategies"]["alt"]) == STRATEGY_KEYS
    assert set(report["strategies"]["alt"]["orders"]) == {
        "created",
        "cancelled",
        "rejected",
        "denied",
    }
    assert set(report["strategies"]["alt"]["markout_bps"]) == {"1s", "10s", "60s"}
    assert set(report["venues"]["main"]) == {"balances", "fills_net", "fees", "transfers"}


def test_the_parts_add_up_to_the_total_and_the_total_to_the_change_of_equity() -> None:
    report = built(traded())

    pnl = {name: Decimal(part) for name, part in report["strategies"]["alt"]["pnl"].items()}
    equity = report["summary"]["equity"]
    assert pnl.pop("total") == sum(pnl.values())
    assert sum(pnl.values()) == Decimal(equity["end"]) - Decimal(equity["start"])
    assert equity["start"] == "7000"
    assert equity["end"] == "6896.562"


def test_each_assets_balances_follow_from_fills_fees_and_transfers() -> None:
    ledger = traded()
    ledger.on_transfer("main", "USDT", D(-250))

    venue = built(ledger)["venues"]["main"]

    for asset in ("ALT", "USDT"):
        start, end = (Decimal(venue["balances"][asset][key]) for key in ("start", "end"))
        moved = (Decimal(venue[key][asset]) for key in ("fills_net", "fees", "transfers"))
        net, fees, transfers = moved
        assert end - start == net - fees + transfers
    assert venue["fees"] == {"ALT": "0.02", "USDT": "-0.1"}
    assert venue["transfers"] == {"ALT": "0", "USDT": "-250"}


def test_a_balance_of_the_venue_that_the_books_do_not_explain_is_our_bug() -> None:
    told = {"main": {"ALT": D("1049.98"), "USDT": D("4901.59")}}

    with pytest.raises(IdentityBrokenError, match=r"main USDT.*off by -0\.01") as caught:
        built(traded(), ends=told)

    assert caught.value.difference == D("-0.01")
    told["main"]["USDT"] = D("4901.60")
    assert built(traded(), ends=told)["venues"]["main"]["balances"]["USDT"]["end"]


def test_statistics_are_numbers_and_money_is_text() -> None:
    report = built(traded())

    strategy = report["strategies"]["alt"]
    assert strategy["volume_quote"] == "299.5"
    assert strategy["volume_base"] == "150"
    assert strategy["fills"] == 2
    assert strategy["maker_share"] == pytest.approx(199 / 299.5)
    assert strategy["markout_bps"]["1s"] == pytest.approx((10000 / 199 + 10000 / 201) / 2, rel=0.01)
    assert strategy["markout_bps"]["10s"] is None
    details = report["summary"]["strategies"]["alt"]
    assert (details["buys"], details["sells"]) == (1, 1)
    assert details["max_position"] == "2000"
    assert details["quoted_edge"] == "1.5"
    assert details["staleness"] == "0"
    assert details["realised"] == "0.545454545455"


def test_drawdown_is_measured_from_the_peak() -> None:
    report = built(traded())

    peak, end = Decimal("7106.558"), Decimal("6896.562")
    assert report["summary"]["drawdown_max"] == pytest.approx(float((peak - end) / peak), rel=1e-4)
    assert report["strategies"]["alt"]["drawdown_max"] == report["summary"]["drawdown_max"]


def test_the_interval_of_trading_says_when_the_run_is_too_short() -> None:
    trading = built(traded())["summary"]["trading"]

    assert trading["minutes"] == 2
    assert trading["too_short"] is True
    assert trading["low"] < float(trading["pnl"]) < trading["high"]
    assert trading["worst_minute"] is not None


def test_what_was_never_available_is_null_and_not_zero() -> None:
    report = built(account(ALT="1", USDT="5"))

    assert report["summary"]["equity"]["start"] is None
    assert report["strategies"]["alt"]["uptime"] is None
    assert report["strategies"]["alt"]["maker_share"] is None
    assert report["summary"]["strategies"]["alt"]["unrealised"] is None


def test_plans_without_an_end_are_told_with_what_they_hold() -> None:
    left = PlanFact("one", "alt", "xemm", {"a:B/C": Decimal("2.50")}, {"B": Decimal(2)}, "a line")

    facts = RunFacts("r", "i", "paper", None, "", 0, 0, 0, 0, 0, plans_left=(left,))
    found = build_report(facts, account(USDT="1"), {})

    assert found["summary"]["plans_left"] == [
        {
            "name": "one",
            "strategy": "alt",
            "executor": "xemm",
            "held": {"a:B/C": "2.5"},
            "open": {"B": "2"},
            "text": "a line",
        }
    ]


def test_incidents_are_counted() -> None:
    facts = RunFacts("r", "i", "paper", None, "", 0, 0, 0, 0, 0, incidents={"late_fill": 2, "x": 1})

    report = build_report(facts, account(USDT="1"), {})

    assert report["incidents"] == 3
