"""``fairlead execute`` works one plan on paper, and ``fairlead executions`` tells of it later."""

import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from fairlead.api import ExecutionMode, ExecutionResult, LegResult
from fairlead.api.plans import PositionPlan, TwapPlan
from fairlead.cli.execute_option import plan_from
from fairlead.cli.execution_text import figures_of, figures_table, result_text
from fairlead.cli.main import main
from fairlead.errors import ExitCode, UsageError
from fairlead.model import Side
from fairlead.store import StoredExecution
from tests.conftest import ROOT

Captured = pytest.CaptureFixture[str]
SECOND = 1_000_000_000
QUICK = ("--set", "risk.warm_up=1 s", "--market", "main:ALT/USDT")
TAKE = ("tiered", *QUICK, "--side", "BUY", "--mode", "market_only")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the shipped configuration."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.toml").write_bytes((ROOT / "plugins.toml").read_bytes())
    return tmp_path


def answer(arguments: Sequence[str], capsys: Captured) -> Any:  # noqa: ANN401 - what JSON holds
    main(arguments)
    return json.loads(capsys.readouterr().out)


def test_one_plan_is_worked_to_its_end_and_told(capsys: Captured) -> None:
    code = main(["execute", *TAKE, "--quantity", "100"])

    done = capsys.readouterr()
    assert code == ExitCode.CLEAN
    assert done.out.startswith("tiered  complete (done) in 00:0")
    assert "BUY  main:ALT/USDT  100 of 100 at 2.0" in done.out
    assert done.err == ""


def test_what_was_worked_is_found_again_without_an_engine(capsys: Captured) -> None:
    worked = answer(["execute", *TAKE, "--quantity", "100", "--json"], capsys)["execution"]
    main(["execute", *TAKE, "--quantity", "50"])
    capsys.readouterr()

    found = answer(["executions", "--json"], capsys)

    assert found["figures"]["count"] == 2
    assert found["figures"]["success_rate"] == 1.0
    assert found["without_an_end"] == []
    first = found["executions"][0]
    assert first["execution"] == worked["execution"]
    assert first["result"] == worked["result"]
    assert answer(["executions", "--strategy", "alt", "--json"], capsys)["figures"]["count"] == 0
    assert answer(["executions", "--window", "24h", "--json"], capsys)["figures"]["count"] == 2
    assert main(["executions"]) == ExitCode.CLEAN
    table = capsys.readouterr().out
    assert table.splitlines()[1].split()[:3] == ["all", "2", "100"]
    assert table.count("main:ALT/USDT") == 2


def test_without_any_it_says_so(capsys: Captured) -> None:
    main(["run", "--for", "1 s", "--speed", "max", "--json"])
    capsys.readouterr()

    assert main(["executions"]) == ExitCode.CLEAN
    assert capsys.readouterr().out == "no execution has ended\n"


def test_a_plan_that_is_denied_ends_with_the_reason(capsys: Captured) -> None:
    code = main(["execute", *TAKE, "--quantity", "9000000"])

    assert code == ExitCode.CHECK_FAILED
    assert capsys.readouterr().err.startswith("nothing was done: denied: ")


def test_a_market_that_is_not_there_is_named(capsys: Captured) -> None:
    wrong = [word.replace("main:ALT", "main:XYZ") for word in TAKE]

    code = main(["execute", *wrong, "--quantity", "10"])

    assert code == ExitCode.USAGE
    assert capsys.readouterr().err.startswith("--market 'main:XYZ/USDT': the venue has no such")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--quantity", "-1"], "--quantity"),
        (["--quantity", "10", "--timeout", "5"], "--timeout"),
        (["--quantity", "10", "--bound", "x"], "--bound"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], said: str, capsys: Captured) -> None:
    code = main(["execute", *TAKE, *arguments])

    assert code == ExitCode.USAGE
    assert capsys.readouterr().err.startswith(said)


def test_options_that_do_not_fit_together_are_named() -> None:
    values = dict.fromkeys((*TwapPlan.model_fields, "x"), None) | {
        "market": "main:ALT/USDT",
        "side": "BUY",
        "quantity": "10",
        "duration": "1 min",
        "interval": "1 ms",
    }

    with pytest.raises(UsageError) as caught:
        plan_from(TwapPlan, values)

    assert 'interval is "1 s" or more' in str(caught.value)


def test_a_table_of_a_plan_is_written_as_joined_options() -> None:
    names = [name for name in PositionPlan.model_fields if name != "trailing_stop"]
    values: dict[str, Any] = dict.fromkeys(names) | {
        "market": "main:ALT/USDT",
        "side": "BUY",
        "quantity": "10",
        "trailing_stop_activation": "1%",
        "trailing_stop_delta": "0.4%",
    }

    plan = plan_from(PositionPlan, values)

    assert isinstance(plan, PositionPlan)
    assert plan.trailing_stop is not None
    assert plan.trailing_stop.delta.bps == 40


def executed(
    seconds: int,
    bps: str | None,
    **changes: Any,  # noqa: ANN401 - for the result
) -> StoredExecution:
    leg = LegResult(
        market="main:ALT/USDT",
        side=Side.BUY,
        requested=Decimal(4),
        filled=Decimal(4),
        decision_mid=Decimal(2),
        expected=None,
        average=Decimal("2.001"),
        slippage_quote=Decimal("0.004"),
        slippage_bps=None if bps is None else Decimal(bps),
        maker=Decimal(0),
        fees={"USDT": Decimal("0.01")},
    )
    result = ExecutionResult(
        complete=changes.pop("complete", True),
        end=changes.pop("end", "done"),
        mode=ExecutionMode.TAKER,
        legs=(leg,),
        residual=changes.pop("residual", {}),
        started_ns=0,
        ended_ns=seconds * SECOND,
        notes={"policy": "complete"},
    )
    one = StoredExecution("x", "one", "alt", "tiered", leg.market, 1, leg.slippage_bps, result)
    return replace(one, **changes)


def test_figures_add_up_and_percentiles_are_nearest_ranks() -> None:
    many = [executed(n, str(n)) for n in range(1, 21)]
    many += [executed(100, None, complete=False, end="stopped", residual={"m": Decimal(1)})]

    found = figures_of(many).as_json()

    assert (found["count"], found["complete"], found["with_residual"]) == (21, 20, 1)
    assert found["by_end"] == {"done": 20, "stopped": 1}
    assert found["slippage_bps"] == {"mean": 10.5, "p50": 10.0, "p95": 19.0}
    assert found["duration_s"]["p95"] == 20.0
    assert found["fees"] == {"USDT": "0.21"}


def test_nothing_is_shown_as_not_available() -> None:
    console = Console(width=200)
    with console.capture() as got:
        console.print(figures_table({"none": figures_of([])}))

    assert got.get().splitlines()[1].split() == ["none", "0", *["n/a"] * 7, "none"]


def test_a_result_tells_what_is_left_open() -> None:
    one = executed(5, "5", complete=False, end="stopped", residual={"main:ALT/USDT": Decimal(-1)})

    lines = result_text("one", one.result, one.slippage_bps).plain.splitlines()

    assert lines == [
        "one  not complete (stopped) in 00:05.0, taker, slippage +5.00 bps",
        "  BUY  main:ALT/USDT  4 of 4 at 2.001, mid 2.000000, slippage +5.00 bps, fees 0.0100 USDT",
        "  left open on main:ALT/USDT: −1",
        "  policy: complete",
    ]
