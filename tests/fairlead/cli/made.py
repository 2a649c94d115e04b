"""A made-up run in a folder of its own: three orders, two fills, a gate, a denial, a posture.

Written with the engine's own records and ledger, so that it looks like any other run.
"""

import json
from pathlib import Path
from typing import Any

from fairlead.api import Gate
from fairlead.ledger import AccountLedger, OrderCounts, RunFacts, build_report
from fairlead.model import (
    ClientId,
    Liquidity,
    OrderState,
    OrderTrigger,
    Purpose,
    Reason,
    Side,
    TimeInForce,
)
from fairlead.store import (
    CancelAsked,
    DecisionMade,
    FillBooked,
    Incident,
    IntentDenied,
    MarkoutKnown,
    OrderMoved,
    OrderRecorded,
    PostureChanged,
    QuotesSampled,
    Reconciled,
    RunEnded,
    RunStarted,
    TickPassed,
    TraceWriter,
)
from tests.fairlead.ledger.factories import ALT, D, fill, terms

SECOND = 1_000_000_000
START = 1_750_000_000 * SECOND
BUY, SELL, LAST = (ClientId(7, 1, number) for number in (1, 2, 3))


class MadeRun:
    """Writes the trace; `report` gives what ``report.json`` holds."""

    def __init__(self, folder: Path, *, seconds: int = 400) -> None:
        folder.mkdir(parents=True)
        self.folder = folder
        self._trace = TraceWriter(folder / "events.jsonl.gz")
        self._n = 0
        self.ledger = AccountLedger("USDT", [terms()])
        self.ledger.open("main", {"ALT": D(2500), "USDT": D(5000)})
        self.seconds = seconds

    def put(self, at_s: float, record: Any) -> None:  # noqa: ANN401 - any record
        self._n += 1
        self._trace.write(self._n, START + int(at_s * SECOND), record)

    def order(self, at_s: float, order: ClientId, side: Side, price: str) -> None:
        chain = (
            Reason("reference", "price", None, D(2), "mid"),
            Reason("spread", "price", D(2), D(2) - side.sign * D("0.0016"), "8 bps"),
            Reason("round", "price", D(2) - side.sign * D("0.0016"), D(price), "tick 0.0001"),
            Reason("size", "quantity", None, D("125.5"), "250 USDT"),
            Reason("round", "quantity", D("125.5"), D(125), "lot 1"),
        )
        record = OrderRecorded(
            order=str(order),
            strategy="alt",
            market=str(ALT),
            side=side,
            level=0,
            price=D(price),
            quantity=D(125),
            time_in_force=TimeInForce.GTC,
            post_only=True,
            reduce_only=False,
            purpose=Purpose.QUOTE,
            decided_ns=START + int(at_s * SECOND) - 1_000_000,
            reference=D(2),
            mid=D(2),
            reasons=chain,
        )
        self.put(at_s, record)

    def move(self, at_s: float, order: ClientId, trigger: OrderTrigger, after: OrderState) -> None:
        self.put(at_s, OrderMoved(str(order), OrderState.OPEN, trigger, after, D(0)))

    def fill(self, at_s: float, order: ClientId, side: Side, price: str) -> None:
        trade = fill(side, "125", price, fee="0.05", trade=f"t{order.short}")
        booked = self.ledger.on_fill("alt", trade, D(2))
        self.put(
            at_s,
            FillBooked(
                trade=trade.trade_id,
                order=str(order),
                strategy="alt",
                market=str(ALT),
                side=side,
                level=0,
                price=trade.price,
                quantity=trade.quantity,
                fee=trade.fee,
                fee_asset="USDT",
                liquidity=Liquidity.MAKER,
                venue_ns=START,
                mark=booked.mark,
                reference=D(2),
                spread=booked.spread,
            ),
        )

    def markout(self, at_s: float, order: ClientId, side: Side, bps: dict[str, float]) -> None:
        self.put(at_s, MarkoutKnown(f"t{order.short}", "alt", side, 0, D(250), dict(bps)))

    def sample(self, at_s: int, mid: str, *, quoted: bool = True) -> None:
        at_ns = START + at_s * SECOND
        self.ledger.on_mark(ALT, D(mid), at_ns)
        sample, book = self.ledger.sample(at_ns), self.ledger.strategies["alt"].book
        half = D("0.0016")
        self.put(
            at_s,
            QuotesSampled(
                strategy="alt",
                mid=D(mid),
                bid=D(mid) - half if quoted else None,
                ask=D(mid) + half if quoted else None,
                position=book.quantity,
                target=book.target,
                equity=sample.equity,
                spread=sample.parts.spread,
                inventory=sample.parts.inventory,
                holding=sample.parts.holding,
                fees=sample.parts.fees,
                funding=sample.parts.funding,
                total=sample.parts.total,
                far_bid=D(mid) - 2 * half if quoted else None,
            ),
        )

    def end(self) -> dict[str, Any]:
        self.put(self.seconds, RunEnded("the time asked for is over", True))
        self._trace.close()
        strategy = self.ledger.strategies["alt"]
        strategy.uptime.on_market(START, D("1.999"), D("2.001"))
        strategy.uptime.on_quotes(START, [(D("1.999"), D(1))], [(D("2.002"), D(1))])
        strategy.uptime.advance(START + self.seconds * SECOND)
        facts = RunFacts(
            run=self.folder.name,
            instance="demo",
            mode="paper",
            seed=7,
            config_hash="abcdef",
            started_ns=START,
            ended_ns=START + self.seconds * SECOND,
            messages=1000,
            ticks=self.seconds,
            overruns=0,
            reason="the time asked for is over",
            proven=True,
            notes=("tick size from the data",),
        )
        report = build_report(facts, self.ledger, {"alt": OrderCounts(3, 1, 0, 1)})
        (self.folder / "report.json").write_text(json.dumps(report), encoding="utf-8")
        found: dict[str, Any] = json.loads(json.dumps(report))
        return found


