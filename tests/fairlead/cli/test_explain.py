import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from fairlead.api import Gate
from fairlead.cli.explain import explain
from fairlead.errors import UsageError
from fairlead.store import DecisionMade, RunStarted
from tests.fairlead.cli.made import BUY, LAST, SELL, MadeRun, make_run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "runs" / "demo-1"
    make_run(folder)
    return folder


def shown(*arguments: str) -> str:
    return CliRunner().invoke(explain, arguments, catch_exceptions=False).output


def told(*arguments: str) -> Any:  # noqa: ANN401 - JSON of any shape
    return json.loads(shown(*arguments, "--json"))


@pytest.mark.usefixtures("run")
def test_an_order_is_explained_by_its_chain_before_and_after_each_stage() -> None:
    text = shown(BUY.short)

    assert "BUY 125 @ 1.9984" in text
    assert "reference" in text
    assert "2 → 1.9984" in text
    assert "−8.00 bps" in text
    assert "125.5 → 125" in text
    assert text.index(" price") < text.index(" quantity") < text.index(" life")


@pytest.mark.usefixtures("run")
def test_an_orders_life_is_told_with_its_fills_and_their_markouts() -> None:
    text = shown(str(BUY))

    assert "accepted: OPEN → OPEN" in text
    assert "filled 125 @ 1.9984 maker  spread +8.0 bps (+8.0 at quote, 0.0 stale)" in text
    assert "10s −20.5" in text
    assert "full_fill: OPEN → FILLED" in text


@pytest.mark.usefixtures("run")
def test_the_end_of_a_name_is_enough() -> None:
    assert told(SELL.short[-1:])["order"]["order"] == SELL.short


@pytest.mark.usefixtures("run")
def test_an_end_that_two_orders_share_is_refused() -> None:
    with pytest.raises(UsageError, match="more than one"):
        shown("")


@pytest.mark.usefixtures("run")
def test_latest_is_the_last_order_and_what_stood_in_the_way_after_it() -> None:
    text = shown()

    assert LAST.short in text
    assert "cancel asked: moved away" in text
    assert "no valid book: gap" in text
    assert "denied at 05:03 by max_order (risk)" in text
    assert "995, limit 500" in text


@pytest.mark.usefixtures("run")
def test_worst_is_the_order_of_the_fill_with_the_worst_markout_after_10_s() -> None:
    story = told("worst")

    assert story["order"]["order"] == BUY.short
    assert story["markouts_bps"] == {f"t{BUY.short}": {"1s": -1.0, "10s": -20.5, "60s": 4.0}}
    assert [event["kind"] for event in story["life"]] == ["transition", "transition"]


@pytest.mark.usefixtures("run")
def test_an_order_that_is_not_there_is_a_mistake_of_one_line() -> None:
    with pytest.raises(UsageError, match="not in run demo-1") as caught:
        shown("zzzzzzzz")

    assert caught.value.exit_code == 2


def test_without_a_run_the_way_to_make_one_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(UsageError, match="fairlead run"):
        shown()


def test_a_run_without_orders_and_gates_has_nothing_to_explain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = MadeRun(tmp_path / "runs" / "empty-1")
    made.put(0, RunStarted("demo", "paper", 7, "ab", "USDT"))
    made.end()

    for word in ("latest", "worst"):
        with pytest.raises(UsageError):
            shown(word)


def test_a_gate_is_explained_when_no_order_was_ever_placed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made = MadeRun(tmp_path / "runs" / "gated-1")
    made.put(0, RunStarted("demo", "paper", 7, "ab", "USDT"))
    made.put(5, DecisionMade("alt", "main:ALT/USDT", 0, (Gate("warm-up", "5 s of 60 s"),), None))
    made.end()

    text = shown()

    assert "stopped by, since 00:05" in text
    assert "warm-up: 5 s of 60 s" in text
