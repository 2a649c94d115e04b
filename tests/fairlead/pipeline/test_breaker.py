from decimal import Decimal

import pytest

from fairlead.model import Accepted, MarketId, NotSent, Outcome, RejectClass, Rejected, Unknown
from fairlead.pipeline import Breaker
from fairlead.testing import MARKET

SECOND = 1_000_000_000
REFUSED = Rejected("-1013", RejectClass.PRICE)


def taught(*outcomes: Outcome) -> tuple[Breaker, list[bool]]:
    breaker = Breaker()
    return breaker, [breaker.learn(MARKET, outcome, 0) for outcome in outcomes]


def test_ten_rejects_in_a_row_pause_the_market_for_a_minute() -> None:
    breaker, tripped = taught(*[REFUSED] * 10)

    assert tripped == [False] * 9 + [True]
    denied = breaker.check(MARKET, 60 * SECOND - 1)
    assert denied is not None
    assert denied.rule == "rejects_in_a_row"
    assert (denied.observed, denied.limit) == (Decimal(10), Decimal(9))
    assert breaker.check(MARKET, 60 * SECOND) is None


def test_an_acceptance_in_between_begins_the_count_anew() -> None:
    breaker, tripped = taught(*[REFUSED] * 9, Accepted("v1"), *[REFUSED] * 9)

    assert not any(tripped)
    assert breaker.check(MARKET, 0) is None


@pytest.mark.parametrize(
    "outcome", [Unknown("lost"), NotSent(0), Rejected("x", RejectClass.POST_ONLY)]
)
def test_what_is_no_refusal_of_the_market_counts_neither_way(outcome: Outcome) -> None:
    breaker, tripped = taught(*[REFUSED, outcome] * 9)
    assert not any(tripped)

    assert breaker.learn(MARKET, REFUSED, 0)


def test_other_markets_go_on() -> None:
    breaker, _ = taught(*[REFUSED] * 10)

    assert breaker.check(MarketId("main", "BTC/USDT"), 0) is None


def test_after_the_pause_the_count_begins_anew() -> None:
    breaker, _ = taught(*[REFUSED] * 10)

    assert not breaker.learn(MARKET, REFUSED, 60 * SECOND)
    assert breaker.check(MARKET, 60 * SECOND) is None
