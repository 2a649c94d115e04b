"""Do something to a simulated venue, now: cut, mute, freeze, ban, maintain, and act by hand."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from fairlead.api import Clock
from fairlead.model import ClientId, MarketEvent, Side, Trade
from fairlead.testing.neutral.wire import Place, Result
from fairlead.testing.simulated.account import SimulatedAccount
from fairlead.testing.simulated.chance import Chance
from fairlead.testing.simulated.channel import Channel, MarketChannel, StreamKind, UserChannel
from fairlead.testing.simulated.desk import RequestDesk
from fairlead.testing.simulated.flow import HINT
from fairlead.testing.simulated.truth import Origin

__all__ = ["Deeds"]

_TAG_BITS = 30
# How far from the best price somebody's own order is put, in ticks: it may fill one day.
_FAR = (20, 200)


class Deeds:
    """What befalls a venue at one instant. Each is counted under its name."""

    def __init__(
        self,
        account: SimulatedAccount,
        desk: RequestDesk,
        market: MarketChannel,
        user: UserChannel,
        chance: Chance,
        clock: Clock,
        move: Callable[[list[MarketEvent]], None],
    ) -> None:
        self._account = account
        self._desk = desk
        self._market = market
        self._user = user
        self._chance = chance
        self._clock = clock
        self._move = move
        self._by_hand = 0

    # --- streams

    def drop_streams(
        self, kind: StreamKind | None = None, cause: str = "connection lost", *, away_ns: int = 0
    ) -> int:
        """Cut the connections of one kind, or all; what is under way is lost.

        Whoever connects within ``away_ns`` is turned away.
        """
        for channel in self._channels(kind):
            channel.shut_until_ns = max(channel.shut_until_ns, self._clock.now_ns() + away_ns)
        return self._count("drop_streams", sum(one.drop(cause) for one in self._channels(kind)))

    def mute_streams(self, kind: StreamKind | None = None) -> int:
        """Let the connections open now deliver nothing more; they go on answering pings."""
        return self._count("mute_streams", sum(one.mute() for one in self._channels(kind)))

    def cut_all(self) -> int:
        """Cut every stream at once, as venues do after 24 hours."""
        cut = sum(one.drop("closed by the venue: 24 h") for one in self._channels(None))
        return self._count("cut_all", cut)

    def freeze(self, duration_ns: int) -> None:
        """Freeze the market's stream: it lives, and says the same again and again."""
        self._chance.counts["freeze"] += 1
        self._market.freeze(self._clock.now_ns() + duration_ns)

    # --- the venue

    def ban(self, duration_ns: int) -> None:
        """Answer every request with a 418 until then."""
        self._desk.banned_until_ns = self._clock.now_ns() + duration_ns

    def maintain(self, duration_ns: int, *, cancels: bool = False, streams: bool = False) -> None:
        """Refuse every request until then; ``cancels`` = the venue cancels every order, too.

        ``streams`` = it cuts every stream, and whoever connects meanwhile is turned away.
        """
        until_ns = self._clock.now_ns() + duration_ns
        self._desk.maintained_until_ns = until_ns
        for channel in self._channels(None) if streams else ():
            channel.shut_until_ns = until_ns
            channel.drop("the venue is being maintained")
        if cancels:
            self._account.cancel_all("maintenance")

    def shift_clock(self, offset_ns: int) -> None:
        """Set the venue's clock so far ahead of the true time; behind is negative.

        Requests that the venue has received keep their deadline in true time, as if it had been
        our own clock that was set.
        """
        self._chance.counts["shift_clock"] += 1
        self._desk.offset_ns = offset_ns

    # --- by hand

    def external_order(
        self,
        side: Side | None = None,
        price: Decimal | None = None,
        quantity: Decimal | None = None,
    ) -> Result:
        """Let the account's owner place an order by hand; what is not said is drawn."""
        self._by_hand += 1
        return self._place(f"hand-{self._by_hand}", side, price, quantity, Origin.EXTERNAL)

    def external_cancel(self) -> bool:
        """Let the owner cancel his oldest order; False when there is none."""
        orders = self._account.truth.open_orders(Origin.EXTERNAL)
        if not orders:
            return False
        self._count("external_cancel", 1)
        self._account.cancel(orders[0].client_id, "", "hand")
        return True

    def foreign_order(self, tag: int | None = None) -> str:
        """Place an order that bears the id of another Fairlead; gives that id."""
        self._by_hand += 1
        drawn = self._chance.random("foreign").getrandbits(_TAG_BITS)
        client_id = str(ClientId(drawn if tag is None else tag, 1, self._by_hand))
        self._place(client_id, None, None, None, Origin.FOREIGN)
        return client_id

    def transfer(self, asset: str, amount: Decimal) -> None:
        """Pay in, or out with a negative amount. :raises ValueError: when that is not free."""
        self._count("transfer", 1)
        self._account.transfer(asset, amount)

    def hit(self, client_id: str, share: float = 1.0) -> bool:
        """Print through a resting order, for a share of what is left; False when it is gone."""
        order = self._account.truth.live(client_id)
        if order is None:
            return False
        scale, now_ns = HINT.scale, self._clock.now_ns()
        leaves = scale.quantity_units(order.leaves)
        quantity = max(int(leaves * share), 1)
        price = scale.price_units(order.price) - order.side.sign
        self._count("hit", 1)
        number = self._chance.counts["hit"]
        market = self._account.exchange.instrument.market
        side = order.side.opposite
        self._move([Trade(market, now_ns, now_ns, f"h{number}", side, price, quantity)])
        return True

    # --- inside

    def _channels(self, kind: StreamKind | None) -> tuple[Channel, ...]:
        match kind:
            case StreamKind.MARKET:
                return (self._market,)
            case StreamKind.USER:
                return (self._user,)
            case None:
                return (self._market, self._user)

    def _place(
        self,
        client_id: str,
        side: Side | None,
        price: Decimal | None,
        quantity: Decimal | None,
        origin: Origin,
    ) -> Result:
        draw = self._chance.random("by hand")
        side = side or (Side.BUY if draw.random() < 0.5 else Side.SELL)
        away = self._chance.between("by hand", _FAR)
        size = Decimal(20 + int(draw.random() * 100))
        if price is None:
            top = self._account.exchange.book.top
            if top is None:
                return Result(code="NO_BOOK")
            best = top.bid if side is Side.BUY else top.ask
            price = HINT.scale.price(best - side.sign * away)
        order = Place(client_id, HINT.symbol, side, price, quantity or size)
        result = self._account.place(order, origin)
        if not result.code:
            self._count(f"{origin.value}_order", 1)
        return result

    def _count(self, kind: str, times: int) -> int:
        if times:
            self._chance.counts[kind] += 1
        return times
