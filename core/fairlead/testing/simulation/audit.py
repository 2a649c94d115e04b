"""Compare an engine with its venues when nothing is wrong any more: both must say the same."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from fairlead.api import PostureLevel
from fairlead.kernel.desk import Desk
from fairlead.model import ZERO, ClientId, MarketId, OrderState, Side, trimmed
from fairlead.store import StoreReader
from fairlead.testing.simulated import Origin, SimulatedVenue
from fairlead.testing.simulation.life import Life

__all__ = ["books_differ", "unsettled"]


def unsettled(life: Life, venues: Mapping[str, SimulatedVenue], quoted: Collection[str]) -> str:
    """Say what a running engine still has wrong, or waits for; "" = it agrees with the venues.

    ``quoted`` names the venues at which something should rest.
    """
    return next(_unsettled(life, venues, quoted), "")


def _unsettled(
    life: Life, venues: Mapping[str, SimulatedVenue], quoted: Collection[str]
) -> Iterator[str]:
    if not life.gate.alive or not life.engine_ready:
        yield "no process runs"
        return
    desk = life.engine.desk
    for market in desk.markets:
        yield from _restrained(desk, market)
    for name, venue in venues.items():
        ours = {
            order.client_id: order.filled
            for order in desk.orders.live()
            if order.intent.slot.market.venue == name
        }
        for order in desk.orders.live():
            if order.state is OrderState.UNKNOWN:
                yield f"order {order.client_id[-8:]} is unproven"
        theirs = {one.client_id: one.filled for one in venue.truth.open_orders(Origin.ENGINE)}
        if ours != theirs:
            yield f"{name}: open orders are {_named(ours)} here, {_named(theirs)} there"
        if not theirs and name in quoted:
            yield f"{name}: nothing is quoted"
        yield from _balances(life, name, venue)


def _restrained(desk: Desk, market: MarketId) -> Iterator[str]:
    posture = desk.gate.posture(market)
    if posture.level is not PostureLevel.ACTIVE:
        yield f"{market} is {posture.level}: {posture.rule} {posture.reason}"
    if set(posture.paused) == set(Side):
        yield f"{market} is paused: {posture.rule} {posture.reason}"
    if desk.markets[market].mid is None:
        yield f"the book of {market} is not valid"


def _balances(life: Life, name: str, venue: SimulatedVenue) -> Iterator[str]:
    desk = life.engine.desk
    totals = {asset: free + locked for asset, (free, locked) in venue.truth.balances().items()}
    shown = desk.accounts[name].totals()
    booked = {
        asset: flow.balance for (one, asset), flow in desk.ledger.flows.items() if one == name
    }
    for asset in sorted({*totals, *shown, *booked}):
        true = totals.get(asset, ZERO)
        for what, ours in (("the account", shown), ("the ledger", booked)):
            if ours.get(asset, ZERO) != true:
                yield (
                    f"{name} {asset}: {what} has {trimmed(ours.get(asset, ZERO))}, "
                    f"the venue {trimmed(true)}"
                )


def books_differ(
    reader: StoreReader, instance: str, venues: Mapping[str, SimulatedVenue]
) -> Iterator[str]:
    """Say where what is stored of all runs differs from what really happened."""
    runs = reader.runs(instance)
    stored = [row for run in runs for row in reader.fills(run.run_id)]
    if runs:
        yield from _fills_differ(stored, venues, runs[0].tag)
    filled: dict[str, Decimal] = {}
    for row in stored:
        filled[row["client_id"]] = filled.get(row["client_id"], ZERO) + Decimal(row["quantity"])
    ends: dict[str, tuple[OrderState, Decimal]] = {}
    for run in runs:
        for row in reader.orders(run.run_id):
            ends.setdefault(row["client_id"], (OrderState.PENDING_CREATE, ZERO))
        for row in reader.transitions(run.run_id):
            ends[row["client_id"]] = (OrderState(row["after"]), Decimal(row["filled"]))
    for client_id, (state, quantity) in ends.items():
        live = any(venue.truth.live(client_id) is not None for venue in venues.values())
        if state.is_closed == live:
            there = "live" if live else "gone"
            yield f"order {client_id[-8:]} is stored as {state} and {there} at the venue"
        if quantity != filled.get(client_id, ZERO):
            booked = trimmed(filled.get(client_id, ZERO))
            yield f"order {client_id[-8:]}: {trimmed(quantity)} filled, {booked} booked"


def _fills_differ(
    rows: Iterable[Mapping[str, Any]], venues: Mapping[str, SimulatedVenue], tag: int
) -> Iterator[str]:
    stored = {
        (row["market"], row["trade_id"]): (
            row["client_id"],
            Decimal(row["price"]),
            Decimal(row["quantity"]),
        )
        for row in rows
    }
    true = {
        (str(fill.market), fill.trade_id): (fill.client_id, fill.price, fill.quantity)
        for venue in venues.values()
        for fill in venue.truth.fills
        if _is_ours(fill.client_id, tag)
    }
    for key in sorted({*stored, *true}):
        if stored.get(key) != true.get(key):
            yield f"trade {key[1]}: stored {stored.get(key)}, the venue has {true.get(key)}"


def _is_ours(client_id: str, tag: int) -> bool:
    name = ClientId.parse(client_id)
    return name is not None and name.tag == tag


def _named(orders: Mapping[str, Decimal]) -> str:
    shown = sorted(f"{name[-8:]} ({trimmed(filled)})" for name, filled in orders.items())
    return ", ".join(shown) or "none"
