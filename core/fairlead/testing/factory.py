"""Make things of the trade with sensible defaults; decimals may be written as strings.

Everything concerns one market, ``main:ALT/USDT``, unless a test says otherwise: tick 0.01, lot
0.1, prices around 100. Book integers have two decimals.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from fairlead.api import Balance, BookView, View
from fairlead.book import CONTIGUOUS, Book
from fairlead.model import (
    ZERO,
    BalanceUpdate,
    BookDiff,
    BookSnapshot,
    ClientId,
    ConstantStep,
    Fees,
    Fill,
    Instrument,
    Liquidity,
    MarketId,
    OrderIntent,
    OrderState,
    OrderUpdate,
    PriceGrid,
    Quote,
    Reason,
    Scale,
    Side,
    Slot,
    Trade,
)

__all__ = [
    "MARKET",
    "SCALE",
    "balance_update",
    "book_view",
    "client_id",
    "diff",
    "fill",
    "instrument",
    "intent",
    "order_update",
    "quote",
    "slot",
    "snapshot",
    "trade",
    "view",
]

MARKET = MarketId("main", "ALT/USDT")
SCALE = Scale(price_decimals=2, quantity_decimals=2)

_Number = str | int | Decimal
#: Levels as (price, quantity), best first.
_Levels = Sequence[tuple[_Number, _Number]]
_BIDS: _Levels = (("99.90", "5"), ("99.80", "10"))
_ASKS: _Levels = (("100.10", "5"), ("100.20", "10"))


def instrument(
    market: MarketId = MARKET,
    *,
    tick: _Number = "0.01",
    lot: _Number = "0.1",
    min_quantity: _Number = 0,
    min_notional: _Number = 0,
    fees: tuple[_Number, _Number] = (0, 0),
    grid: PriceGrid | None = None,
    **rest: Any,  # noqa: ANN401 - passed on to Instrument, which checks it
) -> Instrument:
    """Make a spot market; ``fees`` = (maker, taker) as shares of notional."""
    base, _, quoted = market.symbol.partition("/")
    return Instrument(
        market=market,
        base=base,
        quote=quoted.partition(":")[0],
        grid=grid or ConstantStep(Decimal(tick)),
        lot=Decimal(lot),
        min_quantity=Decimal(min_quantity),
        min_notional=Decimal(min_notional),
        fees=Fees(Decimal(fees[0]), Decimal(fees[1])),
        **rest,
    )


def slot(
    side: Side = Side.BUY, level: int = 0, *, strategy: str = "alt", market: MarketId = MARKET
) -> Slot:
    """Name a place for an order."""
    return Slot(strategy, market, side, level)


def client_id(number: int = 1) -> str:
    """Give the client id of an instance with tag and epoch 1 whose counter is the number."""
    return str(ClientId(1, 1, number))


def intent(
    number: int = 1,
    side: Side = Side.BUY,
    *,
    price: _Number = "99.90",
    quantity: _Number = 1,
    level: int = 0,
    traded: Instrument | None = None,
    **rest: Any,  # noqa: ANN401 - passed on to OrderIntent, which checks it
) -> OrderIntent:
    """Make an order intent with the client id of that number."""
    traded = traded or instrument()
    return OrderIntent(
        client_id=rest.pop("client_id", client_id(number)),
        instrument=traded,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        slot=rest.pop("slot", None) or slot(side, level, market=traded.market),
        **rest,
    )


def quote(
    side: Side = Side.BUY,
    level: int = 0,
    *,
    price: _Number = "99.90",
    quantity: _Number = 1,
    reference: _Number = 100,
    reasons: tuple[Reason, ...] = (),
) -> Quote:
    """Make a quote."""
    return Quote(side, level, Decimal(price), Decimal(quantity), Decimal(reference), reasons)


def fill(
    number: int = 1,
    side: Side = Side.BUY,
    *,
    trade_id: str = "t1",
    price: _Number = "99.90",
    quantity: _Number = 1,
    at_ns: int = 0,
    **rest: Any,  # noqa: ANN401 - passed on to Fill, which checks it
) -> Fill:
    """Make a maker fill without a fee of the order with that number."""
    given: dict[str, Any] = {
        "market": MARKET,
        "client_id": client_id(number),
        "venue_id": f"v{number}",
        "fee": Decimal(rest.pop("fee", 0)),
        "fee_asset": "USDT",
        "liquidity": Liquidity.MAKER,
    }
    return Fill(
        venue_ns=at_ns,
        local_ns=at_ns,
        trade_id=trade_id,
        side=side,
        price=Decimal(price),
        quantity=Decimal(quantity),
        **(given | rest),
    )


def order_update(
    number: int = 1,
    state: OrderState = OrderState.OPEN,
    *,
    filled: _Number = 0,
    market: MarketId = MARKET,
    at_ns: int = 0,
    detail: str = "",
) -> OrderUpdate:
    """Make a venue's news of the order with that number."""
    return OrderUpdate(
        market, at_ns, at_ns, client_id(number), f"v{number}", state, Decimal(filled), detail
    )


