"""Strategies join a running account: nothing is won or lost by that, whatever happens around it."""

from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fairlead.ledger import AccountLedger, PnlParts
from fairlead.model import MarketId, Side
from tests.fairlead.ledger.factories import ALT, D, account, fill, terms

OTHER = MarketId("main", "OTH/USDT")
BETA = MarketId("main", "ALT/USDT")


def total(ledger: AccountLedger) -> Decimal:
    parts = sum((one.book.parts for one in ledger.strategies.values()), PnlParts())
    return parts.total


def test_the_first_on_an_asset_takes_over_what_is_there() -> None:
    ledger = account(ALT="10", OTH="5", USDT="100")
    ledger.on_mark(ALT, D(2), 1)
    ledger.on_mark(OTHER, D(30), 1)
    before = ledger.sample(2)

    ledger.enlist(terms("oth", OTHER))
    after = ledger.sample(3)

    assert after.equity == before.equity == 100 + 20 + 150
    assert ledger.strategies["oth"].book.quantity == 5
    ledger.on_mark(OTHER, D(31), 4)
    assert ledger.sample(5).equity == 100 + 20 + 155
    assert ledger.strategies["oth"].book.parts.total == 5
    assert ledger.strategies["alt"].book.parts.other == 0


def test_the_second_on_an_asset_begins_with_nothing() -> None:
    ledger = account(ALT="10", USDT="100")
    ledger.on_mark(ALT, D(2), 1)

    ledger.enlist(terms("beta", BETA))

    assert ledger.strategies["beta"].book.quantity == 0
    assert ledger.strategies["alt"].book.quantity == 10


def test_who_comes_back_finds_his_own_book() -> None:
    ledger = account(ALT="10", USDT="100")
    book = ledger.strategies["alt"].book

    ledger.enlist(terms("alt"))

    assert ledger.strategies["alt"].book is book


def test_an_asset_without_a_mark_is_taken_over_all_the_same() -> None:
    ledger = account(ALT="10", OTH="5", USDT="100")
    ledger.on_mark(ALT, D(2), 1)

    ledger.enlist(terms("oth", OTHER))

    assert ledger.sample(2).equity is None
    ledger.on_mark(OTHER, D(30), 3)
    assert ledger.sample(4).equity == 100 + 20 + 150
    assert total(ledger) == 0


PRICES = st.decimals("1", "50", places=2)
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("mark"), st.sampled_from([ALT, OTHER]), PRICES),
        st.tuples(st.just("fill"), st.sampled_from(list(Side)), PRICES),
        st.tuples(st.just("other fill"), st.sampled_from(list(Side)), PRICES),
        st.tuples(st.just("transfer"), st.sampled_from(["ALT", "OTH", "USDT"]), PRICES),
        st.tuples(st.just("enlist"), st.sampled_from(["oth", "beta"]), PRICES),
    ),
    max_size=25,
)


@given(EVENTS)
def test_equity_is_the_sum_of_the_parts_whoever_joins_when(events: list[Any]) -> None:
    ledger = account(ALT="10", OTH="5", USDT="100")
    ledger.on_mark(ALT, D(2), 0)
    ledger.on_mark(OTHER, D(30), 0)
    ledger.sample(0)
    start, transferred = D(270), D(0)

    for number, (what, subject, price) in enumerate(events):
        match what:
            case "mark":
                ledger.on_mark(subject, price, 0)
            case "fill":
                ledger.on_fill("alt", fill(subject, "1", str(price), trade=f"t{number}"))
            case "other fill" if "oth" in ledger.strategies:
                traded = fill(subject, "1", str(price), market=OTHER, trade=f"t{number}")
                ledger.on_fill("oth", traded)
            case "transfer":
                rate = D(1) if subject == "USDT" else ledger.marks.rate(subject)
                worth = rate if isinstance(rate, Decimal) else (rate.value if rate else D(0))
                ledger.on_transfer("main", subject, D(1))
                transferred += worth
            case "enlist":
                ledger.enlist(terms(subject, OTHER if subject == "oth" else BETA))
            case _:
                pass

    equity = ledger.sample(1).equity
    assert equity is not None
    assert equity - start - transferred == total(ledger)
