"""Make the orders, quotes and views that executor tests start from."""

from decimal import Decimal
from itertools import count

from fairlead.api import ExecutorView, OrderView
from fairlead.model import (
    ConstantStep,
    Instrument,
    MarketId,
    OrderState,
    Purpose,
    Quote,
    Reason,
    Side,
    Slot,
)

MARKET = MarketId("main", "ALT/USDT")
INSTRUMENT = Instrument(
    MARKET, "ALT", "USDT", ConstantStep(Decimal("0.01")), lot=Decimal(1), min_quantity=Decimal(1)
)
SECOND = 1_000_000_000
NOW = 1_000 * SECOND

_ids = count(1)


def slot(side: Side, level: int = 0) -> Slot:
    return Slot("alt", MARKET, side, level)


def quote(side: Side, price: str, quantity: str = "10", level: int = 0) -> Quote:
    reason = Reason("reference", "price", None, Decimal(100))
    return Quote(side, level, Decimal(price), Decimal(quantity), Decimal(100), (reason,))


def order(
    side: Side,
    price: str,
    quantity: str = "10",
    *,
    level: int = 0,
    filled: str = "0",
    state: OrderState = OrderState.OPEN,
    age_s: int = 60,
    client_id: str = "",
) -> OrderView:
    return OrderView(
        client_id=client_id or f"order-{next(_ids)}",
        slot=slot(side, level),
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        filled=Decimal(filled),
        state=state,
        purpose=Purpose.QUOTE,
        decided_ns=NOW - age_s * SECOND,
        acknowledged_ns=None,
    )


def view(
    *orders: OrderView, bid: str | None = "99.50", ask: str | None = "100.50", now_ns: int = NOW
) -> ExecutorView:
    return ExecutorView(
        now_ns=now_ns,
        instrument=INSTRUMENT,
        orders=orders,
        tick_ns=SECOND,
        best_bid=None if bid is None else Decimal(bid),
        best_ask=None if ask is None else Decimal(ask),
    )
