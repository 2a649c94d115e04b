import copy
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli.summary import next_commands, summary_text
from tests.fairlead.cli.made import make_run
from tests.fairlead.ledger.factories import D

Report = dict[str, Any]
MONEY = re.compile(r"^   (.+?)  +([+−]?[\d,]+\.\d{2,})(?: +([+−]?[\d,]+\.\d) bps)?")
PARTS = ("spread", "inventory", "holding", "fees", "funding", "other")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return make_run(tmp_path_factory.mktemp("runs") / "demo-1")


def lines(report: Report, **more: Any) -> list[str]:  # noqa: ANN401 - passed on
    return summary_text(report, **more).plain.splitlines()


def column(report: Report, place: int) -> dict[str, Any]:
    found = (MONEY.match(line) for line in lines(report))
    return {
        match[1]: D(match[place].replace("−", "-").replace(",", ""))
        for match in found
        if match is not None and match[place] is not None
    }


def test_the_headline_says_how_long_how_much_and_how_it_ended(report: Report) -> None:
    first = lines(report, elapsed_s=29.6)[0]

    assert first == (
        " 06:40 simulated in 30 s · 2 fills · 500 USDT volume · maker 100 % · "
        "stopped clean, 0 orders left (proven twice)"
    )


def test_every_line_stands_beside_its_figures(report: Report) -> None:
    text = "\n".join(lines(report))

    assert "spread captured" in text
    assert "(quoted +8.0, stale 0.0)" in text
    assert "equity  10,000.00 → " in text
    assert "both sides quoted 100.0 %  at top 50 %" in text
    assert "markout  1s n/a  10s n/a  60s n/a bps (n 0/0/0)" in text
    assert "orders 3 · cancels per fill 0.5 · denied 1" in text
    assert "Too short to judge: " in text
    assert "tick size from the data" in text


def test_on_a_narrow_terminal_quality_stands_below_the_money(report: Report) -> None:
    text = lines(report, width=100)

    total = next(n for n, line in enumerate(text) if "= total" in line)
    assert text[total + 1].startswith("   equity  10,000.00 → ")
    assert max(len(line) for line in text[1:]) < 100


amounts = st.lists(st.decimals("-5000", "5000", places=6), min_size=len(PARTS), max_size=len(PARTS))


@given(amounts, st.decimals("-300", "300", places=5), st.decimals("100", "99999", places=4))
def test_the_lines_add_up_as_they_are_shown(parts: list[Any], transfers: Any, start: Any) -> None:  # noqa: ANN401 - decimals
    report = copy.deepcopy(_REPORT)
    pnl = dict(zip(PARTS, parts, strict=True))
    pnl["total"] = sum(parts)
    report["summary"]["pnl"] = {name: str(part) for name, part in pnl.items()}
    end = start + transfers + pnl["total"]
    equity = {"start": str(start), "end": str(end), "transfers": str(transfers)}
    report["summary"]["equity"] = equity

    money, bps = column(report, 2), column(report, 3)

    trading, total = money.pop("= trading PnL"), money.pop("= total")
    holding = money.pop("holding the target")
    assert sum(money.values()) == trading
    assert trading + holding == total
    whole = bps.pop("= trading PnL")
    assert sum(bps.values()) == whole
    shown = re.search(r"equity  (\S+) → (\S+)(?: \(transfers (\S+)\))?", "\n".join(lines(report)))
    assert shown is not None
    before, after, moved = (
        D((group or "0").replace("−", "-").replace(",", "")) for group in shown.groups()
    )
    assert after - before - moved == total


_REPORT: Report = {}


@pytest.fixture(scope="module", autouse=True)
def _shared(report: Report) -> None:
    _REPORT.update(report)


def test_funding_and_other_assets_are_shown_when_there_is_something(report: Report) -> None:
    changed = copy.deepcopy(report)
    assert "funding" not in column(changed, 2)
    changed["summary"]["pnl"] |= {"funding": "1.5", "other": "-1.5"}

    money = column(changed, 2)

    assert money["funding"] == D("1.50")
    assert money["other assets"] == D("-1.50")


