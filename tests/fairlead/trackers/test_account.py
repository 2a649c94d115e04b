from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Balance
from fairlead.model import MarketId, OrderIntent, OrderState, Side
from fairlead.testing import balance_update, instrument, intent
from fairlead.trackers import AccountTracker, Order, VenueAccount, needs

S = OrderState


def order(
    state: OrderState, side: Side = Side.BUY, *, quantity: str = "1", filled: str = "0"
) -> Order:
    made = Order(intent(1, side, price=100, quantity=quantity), 0)
    made.state = state
    made.filled = Decimal(filled)
    return made


def account(
    *, usdt: tuple[str, str] = ("1000", "0"), alt: tuple[str, str] = ("10", "0")
) -> VenueAccount:
    made = VenueAccount("main")
    made.begin([balance_update("USDT", *usdt), balance_update("ALT", *alt)])
    return made


def usable(told: VenueAccount, asset: str, orders: list[Order]) -> Balance:
    """Give the balance, by what each order needs of it."""
    on_the_way = acknowledged = Decimal(0)
    for one in orders:
        need = needs(one.intent, one.leaves, asset)
        if one.state in (S.PENDING_CREATE, S.UNKNOWN):
            on_the_way += need
        else:
            acknowledged += need
    return told.balance(asset, on_the_way, acknowledged)


@pytest.mark.parametrize("state", [S.PENDING_CREATE, S.UNKNOWN])
def test_an_order_on_its_way_holds_back_what_it_will_lock(state: OrderState) -> None:
    balance = usable(account(), "USDT", [order(state, quantity="3")])

    assert balance == Balance(Decimal(1000), Decimal(0), Decimal(300))
    assert balance.available == 700


def test_what_the_venue_has_locked_is_not_held_back_twice() -> None:
    locked = account(usdt=("700", "300"))

    balance = usable(locked, "USDT", [order(S.OPEN, quantity="3")])

    assert balance.reserved == 0
    assert balance.available == 700


def test_where_the_news_of_a_lock_lags_we_hold_it_back_ourselves() -> None:
    balance = usable(account(usdt=("900", "100")), "USDT", [order(S.OPEN, quantity="3")])

    assert balance.available == 700


@pytest.mark.parametrize("state", [S.OPEN, S.PARTIALLY_FILLED, S.PENDING_CANCEL])
def test_only_what_is_left_of_an_order_is_held_back(state: OrderState) -> None:
    balance = usable(account(), "USDT", [order(state, quantity="3", filled="2")])

    assert balance.available == 900


def test_a_sell_holds_back_base_and_a_buy_holds_back_quote() -> None:
    orders = [order(S.UNKNOWN, Side.SELL, quantity="4"), order(S.UNKNOWN, quantity="2")]

    assert usable(account(), "ALT", orders).available == 6
    assert usable(account(), "USDT", orders).available == 800


def test_a_contract_needs_as_many_base_units_as_it_stands_for() -> None:
    traded = instrument(MarketId("main", "ALT/USDT"), multiplier=Decimal(10))
    buy: OrderIntent = intent(1, Side.BUY, price=100, quantity=2, traded=traded)
    sell = intent(2, Side.SELL, price=100, quantity=2, traded=traded)

    assert needs(buy, buy.quantity, "USDT") == 2000
    assert needs(sell, sell.quantity, "ALT") == 20
    assert needs(buy, buy.quantity, "ALT") == needs(sell, sell.quantity, "USDT") == 0


def test_an_asset_never_heard_of_is_nothing_to_use() -> None:
    assert usable(account(), "BTC", []).available == 0


def test_older_news_do_not_overwrite_newer_ones() -> None:
    told = account()
    told.apply(balance_update("USDT", 500, at_ns=20))

    told.apply(balance_update("USDT", 800, at_ns=10))
    assert usable(told, "USDT", []).free == 500
    told.apply(balance_update("USDT", 700, 50, at_ns=20))

    assert told.totals() == {"ALT": 10, "USDT": 750}


def test_balances_are_known_once_every_venue_was_read() -> None:
    accounts = AccountTracker(["main", "hedge"])
    accounts["main"].begin([])
    assert not accounts.known

    accounts["hedge"].apply(balance_update("USDT", 5, venue="hedge"))
    assert not accounts.known
    accounts["hedge"].begin([balance_update("USDT", 5, venue="hedge")])

    assert accounts.known


ORDERS = st.builds(
    lambda state, side, quantity, part: order(
        state, side, quantity=str(quantity), filled=str(quantity * part / 10)
    ),
    st.sampled_from([state for state in S if not state.is_closed]),
    st.sampled_from(Side),
    st.integers(1, 50).map(Decimal),
    st.integers(0, 9),
)


@given(st.lists(ORDERS, max_size=6), ORDERS, st.integers(0, 5000), st.integers(0, 5000))
def test_one_more_order_never_leaves_more_to_use(
    orders: list[Order], another: Order, free: int, locked: int
) -> None:
    told = account(usdt=(str(free), str(locked)), alt=(str(free), str(locked)))

    for asset in ("USDT", "ALT"):
        before, after = (usable(told, asset, some) for some in (orders, [*orders, another]))
        assert 0 <= after.available <= before.available <= before.free


@given(st.lists(ORDERS, max_size=6), st.integers(0, 5000))
def test_all_orders_and_what_is_available_fit_into_what_is_there(
    orders: list[Order], total: int
) -> None:
    told = account(usdt=(str(total), "0"))

    balance = usable(told, "USDT", orders)

    needed = sum(needs(one.intent, one.leaves, "USDT") for one in orders)
    assert balance.available + needed <= max(total, needed)
