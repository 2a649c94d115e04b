"""Be a whole venue in virtual time: a market, an account, requests, streams, and bad luck."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal

from msgspec.structs import replace

from fairlead.api import Clock, Ids, Timer
from fairlead.market import SpotExchange
from fairlead.model import Instrument, MarketEvent, MarketId, Side, Trade
from fairlead.testing.neutral.wire import Place, Result
from fairlead.testing.simulated.account import SimulatedAccount
from fairlead.testing.simulated.budget import Budget
from fairlead.testing.simulated.chance import Chance
from fairlead.testing.simulated.channel import MarketChannel, StreamKind, UserChannel
from fairlead.testing.simulated.deeds import Deeds
from fairlead.testing.simulated.desk import RequestDesk
from fairlead.testing.simulated.flow import HINT, MarketFlow, ThinFlow, full_flow
from fairlead.testing.simulated.knobs import Knobs, VenueSetup
from fairlead.testing.simulated.truth import VenueTruth
from fairlead.testing.transport import Passage, ServerHost

__all__ = ["SimulatedVenue"]

# What is left of a print that is cut down.
_CRUMBS = 20


class SimulatedVenue:
    """One spot market and one account behind the neutral protocol.

    Its side runs in tasks and timers of its own, so a client that gives up undoes nothing. All
    chance comes from ``ids`` under the venue's name. The truth is read from `truth`, never
    through the protocol::

        venue = SimulatedVenue(VenueSetup("main"), clock, SeededIds(7))
        venue.serve(transport)
        venue.start()
        venue.knobs.answer_lost = 0.01
        venue.deeds.drop_streams()
    """

    def __init__(self, setup: VenueSetup, clock: Clock, ids: Ids) -> None:
        self.setup = setup
        self.knobs = Knobs()
        self._clock = clock
        self._chance = Chance(ids, setup.name)
        market = MarketId(setup.name, HINT.symbol)
        self.instrument = Instrument(
            market=market,
            base=HINT.base,
            quote=HINT.quote,
            grid=HINT.grid,
            lot=HINT.lot,
            min_quantity=HINT.min_quantity,
            min_notional=HINT.min_notional,
            fees=setup.fees,
        )
        self._flow, self._frame_ns = self._open_market(market)
        self._market = MarketChannel(HINT.symbol, clock, self.knobs, self._chance)
        self._user = UserChannel(clock, self.knobs, self._chance, setup.heartbeat_ns)
        #: The account behind the protocol.
        self.account = SimulatedAccount(
            # The account lists its fills by the truth's own record.
            SpotExchange(self.instrument, HINT.scale, HINT.sequence, setup.balances, fills_kept=0),
            self.knobs,
            clock,
            venue_ns=self._venue_ns,
            tell=self._user.tell,
            span=self._chance.span_ns,
        )
        self._desk = RequestDesk(setup, self.account, self.knobs, self._chance, clock)
        #: What can befall the venue at once.
        self.deeds = Deeds(
            self.account, self._desk, self._market, self._user, self._chance, clock, self._move
        )
        self._timer: Timer | None = None
        self._began = False

    @property
    def truth(self) -> VenueTruth:
        """Give what really is and was, for oracles."""
        return self.account.truth

    @property
    def counts(self) -> Counter[str]:
        """Count the faults that have really happened, by kind."""
        return self._chance.counts

    @property
    def mid(self) -> Decimal:
        """Give the middle of the true market. :raises RuntimeError: before `start`."""
        top = self.account.exchange.book.top
        if top is None:
            raise RuntimeError("the market has not begun")
        return HINT.scale.price(top.bid + top.ask) / 2

    @property
    def budget(self) -> Budget | None:
        """Give the account's budget, as the venue sees it used; None = it has none."""
        return self._desk.budget

    def streams(self, kind: StreamKind) -> int:
        """Count the open connections of one kind of stream."""
        return (self._market if kind is StreamKind.MARKET else self._user).streams

    def place(self, client_id: str, side: Side, price: Decimal, quantity: Decimal) -> Result:
        """Place an order under any id, as if an engine had done so before."""
        return self.account.place(Place(client_id, HINT.symbol, side, price, quantity))

    @property
    def muted(self) -> int:
        """Count the open connections that answer pings and deliver nothing any more."""
        return self._market.muted + self._user.muted

    @property
    def protected(self) -> bool:
        """Tell whether the dead-man timer runs now."""
        return self._desk.armed

    def serve(self, transport: ServerHost) -> None:
        """Answer under ``https://NAME.test`` and ``wss://NAME.test``."""
        address = self.setup.address
        transport.serve(
            f"https://{address}/", self._desk.answer, passage=self._passage, remember=False
        )
        for kind, channel in ((StreamKind.MARKET, self._market), (StreamKind.USER, self._user)):
            transport.serve(
                f"wss://{address}/{kind}",
                stream=channel.attend,
                passage=self._passage,
                remember=False,
            )

    def start(self) -> None:
        """Open the market, and let it move from now on; may be called again after `stop`."""
        now_ns = self._clock.now_ns()
        if not self._began:
            self._began = True
            self._publish(list(self._flow.open(now_ns)))
        self._user.start()
        self._timer = self._clock.call_at_ns(now_ns + self._frame_ns, self._beat)

    def stop(self) -> None:
        """Let everything stand still; nothing is scheduled any more."""
        self._user.stop()
        self._desk.close()
        if self._timer is not None:
            self._timer.cancel()

    def heal(self) -> None:
        """Turn every knob back and end every ban, maintenance, frozen stream and clock error.

        Streams that are mute stay so: nobody heals a connection but by opening another.
        """
        self.knobs.heal()
        self._desk.banned_until_ns = self._desk.maintained_until_ns = 0
        self._market.shut_until_ns = self._user.shut_until_ns = 0
        self._desk.offset_ns = 0
        self._market.freeze(0)

    # --- inside

    def _venue_ns(self) -> int:
        return self._desk.venue_ns()

    def _open_market(self, market: MarketId) -> tuple[MarketFlow, int]:
        if self.setup.thin_ns:
            return ThinFlow(market, self._chance.random, self.setup.thin_ns), self.setup.thin_ns
        return full_flow(market, self._chance.random)

    def _passage(self, url: str) -> Passage:
        del url  # all are alike
        knobs, chance = self.knobs, self._chance
        return Passage(
            there_ns=chance.between("latency", knobs.latency_ns),
            back_ns=chance.between("latency", knobs.latency_ns),
            refused=chance.hits("refused", knobs.refused),
            request_lost=chance.hits("request_lost", knobs.request_lost),
            answer_lost=chance.hits("answer_lost", knobs.answer_lost),
        )

    def _beat(self) -> None:
        now_ns = self._clock.now_ns()
        self._move(self._flow.frame(now_ns - self._frame_ns))
        self._timer = self._clock.call_at_ns(now_ns + self._frame_ns, self._beat)

    def _move(self, events: list[MarketEvent]) -> None:
        chance, partial = self._chance, self.knobs.partial
        if partial:
            events = [self._cut_down(event, chance, partial) for event in events]
        self._publish(events)

    def _publish(self, events: list[MarketEvent]) -> None:
        for event in events:
            self.account.on_market(event)
        self._market.publish(events, self._desk.offset_ns)

    @staticmethod
    def _cut_down(event: MarketEvent, chance: Chance, rate: float) -> MarketEvent:
        if not isinstance(event, Trade) or not chance.hits("partial", rate):
            return event
        crumb = chance.between("partial", (1, _CRUMBS))
        return replace(event, quantity=min(event.quantity, crumb))
