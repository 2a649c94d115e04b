from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from fairlead.cli.live import (
    LiveEvent,
    LiveQuote,
    LiveState,
    LiveStrategy,
    LiveView,
    live_svg,
)
from fairlead.ledger import Estimate, PnlParts
from tests.fairlead.ledger.factories import D

SECOND = 1_000_000_000
STRATEGY = LiveStrategy(
    name="alt",
    market="main:ALT/USDT",
    base="ALT",
    best_bid=D("1.9976"),
    best_ask=D("1.9992"),
    reference=D("1.99838"),
    skew_bps=-0.6,
    gate="",
    bids=(LiveQuote(D("1.9966"), D(125), queue_ahead=D(812)), LiveQuote(D("1.9950"), D(125))),
    asks=(LiveQuote(D("1.9999"), D(125)), LiveQuote(D("2.0007"), D(125), filled=0.4)),
    position=D(2608),
    target=D(2500),
    limit=D(1000),
    parts=PnlParts(D("26.05"), D("-11.40"), D("14.3"), D("-7.55")),
    buys=78,
    sells=73,
    markout={"1s": Estimate(151, 5.3, 4.0, 6.0), "10s": Estimate(150, 4.1, 2.9, 5.3)},
    uptime=0.976,
    base_share=0.52,
    target_share=0.5,
)
STATE = LiveState(
    instance="demo",
    mode="paper",
    currency="USDT",
    elapsed_ns=1122 * SECOND,
    length_ns=1800 * SECOND,
    speed=60.0,
    posture="ACTIVE",
    posture_reason="",
    book_valid=True,
    data_age_ns=40_000_000,
    unknown_orders=0,
    equity=D("10021.40"),
    drawdown=D("0.0008"),
    drawdown_limit=D("0.05"),
    strategies=(STRATEGY,),
    history=(1.0, 2.0, 3.0),
    events=tuple(LiveEvent(n * SECOND, f"event {n}", "red") for n in range(9, 0, -1)),
)


def shown(state: LiveState, width: int = 122) -> list[str]:
    console = Console(width=width, file=StringIO())
    with console.capture() as capture:
        console.print(LiveView(state))
    return capture.get().splitlines()


def test_a_wide_view_has_the_market_between_our_bids_and_asks() -> None:
    lines = shown(STATE)

    assert "demo · PAPER · main:ALT/USDT" in lines[0]
    assert "18:42 of 30:00  ×60" in lines[0]
    assert lines[0].rstrip().endswith("risk ● ACTIVE   book ● 40 ms   orders ● proven")
    assert lines[1].index("BUY 125  1.9966  queue 812 ahead") < lines[1].index("mid 1.9984")
    assert lines[1].index("mid 1.9984") < lines[1].index("SELL 125  1.9999")
    assert "BUY 125  1.9950" in lines[2]
    assert "ref 1.99838 │ skew −0.6 bps (long)" in lines[2]
    assert "◄ 40 % filled" in lines[2]


def test_money_and_quality_are_on_lines_of_their_own() -> None:
    text = "\n".join(shown(STATE))

    assert "position 2,608 ALT (52.0 % · target 50 %)" in text
    assert "equity 10,021.40 USDT   DD 0.08 % of 5 %" in text
    assert "PnL trading +7.10   spread +26.05 │ inventory −11.40 │ fees −7.55" in text
    assert "holding +14.30   ▁▅█" in text
    assert "fills 151   buy 78 · sell 73  markout  1s +5.3  10s +4.1 ±1.2 bps" in text
    assert "both sides quoted 97.6 %" in text


@pytest.mark.parametrize("width", [40, 60, 80, 100, 111, 112, 140, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    for line in shown(replace(STATE, strategies=(STRATEGY, replace(STRATEGY, name="b"))), width):
        assert len(line) <= width


def test_what_does_not_fit_beside_its_neighbour_goes_below() -> None:
    lines = [line.strip() for line in shown(STATE, 80)]

    assert "risk ● ACTIVE   book ● 40 ms   orders ● proven" in lines
    assert "equity 10,021.40 USDT   DD 0.08 % of 5 %" in lines
    assert "both sides quoted 97.6 %" in lines


def test_only_the_keys_that_do_something_are_named() -> None:
    assert shown(STATE)[-1].rstrip() == (
        " p pause · r reduce-only · c cancel all · K panic · e explain line · q stop clean"
    )


@pytest.mark.parametrize("width", [60, 80, 122])
def test_on_a_narrow_terminal_no_key_is_cut_off(width: int) -> None:
    keys = "".join(shown(STATE, width)).partition("p pause")

    assert keys[1]
    assert "q stop clean" in keys[2]


def test_the_last_events_are_shown_newest_first() -> None:
    events = [line.strip() for line in shown(STATE) if "event" in line]

    assert events == ["00:09  event 9", "00:08  event 8", "00:07  event 7", "00:06  event 6"]


def test_what_is_unavailable_is_said_and_not_zero() -> None:
    strategy = replace(STRATEGY, best_bid=None, uptime=None, base_share=None, limit=None)
    state = replace(
        STATE,
        equity=None,
        drawdown=None,
        drawdown_limit=None,
        book_valid=False,
        strategies=(strategy,),
    )

    text = "\n".join(shown(state))

    assert "no valid book" in text
    assert "book ● invalid" in text
    assert "equity n/a USDT   DD n/a" in text
    assert "(target 2,500)" in text
    assert "both sides quoted n/a" in text
    assert "limit" not in text


def test_restraint_and_doubt_are_visible() -> None:
    state = replace(
        STATE,
        posture="REDUCING",
        posture_reason="skew",
        unknown_orders=2,
        speed=None,
        length_ns=None,
        strategies=(replace(STRATEGY, gate="BUY side off 30 s"),),
    )

    text = "\n".join(shown(state, 160))

    assert "● REDUCING skew" in text
    assert "● 2 unproven" in text
    assert "18:42  ×max" in text
    assert "BUY side off 30 s" in text


def test_a_strategy_without_reasons_yet_shows_the_market_alone() -> None:
    strategy = replace(
        STRATEGY,
        reference=None,
        bids=(),
        asks=(),
        markout={"1s": Estimate(0, None, None, None)},
        target_share=None,
        parts=PnlParts(funding=D(1), other=D(-1)),
    )

    text = "\n".join(shown(replace(STATE, speed=1, strategies=(strategy,))))

    assert "ref" not in text
    assert "1s n/a bps" in text
    assert "funding +1.00 │ other −1.00" in text
    assert "×" not in text


def test_several_strategies_are_named_and_the_account_shown_once() -> None:
    second = replace(STRATEGY, name="btc", market="main:BTC/USDT", skew_bps=None)

    text = "\n".join(shown(replace(STATE, strategies=(STRATEGY, second))))

    assert text.count("equity") == 1
    assert " btc main:BTC/USDT" in text


def test_the_picture_loads_no_font_from_elsewhere() -> None:
    svg = live_svg(STATE)

    assert svg.startswith("<svg")
    assert "@font-face" not in svg
    assert "cdnjs" not in svg
    assert svg == live_svg(STATE)
