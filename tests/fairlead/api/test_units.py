from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError

from fairlead.api import Amount, ClockTime, Duration, Exact, Ratio, Share


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    wait: Duration
    spread: Ratio
    part: Share
    size: Amount
    exact: Exact


WRITTEN = {
    "wait": "250 ms",
    "spread": "8 bps",
    "part": "50%",
    "size": "250 USDT",
    "exact": "0.001",
}

NUMBERS = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("1 ns", 1),
        ("1 us", 1_000),
        ("250 ms", 250_000_000),
        ("1s", 1_000_000_000),
        ("0.5 s", 500_000_000),
        ("10 min", 600_000_000_000),
        ("2 h", 7_200_000_000_000),
        ("1 d", 86_400_000_000_000),
        ("0 s", 0),
    ],
)
def test_a_duration_says_its_unit(text: str, ns: int) -> None:
    duration = Duration.parse(text)

    assert duration.ns == ns
    assert duration.seconds == ns / 1e9
    assert str(duration) == text


@pytest.mark.parametrize(
    "value", ["1", "1 sec", "s", "", "1 s s", "1,5 s", "1e3 s", 1, 1.0, None, True]
)
def test_a_bare_or_strange_duration_says_what_would_be_right(value: object) -> None:
    with pytest.raises(ValueError, match="write a duration with its unit"):
        Duration.parse(value)


@pytest.mark.parametrize("text", ["-1 s", "0.5 ns"])
def test_a_duration_is_never_negative_and_a_whole_number_of_nanoseconds(text: str) -> None:
    with pytest.raises(ValueError, match="whole number of nanoseconds, zero or more"):
        Duration.parse(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [("8 bps", "0.0008"), ("0.5%", "0.005"), ("-1 bps", "-0.0001"), ("5 %", "0.05")],
)
def test_a_ratio_is_written_in_basis_points_or_percent(text: str, value: str) -> None:
    ratio = Ratio.parse(text)

    assert ratio.value == Decimal(value)
    assert ratio.bps == Decimal(value) * 10_000
    assert str(ratio) == text


@given(NUMBERS)
def test_a_percent_is_a_hundred_basis_points(number: Decimal) -> None:
    assert Ratio.parse(f"{number}%").value == Ratio.parse(f"{number} bps").value * 100


@pytest.mark.parametrize("value", ["8", "8 bp", "8 percent", 8, 0.0008, None])
def test_a_bare_or_strange_ratio_says_what_would_be_right(value: object) -> None:
    with pytest.raises(ValueError, match="write a ratio with its unit"):
        Ratio.parse(value)


@pytest.mark.parametrize(("text", "value"), [("0%", "0"), ("50%", "0.5"), ("100 %", "1")])
def test_a_share_goes_from_nothing_to_all(text: str, value: str) -> None:
    share = Share.parse(text)

    assert share.value == Decimal(value)
    assert Share.parse(str(share)) == share


@pytest.mark.parametrize("value", ["100.1%", "-1%", "50", "0.5", 50, "5 bps"])
def test_a_share_beyond_all_or_without_percent_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match='write a share from "0%" to "100%"'):
        Share.parse(value)


@pytest.mark.parametrize(
    ("text", "value", "asset"), [("250 USDT", "250", "USDT"), ("0.0100 BTC", "0.01", "BTC")]
)
def test_an_amount_names_its_asset(text: str, value: str, asset: str) -> None:
    amount = Amount.parse(text)

    assert (amount.value, amount.asset) == (Decimal(value), asset)
    assert Amount.parse(str(amount)) == amount


@pytest.mark.parametrize("value", ["250", "USDT", "250USDT", "250 ", 250, "NaN USDT", "1e400 USDT"])
def test_a_bare_or_strange_amount_says_what_would_be_right(value: object) -> None:
    with pytest.raises(ValueError, match="write an amount with its asset"):
        Amount.parse(value)


@pytest.mark.parametrize(("value", "text"), [("0.0010", "0.001"), (2500, "2500"), ("-1", "-1")])
def test_an_exact_number_is_a_string_or_whole(value: object, text: str) -> None:
    assert str(Exact.parse(value)) == text


@pytest.mark.parametrize("value", [0.1, True, None, []])
def test_an_exact_number_is_never_a_float(value: object) -> None:
    with pytest.raises(ValueError, match="an exact number as a string"):
        Exact.parse(value)


@given(NUMBERS, st.sampled_from(["ns", "us", "ms", "s", "min", "h", "d"]))
def test_every_unit_prints_as_it_was_read(number: Decimal, unit: str) -> None:
    for kind, text in (
        (Duration, f"{number} {unit}"),
        (Ratio, f"{number} bps"),
        (Amount, f"{number} USDT"),
        (Exact, str(number)),
    ):
        try:
            value = kind.parse(text)
        except ValueError:
            assert kind is Duration  # part of a nanosecond
            continue
        assert kind.parse(str(value)) == value


def test_a_unit_that_was_made_and_not_read_still_prints_what_reads_back() -> None:
    made = (Duration(1500), Ratio(Decimal("0.00085")), Share(Decimal("0.125")))

    assert [str(value) for value in made] == ["1500 ns", "8.5 bps", "12.5%"]
    assert Duration.parse(str(made[0])).ns == 1500
    assert Ratio.parse(str(made[1])).value == made[1].value
    assert Share.parse(str(made[2])).value == made[2].value


def test_a_table_of_units_dumps_as_it_was_written() -> None:
    table = Table.model_validate(WRITTEN)

    assert table.model_dump(mode="json") == WRITTEN
    assert Table.model_validate(table.model_dump()) == table


def test_a_table_takes_units_that_are_made_already() -> None:
    wait = Duration(5)

    assert Table.model_validate({**WRITTEN, "wait": wait}).wait is wait


def test_a_wrong_unit_in_a_table_names_the_key() -> None:
    with pytest.raises(ValidationError) as caught:
        Table.model_validate({**WRITTEN, "wait": "8 bps"})

    (error,) = caught.value.errors()
    assert error["loc"] == ("wait",)
    assert "write a duration with its unit" in error["msg"]


def test_the_schema_shows_editors_what_to_write() -> None:
    schema = Table.model_json_schema()["properties"]["wait"]

    assert schema["type"] == "string"
    assert "250 ms" in schema["examples"]


@pytest.mark.parametrize(
    ("text", "minutes"), [("00:00 UTC", 0), ("07:30 UTC", 450), ("23:59 UTC", 1439)]
)
def test_a_time_of_day_is_written_with_its_zone(text: str, minutes: int) -> None:
    found = ClockTime.parse(text)

    assert (found.ns, str(found)) == (minutes * 60 * 10**9, text)
    assert str(ClockTime(found.ns)) == text


@pytest.mark.parametrize("text", ["24:00 UTC", "7:30 UTC", "07:30", "07:60 UTC", 7])
def test_what_is_no_time_of_day_is_refused_with_what_would_be_right(text: object) -> None:
    with pytest.raises(ValueError, match="00:00 UTC"):
        ClockTime.parse(text)
