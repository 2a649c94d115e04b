from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.market import BinanceDecoder, Integers, parse_binance
from fairlead.model import BestQuote, BookDiff, BookSnapshot, MarketId, Scale, Side, Trade

MARKET = MarketId("main", "BTC/USDT")
SCALE = Scale(2, 3)
DECODER = BinanceDecoder(MARKET, "BTCUSDT", SCALE)


def decode(text: str) -> BestQuote | BookDiff | BookSnapshot | Trade | None:
    return DECODER.decode(text.encode(), 5)


def test_a_best_quote_of_spot_has_no_time_of_the_venue() -> None:
    event = decode(
        '{"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"61837.63","B":"3.788",'
        '"a":"61837.64","A":"1.500"}}'
    )

    assert event == BestQuote(MARKET, 0, 5, 7, 6183763, 3788, 6183764, 1500)


def test_a_futures_diff_names_the_one_before_and_the_matching_time() -> None:
    event = decode(
        '{"stream":"btcusdt@depth@0ms","data":{"e":"depthUpdate","E":1723161256299,'
        '"T":1723161256298,"s":"BTCUSDT","U":10,"u":12,"pu":9,"b":[["58710.20","0.014"]],'
        '"a":[["61800.30","0.000"],["61800.4","12"]]}}'
    )

    assert event == BookDiff(
        *(MARKET, 1723161256298_000_000, 5, 10, 12, 9),
        bids=((5871020, 14),),
        asks=((6180030, 0), (6180040, 12000)),
    )


def test_a_spot_diff_has_the_time_it_was_sent() -> None:
    event = decode(
        '{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1723161255208,"s":"BTCUSDT",'
        '"U":10,"u":12,"b":[],"a":[]}}'
    )

    assert event == BookDiff(MARKET, 1723161255208_000_000, 5, 10, 12, None, (), ())


@pytest.mark.parametrize(("flag", "side"), [("true", Side.SELL), ("false", Side.BUY)])
def test_the_side_of_a_trade_is_the_takers(flag: str, side: Side) -> None:
    event = decode(
        '{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343123,"s":"BTCUSDT",'
        f'"t":3735,"p":"61837.63","q":"0.020","T":1723161255342999,"m":{flag},"M":true}}}}'
    )

    assert event == Trade(MARKET, 1723161255342999_000, 5, "3735", side, 6183763, 20)


@pytest.mark.parametrize(
    "text",
    [
        '{"lastUpdateId":9,"E":1723161257835,"T":1723161257823,"symbol":"BTCUSDT",'
        '"bids":[["1.00","2.000"]],"asks":[]}',
        '{"lastUpdateId": 9, "T": 1723161257823, "bids": [["1.00", "2.000"]], "asks": []}',
        '{"bids":[["1.00","2.000"]],"asks":[],"T":1723161257823,"lastUpdateId":9}',
    ],
    ids=["futures", "with spaces", "keys in another order"],
)
def test_a_bare_snapshot_is_the_whole_book(text: str) -> None:
    assert decode(text) == BookSnapshot(
        MARKET, 1723161257823_000_000, 5, 9, ((100, 2000),), (), SCALE
    )


def test_an_envelope_may_name_its_stream_at_the_end() -> None:
    data = '{"u":7,"s":"BTCUSDT","b":"1.00","B":"1.000","a":"2.00","A":"1.000"}'

    assert isinstance(decode(f'{{"data":{data},"stream":"btcusdt@bookTicker"}}'), BestQuote)


@pytest.mark.parametrize(
    "text",
    [
        '{"result":null,"id":1}',
        '{"stream":"btcusdt@aggTrade","data":{"e":"aggTrade","s":"BTCUSDT"}}',
        '{"stream":"btcusdt@depth20@100ms","data":{"lastUpdateId":1,"bids":[],"asks":[]}}',
        '{"stream":"btcusdt@trade","data":{"e":"trade","E":1,"T":1,"s":"BTCUSDT","t":1,"p":"0",'
        '"q":"0","X":"NA","m":true}}',
        '{"stream":"btcusdt@bookTicker","data":{"u":7,"s":"BTCUSDT","b":"0.00","B":"0.000",'
        '"a":"2.00","A":"1.000"}}',
    ],
    ids=["an answer", "another stream", "first levels only", "no trade", "an empty side"],
)
def test_a_message_that_says_nothing_of_the_book_is_left_out(text: str) -> None:
    assert decode(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "12",
        '{"lastUpdateId":"9","bids":[],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["1.00"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[[1.00,"2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["0.00","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["1.00","-2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["-1.00","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["1.001","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["NaN","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["Infinity","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["1_0.00","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["","2"]],"asks":[]}',
        '{"lastUpdateId":9,"bids":[["1.0000000000000000000000000000000000000000001","2"]],"asks":[]}',
        '{"stream":"ethusdt@bookTicker","data":{"u":7,"s":"ETHUSDT","b":"1","B":"1","a":"2","A":"1"}}',
        '{"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":13,"u":12,'
        '"b":[],"a":[]}}',
        '{"stream":"btcusdt@depth","data":null}',
        '{"stream":"btcusdt@trade"}',
    ],
)
def test_a_message_that_is_not_what_it_says_is_an_error(text: str) -> None:
    with pytest.raises((ValueError, msgspec.DecodeError)):
        decode(text)


def test_texts_stay_as_they_are_until_the_decimals_are_known() -> None:
    raw = parse_binance(b'{"lastUpdateId":9,"bids":[["1.00","2.000"]],"asks":[]}')

    assert raw is not None
    assert raw.bids == [("1.00", "2.000")]  # type: ignore[union-attr]  # a snapshot, as asserted


@given(
    number=st.decimals(0, 10**9, allow_nan=False, places=5),
    decimals=st.integers(0, 8),
)
def test_a_text_is_converted_exactly_or_refused(number: Decimal, decimals: int) -> None:
    text, exact = str(number), number.scaleb(decimals)
    integers = Integers(decimals, zero=True)

    if exact == int(exact):
        assert integers[text] == exact
        assert integers[text] == exact, "the second time from memory"
    else:
        with pytest.raises(ValueError, match="finer"):
            integers[text]


def test_the_memory_of_texts_is_bounded() -> None:
    integers = Integers(0, zero=False)

    assert all(integers[str(number)] == number for number in range(1, 100_000))
    assert len(integers) < 50_000