def balance_update(
    asset: str, free: _Number, locked: _Number = 0, *, venue: str = "main", at_ns: int = 0
) -> BalanceUpdate:
    """Make a venue's news of one asset."""
    return BalanceUpdate(venue, at_ns, at_ns, asset, Decimal(free), Decimal(locked))


def snapshot(
    bids: _Levels = _BIDS,
    asks: _Levels = _ASKS,
    *,
    last_id: int = 1,
    at_ns: int = 0,
    market: MarketId = MARKET,
    scale: Scale = SCALE,
) -> BookSnapshot:
    """Make a whole book."""
    return BookSnapshot(
        market, at_ns, at_ns, last_id, _units(bids, scale), _units(asks, scale), scale
    )


def diff(
    last_id: int,
    bids: _Levels = (),
    asks: _Levels = (),
    *,
    first_id: int | None = None,
    previous_id: int | None = None,
    at_ns: int = 0,
    market: MarketId = MARKET,
    scale: Scale = SCALE,
) -> BookDiff:
    """Make a change of the book; by default it is one update long."""
    return BookDiff(
        market,
        at_ns,
        at_ns,
        last_id if first_id is None else first_id,
        last_id,
        previous_id,
        _units(bids, scale),
        _units(asks, scale),
    )


def trade(
    side: Side = Side.BUY,
    *,
    price: _Number = "100.10",
    quantity: _Number = 1,
    trade_id: str = "p1",
    at_ns: int = 0,
    market: MarketId = MARKET,
    scale: Scale = SCALE,
) -> Trade:
    """Make a print between others; ``side`` is the taker's."""
    return Trade(
        market,
        at_ns,
        at_ns,
        trade_id,
        side,
        scale.price_units(Decimal(price)),
        scale.quantity_units(Decimal(quantity)),
    )


def book_view(bids: _Levels = _BIDS, asks: _Levels = _ASKS) -> BookView:
    """Show a valid book."""
    book = Book(MARKET, CONTIGUOUS)
    book.on_snapshot(snapshot(bids, asks))
    shown = book.view()
    if shown is None:
        raise ValueError("a book needs two sides that do not cross")
    return shown


def view(
    *,
    now_ns: int = 0,
    traded: Instrument | None = None,
    book: BookView | None = None,
    base: _Number = 50,
    quoted: _Number = 5000,
    position: _Number | None = None,
    **rest: Any,  # noqa: ANN401 - passed on to View, which checks it
) -> View:
    """Make what a controller sees; ``base`` and ``quoted`` are free balances.

    ``book`` None = the default book; for no book at all pass ``without_book=True``.
    """
    traded = traded or instrument()
    shown = None if rest.pop("without_book", False) else book or book_view()
    return View(
        now_ns=now_ns,
        market=traded.market,
        instrument=traded,
        book=shown,
        mark=rest.pop("mark", None if shown is None else shown.mid),
        base=Balance(Decimal(base), ZERO, ZERO),
        quote=Balance(Decimal(quoted), ZERO, ZERO),
        position=Decimal(base if position is None else position),
        orders=rest.pop("orders", ()),
        trades=rest.pop("trades", ()),
        fills=rest.pop("fills", ()),
        **rest,
    )


def _units(levels: _Levels, scale: Scale) -> tuple[tuple[int, int], ...]:
    return tuple(
        (scale.price_units(Decimal(price)), scale.quantity_units(Decimal(quantity)))
        for price, quantity in levels
    )
