from typing import Any

import pytest

from fairlead.api import Allowed, Denied, Posture, PostureLevel
from fairlead.model import Purpose
from fairlead_risk import BOTH, StaleBook, StaleBookConfig, WarmUp, WarmUpConfig
from tests.fairlead_risk.factory import MARKET, OTHER, Account, intent, market

STALE = StaleBook(StaleBookConfig())
WARM_UP = WarmUp(WarmUpConfig())


@pytest.mark.parametrize(
    ("shown", "trouble"),
    [
        ({"silent_s": 2.9}, ""),
        ({"silent_s": 3}, "book silent 3.0 s"),
        ({"silent_s": None}, "book invalid"),
        ({"book_valid": False}, "book invalid"),
    ],
    ids=["just in time", "silent for the limit", "never changed", "invalid"],
)
def test_a_silent_or_invalid_book_is_not_traded_on(shown: dict[str, Any], trouble: str) -> None:
    account = Account().showing(market(**shown))

    posture = Posture(PostureLevel.CANCEL_ONLY, "stale_book", trouble, MARKET)
    denied = Denied("stale_book", trouble, "3 s")
    assert STALE.assess(account) == ((posture,) if trouble else ())
    assert STALE.check(intent(), account) == (denied if trouble else Allowed())
    assert STALE.check(intent(purpose=Purpose.EXIT), account) == (denied if trouble else Allowed())


@pytest.mark.parametrize(
    ("shown", "seen"),
    [
        ({"valid_for_s": 60}, None),
        ({"valid_for_s": 59.9}, "59.9 s"),
        ({"valid_for_s": None}, "0.0 s"),
        ({"book_valid": False}, "0.0 s"),
    ],
    ids=["warm", "nearly", "never valid", "invalid again"],
)
def test_a_young_book_is_not_quoted_on(shown: dict[str, Any], seen: str | None) -> None:
    account = Account().showing(market(**shown))

    reason = f"book valid {seen} of 60 s"
    posture = Posture(rule="warm_up", reason=reason, market=MARKET, paused=BOTH)
    assert WARM_UP.assess(account) == (() if seen is None else (posture,))
    assert WARM_UP.check(intent(), account) == (
        Allowed() if seen is None else Denied("warm_up", seen, "60 s", "valid book")
    )
    assert WARM_UP.check(intent(purpose=Purpose.HEDGE), account) == Allowed()


def test_no_warm_up_is_a_choice() -> None:
    rule = WarmUp(WarmUpConfig.model_validate("0 s"))

    assert rule.assess(Account().showing(market(valid_for_s=0))) == ()


@pytest.mark.parametrize("rule", [STALE, WARM_UP], ids=lambda rule: str(rule.name))
def test_each_market_is_restrained_by_itself(rule: StaleBook | WarmUp) -> None:
    both = Account().showing(market(book_valid=False), market(of=OTHER, book_valid=False))
    one = Account().showing(market(), market(of=OTHER, book_valid=False))

    assert [posture.market for posture in rule.assess(both)] == [MARKET, OTHER]
    assert [posture.market for posture in rule.assess(one)] == [OTHER]
    assert rule.check(intent(), one) == Allowed()