def test_an_end_without_proof_is_loud(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["summary"] |= {"proven": False, "reason": "halted", "orders_left": 2}

    text = summary_text(changed)

    assert "halted, own orders NOT proven gone" in text.plain
    assert any("red" in str(span.style) for span in text.spans)


def test_a_plan_without_an_end_is_named_and_loud_when_something_is_uncovered(
    report: Report,
) -> None:
    changed = copy.deepcopy(report)
    held = {
        "text": "alt execution one (xemm): holds +2 on a:B/C; +2 B uncovered",
        "open": {"B": "2"},
    }
    flat = {"text": "alt execution two (twap): holds nothing", "open": {}}
    changed["summary"]["plans_left"] = [held, flat]

    text = summary_text(changed)

    assert f"unfinished: {held['text']}" in text.plain
    assert f"unfinished: {flat['text']}" in text.plain
    loud = [text.plain[span.start : span.end] for span in text.spans if "red" in str(span.style)]
    assert [one for one in loud if "unfinished" in one] == [f" unfinished: {held['text']}"]


def test_a_report_of_before_may_say_nothing_of_plans(report: Report) -> None:
    changed = copy.deepcopy(report)
    del changed["summary"]["plans_left"]

    assert "unfinished" not in summary_text(changed).plain


def test_a_failure_is_no_clean_stop_although_no_order_is_left(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["summary"]["reason"] = "a part of the engine failed"

    first = lines(changed)[0]

    assert first.endswith("a part of the engine failed, 0 orders left (proven twice)")
    assert "clean" not in first


def test_a_run_without_fills_shows_nothing_as_if_it_were_zero(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["strategies"]["alt"] |= {"fills": 0, "maker_share": None, "uptime": None}
    changed["summary"]["strategies"]["alt"] |= {"turnover": "0", "quoted_edge": "0"}
    changed["summary"]["equity"] |= {"start": None, "end": None}

    text = "\n".join(lines(changed))

    assert "maker n/a" in text
    assert "both sides quoted n/a" in text
    assert "equity  n/a → n/a" in text
    assert "cancels per fill n/a" in text
    assert " bps" not in text.replace("n/a bps", "")


def test_incidents_are_named(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["incidents"] = 3
    changed["summary"]["incidents"] = {"late_fill": 3}

    assert any("incidents 3: late_fill 3" in line for line in lines(changed))


def test_several_strategies_get_a_line_each(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["strategies"]["second"] = copy.deepcopy(changed["strategies"]["alt"])
    changed["summary"]["strategies"]["second"] = changed["summary"]["strategies"]["alt"]

    text = lines(changed)

    assert sum("main:ALT/USDT  2 fills" in line for line in text) == 2


def test_a_long_run_is_judged_by_its_interval(report: Report) -> None:
    changed = copy.deepcopy(report)
    changed["summary"]["trading"] |= {"too_short": False, "low": -1.0, "high": 3.0}
    assert any("not to be told from luck" in line for line in lines(changed))

    changed["summary"]["trading"]["low"] = 0.5

    assert not any("luck" in line or "judge" in line for line in lines(changed))


def test_three_lines_to_type_next_fit_what_happened(report: Report) -> None:
    assert next_commands(report, "plugins.toml", "runs/demo-1") == (
        "fairlead explain worst",
        "fairlead run plugins.toml --set venues.main.seed=8",
        "open runs/demo-1/report.html",
    )
    changed = copy.deepcopy(report)
    changed["strategies"]["alt"]["fills"] = 0
    changed["seed"] = None

    assert next_commands(changed, "a.toml", "runs/x") == (
        "fairlead explain latest",
        "fairlead run a.toml",
        "fairlead logs --kind denied",
    )
    assert lines(report, commands=("one", "two"))[-2:] == [" next:  one", "        two"]


def test_a_run_with_money_is_called_live(tmp_path: Path) -> None:
    changed = make_run(tmp_path / "demo-9")
    changed["mode"] = "live"

    assert " 06:40 live · " in lines(changed, elapsed_s=400.0)[0]
    assert "simulated in 2.5 s" in lines(changed | {"mode": "paper"}, elapsed_s=2.5)[0]
