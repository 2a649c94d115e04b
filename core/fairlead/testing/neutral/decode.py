"""Turn what a neutral venue says into the engine's own events and outcomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from fairlead.api import Response
from fairlead.market.link import Meaning, OutcomeRule, OutcomeTable
from fairlead.model import (
    Accepted,
    AccountEvent,
    BalanceUpdate,
    BestQuote,
    BookDiff,
    BookSnapshot,
    ConstantStep,
    Fees,
    Fill,
    Instrument,
    MarketEvent,
    MarketId,
    OrderUpdate,
    Outcome,
    RejectClass,
    Scale,
    Trade,
)
from fairlead.testing.neutral.wire import (
    BalanceLine,
    Complaint,
    Depth,
    DiffLine,
    FillLine,
    MarketLine,
    MarketMessage,
    OrderLine,
    QuoteLine,
    Results,
)

__all__ = ["NEUTRAL_OUTCOMES", "NeutralDecoder", "read_complaint"]


def _refused(code: str, reason: RejectClass) -> OutcomeRule:
    return OutcomeRule(Meaning.REFUSED, reason, code=code)


#: What the codes of the neutral protocol prove. That an id is taken says nothing about the order
#: that has it, so it proves nothing; neither do 5xx, except under maintenance.
NEUTRAL_OUTCOMES = OutcomeTable(
    (
        OutcomeRule(Meaning.TURNED_AWAY, status=429, code="BUSY"),
        OutcomeRule(Meaning.TURNED_AWAY, status=418, code="BANNED"),
        OutcomeRule(Meaning.TURNED_AWAY, status=503, code="MAINTENANCE"),
        OutcomeRule(Meaning.TURNED_AWAY, code="STAMP"),
        OutcomeRule(Meaning.TURNED_AWAY, code="TOO_LATE"),
        OutcomeRule(Meaning.UNKNOWN, code="DUPLICATE_ID"),
        _refused("PRICE_FILTER", RejectClass.PRICE),
        _refused("LOT_SIZE", RejectClass.QUANTITY),
        _refused("MIN_NOTIONAL", RejectClass.NOTIONAL),
        _refused("INSUFFICIENT_BALANCE", RejectClass.BALANCE),
        _refused("POST_ONLY", RejectClass.POST_ONLY),
        _refused("SELF_TRADE", RejectClass.OTHER),
        _refused("UNKNOWN_ORDER", RejectClass.NOT_FOUND),
        _refused("NO_BOOK", RejectClass.MARKET_CLOSED),
        _refused("NO_MARKET", RejectClass.MARKET_CLOSED),
        _refused("UNKNOWN_MARKET", RejectClass.MARKET_CLOSED),
        _refused("INVALID_COMBINATION", RejectClass.OTHER),
        _refused("BATCH_TOO_LARGE", RejectClass.OTHER),
        _refused("BAD_WINDOW", RejectClass.OTHER),
        _refused("BAD_REQUEST", RejectClass.OTHER),
    )
)

_complaint = msgspec.json.Decoder(Complaint).decode
_results = msgspec.json.Decoder(Results).decode


def read_complaint(response: Response) -> tuple[str, str]:
    """Read code and text of an answer that is no acceptance."""
    try:
        complaint = _complaint(response.body)
    except msgspec.MsgspecError:
        return "", ""
    return complaint.code, complaint.text


class NeutralDecoder:
    """Makes events of one venue; ``now_ns`` gives our own stamp."""

    def __init__(self, venue: str, now_ns: Callable[[], int]) -> None:
        self._venue = venue
        self._now_ns = now_ns
        #: Decimals of each market's integers, once its markets are read.
        self.scales: dict[str, Scale] = {}

    def instrument(self, line: MarketLine) -> Instrument:
        """Make an instrument, and remember its decimals."""
        self.scales[line.symbol] = Scale(line.price_decimals, line.quantity_decimals)
        return Instrument(
            market=MarketId(self._venue, line.symbol),
            base=line.base,
            quote=line.quote,
            grid=ConstantStep(line.tick),
            lot=line.lot,
            min_quantity=line.min_quantity,
            min_notional=line.min_notional,
            fees=Fees(line.maker, line.taker),
        )

    def snapshot(self, depth: Depth) -> BookSnapshot:
        """Make a book snapshot of a known market."""
        return BookSnapshot(
            MarketId(self._venue, depth.symbol),
            depth.time_ns,
            self._now_ns(),
            depth.last_id,
            depth.bids,
            depth.asks,
            self.scales[depth.symbol],
        )

    def market(self, message: MarketMessage) -> Iterator[MarketEvent]:
        """Make the events of one message, in order."""
        market, now_ns = MarketId(self._venue, message.symbol), self._now_ns()
        for line in message.lines:
            match line:
                case DiffLine():
                    yield BookDiff(
                        market,
                        line.time_ns,
                        now_ns,
                        line.first_id,
                        line.last_id,
                        None,
                        line.bids,
                        line.asks,
                    )
                case QuoteLine():
                    yield BestQuote(market, line.time_ns, now_ns, line.update_id, *line.best)
                case _:
                    yield Trade(
                        market,
                        line.time_ns,
                        now_ns,
                        line.trade_id,
                        line.side,
                        line.price,
                        line.quantity,
                    )

    def news(self, line: OrderLine | FillLine | BalanceLine) -> AccountEvent:
        """Make the event of one piece of news."""
        match line:
            case OrderLine():
                return self.order(line)
            case FillLine():
                return self.fill(line)
            case _:
                return self.balance(line)

    def order(self, line: OrderLine) -> OrderUpdate:
        """Make the news of an order."""
        return OrderUpdate(
            market=MarketId(self._venue, line.symbol),
            venue_ns=line.time_ns,
            local_ns=self._now_ns(),
            client_id=line.client_id,
            venue_id=line.venue_id,
            state=line.state,
            filled=line.filled,
        )

    def fill(self, line: FillLine) -> Fill:
        """Make a fill."""
        return Fill(
            market=MarketId(self._venue, line.symbol),
            venue_ns=line.time_ns,
            local_ns=self._now_ns(),
            trade_id=line.trade_id,
            client_id=line.client_id,
            venue_id=line.venue_id,
            side=line.side,
            price=line.price,
            quantity=line.quantity,
            fee=line.fee,
            fee_asset=line.fee_asset,
            liquidity=line.liquidity,
        )

    def balance(self, line: BalanceLine) -> BalanceUpdate:
        """Make a balance."""
        return BalanceUpdate(
            venue=self._venue,
            venue_ns=line.time_ns,
            local_ns=self._now_ns(),
            asset=line.asset,
            free=line.free,
            locked=line.locked,
        )

    @staticmethod
    def outcomes(body: bytes) -> tuple[Outcome, ...]:
        """Make the outcomes of a batch. :raises ValueError: when one can mean nothing."""
        outcomes: list[Outcome] = []
        for result in _results(body).results:
            if result.code:
                outcomes.append(NEUTRAL_OUTCOMES.judge(200, result.code, result.text))
            elif result.venue_id:
                outcomes.append(Accepted(result.venue_id))
            else:
                raise ValueError("a result is neither taken nor refused")
        return tuple(outcomes)