def make_run(folder: Path, *, seconds: int = 400) -> dict[str, Any]:
    """Make the run and give its report."""
    run = MadeRun(folder, seconds=seconds)
    run.put(0, RunStarted("demo", "paper", 7, "abcdef", "USDT"))
    run.put(0, Reconciled("main", 0, {"ALT": D(2500)}, ()))
    run.ledger.on_target("alt", D(2500))
    run.sample(0, "2")
    run.put(0, DecisionMade("alt", str(ALT), 2, (), D(2500)))
    run.order(1, BUY, Side.BUY, "1.9984")
    run.order(1, SELL, Side.SELL, "2.0016")
    run.move(1.04, BUY, OrderTrigger.ACCEPTED, OrderState.OPEN)
    run.put(2, TickPassed(number=2, skipped=1, messages=90, digest="d"))
    run.fill(3, BUY, Side.BUY, "1.9984")
    run.move(3, BUY, OrderTrigger.FULL_FILL, OrderState.FILLED)
    run.fill(4, SELL, Side.SELL, "2.0016")
    run.put(5, PostureChanged("", "REDUCING", "skew", "1.6 % > 1.5 %"))
    run.put(60, PostureChanged("", "ACTIVE", "", ""))
    run.markout(70, BUY, Side.BUY, {"1s": -1.0, "10s": -20.5, "60s": 4.0})
    run.markout(71, SELL, Side.SELL, {"1s": 2.0, "10s": 8.0})
    for at_s in range(72, seconds - 100):
        run.sample(at_s, f"2.00{at_s % 10}", quoted=not 100 < at_s < 110)
    run.order(300, LAST, Side.BUY, "1.9990")
    run.put(301, CancelAsked(str(LAST), "moved away"))
    run.put(302, Incident("late_fill", "x < y"))
    run.put(
        303,
        IntentDenied(
            strategy="alt",
            market=str(ALT),
            side=Side.BUY,
            level=1,
            price=D("1.99"),
            quantity=D(500),
            stage="risk",
            rule="max_order",
            observed="995",
            limit="500",
            reasons=(Reason("reference", "price", None, D("1.99"), "mid"),),
        ),
    )
    run.put(310, DecisionMade("alt", str(ALT), 0, (Gate("no valid book", "gap"),), None))
    return run.end()
