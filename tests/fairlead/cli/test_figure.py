from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.cli import figure
from tests.fairlead.ledger.factories import D

SECOND = 1_000_000_000


def test_money_has_thousands_and_a_true_minus() -> None:
    assert figure.amount(D("10021.4")) == "10,021.40"
    assert figure.amount(D("-18.3")) == "−18.30"
    assert figure.amount(None) == "n/a"


@pytest.mark.parametrize("nothing", [D(0), D("-0.001"), 0.0, -0.001])
def test_nothing_has_no_sign(nothing: Decimal | float) -> None:
    assert figure.signed(nothing) == "0.00"


def test_a_gain_has_a_plus_and_a_loss_a_minus() -> None:
    assert figure.signed(D("26.05")) == "+26.05"
    assert figure.signed(-1.26, 1) == "−1.3"
    assert figure.signed(None) == "n/a"


def test_all_digits_of_a_quantity_are_shown() -> None:
    assert figure.trimmed_amount(D("2608.50")) == "2,608.5"
    assert figure.trimmed_amount(D("-0.5")) == "−0.5"
    assert figure.trimmed_amount(None) == "n/a"


def test_shares_are_percent() -> None:
    assert figure.percent(0.976) == "97.6 %"
    assert figure.percent(None) == "n/a"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "00:00"), (1122, "18:42"), (7510, "2:05:10"), (273600, "3 d 04:00:00")],
)
def test_spans_are_read_like_a_clock(seconds: int, text: str) -> None:
    assert figure.clock(seconds * SECOND) == text


def test_a_span_may_show_parts_of_a_second() -> None:
    assert figure.clock(1_040_000_000, places=3) == "00:01.040"


def test_tones_follow_the_sign() -> None:
    assert [figure.tone(value) for value in (D(1), D(-1), D(0), None)] == ["green", "red", "", ""]


def test_a_sparkline_reaches_from_the_lowest_to_the_highest() -> None:
    assert figure.sparkline([0.0, 7.0], 8) == "▁█"
    assert figure.sparkline([1.0, 1.0], 8) == "▄▄"
    assert figure.sparkline([], 8) == ""
    assert len(figure.sparkline([float(n) for n in range(100)], 8)) == 8


@pytest.mark.parametrize(
    ("share", "drawn"), [(-9.0, "▕█░░░░▏"), (0.0, "▕░░█░░▏"), (1.0, "▕░░░░█▏")]
)
def test_a_bar_holds_its_mark_between_its_ends(share: float, drawn: str) -> None:
    assert figure.bar(share, 5) == drawn


@pytest.mark.parametrize(
    ("equity", "places"), [("10000", 2), ("1.5", 5), ("0.05", 7), ("0.00000001", 8), ("0", 2)]
)
def test_money_of_few_units_is_shown_finer(equity: str, places: int) -> None:
    assert figure.places_for(D(equity)) == places


@given(st.lists(st.decimals("-9999", "9999", places=7), min_size=1, max_size=8))
def test_what_is_shown_adds_up(parts: list[Decimal]) -> None:
    total = figure.rounded(sum(parts, D(0)), 2)

    shown = figure.add_up(parts, total, 2)

    assert sum(shown) == total
    assert all(
        abs(after - before) <= D("0.005") * (len(parts) + 1)
        for after, before in zip(shown, parts, strict=True)
    )
