from decimal import Decimal

from fairlead.ledger import Marks
from fairlead.model import MarketId
from tests.fairlead.ledger.factories import D


def marks(*entries: tuple[str, str, int]) -> Marks:
    found = Marks("USDT")
    for market, mid, at_ns in entries:
        name = MarketId.parse(market)
        base, _, quote = name.symbol.partition("/")
        found.update(name, base, quote, D(mid), at_ns)
    return found


def value(book: Marks, asset: str) -> Decimal | None:
    rate = book.rate(asset)
    return None if rate is None else rate.value


def test_the_currency_is_worth_one_without_a_market() -> None:
    rate = Marks("USDT").rate("USDT")

    assert rate is not None
    assert rate.value == 1
    assert rate.known_ns is None
    assert rate.path == ()


def test_a_direct_market_gives_its_mid() -> None:
    assert value(marks(("main:BTC/USDT", "50000.5", 1)), "BTC") == D("50000.5")


def test_a_market_is_read_backwards() -> None:
    rate = marks(("main:USDT/EUR", "0.8", 1)).rate("EUR")

    assert rate is not None
    assert rate.value == D("1.25")
    assert rate.path == ("1/main:USDT/EUR",)


def test_two_markets_are_joined_and_the_older_mark_counts() -> None:
    rate = marks(("main:ALT/BTC", "0.0001", 7), ("main:BTC/USDT", "50000", 3)).rate("ALT")

    assert rate is not None
    assert rate.value == 5
    assert rate.known_ns == 3
    assert rate.path == ("main:ALT/BTC", "main:BTC/USDT")


def test_the_freshest_of_equal_paths_wins() -> None:
    assert value(marks(("a:BTC/USDT", "1", 5), ("b:BTC/USDT", "2", 6)), "BTC") == 2


def test_a_short_path_wins_over_a_fresher_long_one() -> None:
    book = marks(("a:ALT/USDT", "4", 1), ("a:ALT/BTC", "1", 9), ("a:BTC/USDT", "5", 9))

    assert value(book, "ALT") == 4


def test_no_path_is_none_and_not_zero() -> None:
    assert value(marks(("a:ALT/BTC", "1", 1)), "ALT") is None
    assert value(marks(), "BTC") is None


def test_a_derived_rate_is_rounded_once() -> None:
    rate = marks(("a:USDT/JPY", "3", 1)).rate("JPY")

    assert rate is not None
    assert rate.value == D("0.333333333333333333")


def test_a_market_that_was_never_marked_has_no_mid() -> None:
    assert marks().mid(MarketId("a", "B/C")) is None
    assert marks().known_ns(MarketId("a", "B/C")) is None
