import pytest

from fairlead.book import (
    BINANCE_COINM,
    BINANCE_SPOT,
    BINANCE_USDM,
    CONTIGUOUS,
    Sequel,
    SequenceRule,
)
from fairlead.model import BookDiff, MarketId

MARKET = MarketId("main", "BTC/USDT")


def diff(first: int, last: int, previous: int | None = None) -> BookDiff:
    return BookDiff(MARKET, 0, 0, first, last, previous, (), ())


@pytest.mark.parametrize(
    ("fresh", "first", "last", "sequel"),
    [
        pytest.param(True, 90, 99, Sequel.OLD, id="ends before the snapshot"),
        pytest.param(True, 90, 100, Sequel.OLD, id="ends with the snapshot"),
        pytest.param(True, 90, 101, Sequel.NEXT, id="spans the snapshot"),
        pytest.param(True, 101, 105, Sequel.NEXT, id="begins right after the snapshot"),
        pytest.param(True, 102, 105, Sequel.GAP, id="begins too late for the snapshot"),
        pytest.param(False, 101, 101, Sequel.NEXT, id="begins right after the last"),
        pytest.param(False, 90, 100, Sequel.OLD, id="the last once more"),
        pytest.param(False, 102, 105, Sequel.GAP, id="one is missing"),
        pytest.param(False, 100, 105, Sequel.GAP, id="overlaps the last"),
    ],
)
def test_spot_ids_count_without_a_hole(fresh: bool, first: int, last: int, sequel: Sequel) -> None:
    assert BINANCE_SPOT.judge(diff(first, last), 100, fresh=fresh) is sequel


@pytest.mark.parametrize("rule", [BINANCE_USDM, BINANCE_COINM], ids=str)
@pytest.mark.parametrize(
    ("fresh", "first", "last", "previous", "sequel"),
    [
        pytest.param(True, 90, 99, 80, Sequel.OLD, id="ends before the snapshot"),
        pytest.param(True, 90, 100, 80, Sequel.NEXT, id="ends with the snapshot"),
        pytest.param(True, 100, 120, 90, Sequel.NEXT, id="begins with the snapshot"),
        pytest.param(True, 90, 120, 80, Sequel.NEXT, id="spans the snapshot"),
        pytest.param(True, 110, 120, 100, Sequel.NEXT, id="names the snapshot as before"),
        pytest.param(True, 110, 120, 105, Sequel.GAP, id="begins too late for the snapshot"),
        pytest.param(False, 110, 120, 100, Sequel.NEXT, id="names the last as before"),
        pytest.param(False, 101, 120, 99, Sequel.GAP, id="names another as before"),
        pytest.param(False, 101, 120, None, Sequel.GAP, id="names none as before"),
        pytest.param(False, 90, 100, 80, Sequel.OLD, id="the last once more"),
        pytest.param(False, 70, 80, 60, Sequel.OLD, id="an older one"),
    ],
)
def test_futures_diffs_name_the_one_before(
    rule: SequenceRule, fresh: bool, first: int, last: int, previous: int | None, sequel: Sequel
) -> None:
    assert rule.judge(diff(first, last, previous), 100, fresh=fresh) is sequel


@pytest.mark.parametrize("fresh", [True, False], ids=["first", "later"])
def test_feeds_of_our_own_never_overlap(fresh: bool) -> None:
    assert CONTIGUOUS.judge(diff(101, 101), 100, fresh=fresh) is Sequel.NEXT
    assert CONTIGUOUS.judge(diff(100, 101), 100, fresh=fresh) is Sequel.GAP
    assert CONTIGUOUS.judge(diff(100, 100), 100, fresh=fresh) is Sequel.OLD


def test_rules_have_names_of_their_own() -> None:
    rules = (BINANCE_SPOT, BINANCE_USDM, BINANCE_COINM, CONTIGUOUS)

    assert len({rule.name for rule in rules}) == len(rules)
    assert [str(rule) for rule in rules] == [rule.name for rule in rules]
