"""What each judge of a simulation lets pass, and what it does not: without an engine."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace

from fairlead.api import Request, Response
from fairlead.kernel import StopReason, VirtualClock
from fairlead.model import Liquidity, OrderState, Purpose, Side
from fairlead.store import FillBooked, Incident
from fairlead.testing import SimulatedVenue
from fairlead.testing.neutral.wire import (
    DeadMan,
    FillLine,
    OrderLine,
    OrderPage,
    UserMessage,
    encode,
)
from fairlead.testing.simulation.life import Life
from fairlead.testing.simulation.oracle_proof import ProofOracle, ShieldOracle
from fairlead.testing.simulation.oracle_risk import AdmissionOracle, PullOracle
from fairlead.testing.simulation.oracle_told import ToldOracle
from fairlead.testing.simulation.oracle_transfer import TransferOracle
from fairlead.testing.simulation.oracle_venue import PatienceOracle
from tests.fairlead.testing.oracle_kit import (
    BATCH,
    MARKET,
    OURS,
    SECOND,
    TICK,
    Watch,
    in_venue,
    life,
    made,
    recorded,
    request,
    result,
)

# --- manners


def test_during_patience_only_cancels_leave_and_during_a_ban_nothing() -> None:
    watch = Watch()
    oracle = PatienceOracle(watch.add, watch.now_ns)
    oracle.begun(life())
    oracle.answered(life(), "main", request("time"), Response(429, {"Retry-After": "2"}, b""))
    oracle.asking(life(), "main", request("cancels"))
    assert watch.broken == []

    oracle.asking(life(), "main", request("open?after=0"))
    assert watch.broken == ["who asks for patience gets it"]

    watch.pass_s(2)
    oracle.asking(life(), "main", request("open?after=0"))
    oracle.answered(life(), "main", request("time"), Response(200, {}, b""))
    oracle.answered(life(), "main", request("time"), Response(418, {"Retry-After": "60"}, b""))
    oracle.asking(life(), "main", request("cancels"))
    assert watch.broken[1:] == ["nothing leaves during a ban"]


def test_a_storm_of_connections_is_one_and_patient_tries_are_none() -> None:
    watch = Watch()
    oracle = PatienceOracle(watch.add, watch.now_ns)
    for _ in range(30):
        oracle.opening(life(), "main", "wss://main.test/user")
        watch.pass_s(0.5)
    assert watch.broken == []

    for _ in range(16):
        oracle.opening(life(), "main", "wss://main.test/user")
        watch.pass_s(0.1)

    assert watch.broken[0] == "no storm of connections"


# --- proof


def answer(*client_ids: str, more: bool = False) -> Response:
    lines = tuple(
        OrderLine(0, "ALT/USDT", name, "v1", OrderState.OPEN, Decimal(0)) for name in client_ids
    )
    return Response(200, {}, encode(OrderPage(lines, more)))


def read(oracle: ProofOracle, response: Response) -> None:
    asked = request("open?after=0")
    oracle.asking(life(), "main", asked)
    oracle.answered(life(), "main", asked, response)


def ended(*orders: object) -> Life:
    desk = SimpleNamespace(orders=SimpleNamespace(live=lambda: orders))
    return life(engine=SimpleNamespace(desk=desk))


def test_a_stop_is_proven_by_two_reads_a_second_apart_since_the_last_create() -> None:
    watch = Watch()
    oracle = ProofOracle(watch.add, {"main": None}, watch.now_ns)  # type: ignore[dict-item]  # only the names count
    oracle.begun(life())
    oracle.ended(ended(), result())  # nothing was placed, so there is nothing to prove
    read(oracle, answer())
    oracle.placing(life(), "main", BATCH)
    read(oracle, answer(OURS))
    read(oracle, answer("hand-1"))
    oracle.ended(ended(), result())
    assert watch.broken == ["a stop is proven by two reads a second apart"]

    read(oracle, Response(503, {}, b""))
    watch.pass_s(1)
    read(oracle, answer())
    oracle.ended(ended(), result())
    assert len(watch.broken) == 1

    oracle.ended(ended(SimpleNamespace(client_id=OURS)), result())
    assert watch.broken[1:] == ["a proven stop knows the end of every order"]


def test_a_halt_without_a_note_is_none() -> None:
    watch = Watch()
    oracle = ProofOracle(watch.add, {}, watch.now_ns)

    oracle.ended(life(), result(StopReason.HALTED))

    assert watch.broken == ["a halt leaves its note"]


def test_no_order_leaves_without_a_timer_and_the_timer_goes_last() -> None:
    def story(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        oracle = ShieldOracle(watch.add, {"main": venue})
        disarm = Request("POST", "https://main.test/deadman", {}, encode(DeadMan(0)))
        oracle.asking(life(), "main", request("time"))
        oracle.asking(life(), "main", disarm)
        oracle.placing(life(), "main", BATCH)
        assert watch.broken == ["no order leaves unprotected"]

        assert not venue.place(OURS, Side.BUY, Decimal(1), Decimal(100)).code
        oracle.asking(life(), "main", disarm)
        assert watch.broken[1:] == ["the timer is disarmed last"]

    in_venue(story)


# --- new risk


def with_desk(left: str, venue: SimulatedVenue) -> Life:
    desk = SimpleNamespace(
        markets=_Anything(SimpleNamespace(instrument=venue.instrument)),
        balance=lambda name, asset: SimpleNamespace(free=Decimal(5), reserved=5 - Decimal(left)),
    )
    return life(engine=SimpleNamespace(desk=desk))


class _Anything:
    def __init__(self, value: object) -> None:
        self._value = value

    def __getitem__(self, key: object) -> object:
        return self._value


def test_new_risk_is_young_and_paid_for() -> None:
    def story(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        oracle = AdmissionOracle(watch.add, {"main": venue}, watch.now_ns, SECOND)
        oracle.recorded(with_desk("0", venue), 1, recorded(decided_ns=999 * SECOND + 1))
        oracle.recorded(with_desk("0", venue), 1, TICK)
        assert watch.broken == []

        oracle.recorded(with_desk("-0.1", venue), 1, recorded(decided_ns=999 * SECOND))
        oracle.recorded(with_desk("-0.1", venue), 1, recorded(decided_ns=1_000 * SECOND))
        assert watch.broken == [
            "a wish older than a tick is dropped",
            "an order takes no more than is free",
        ]

    in_venue(story)


def test_nothing_is_risked_unheard_or_beside_another_fairlead() -> None:
    def story(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        watch.now = clock.now_ns()
        oracle = AdmissionOracle(watch.add, {"main": venue}, watch.now_ns, SECOND)
        oracle.begun(life())
        venue.deeds.foreign_order()
        oracle.second()
        watch.pass_s(12)
        oracle.placing(life(), "main", BATCH)
        assert watch.broken == []

        watch.pass_s(2)
        oracle.placing(life(), "main", BATCH)
        assert watch.broken == ["nothing new is risked unheard"]

        watch.pass_s(150)
        oracle.placing(life(), "main", BATCH)
        assert "two Fairleads do not trade one account" in watch.broken

    in_venue(story)


def test_quotes_leave_with_a_lost_book_at_once() -> None:
    watch = Watch()
    calls: list[Callable[[], None]] = []
    oracle = PullOracle(watch.add, watch.now_ns, lambda at_ns, call: calls.append(call))
    order = SimpleNamespace(
        client_id=OURS,
        state=OrderState.OPEN,
        cancel_sent_ns=None,
        left_ns=990 * SECOND,
        intent=SimpleNamespace(slot=SimpleNamespace(plan=""), purpose=Purpose.QUOTE),
    )
    desk = SimpleNamespace(orders=SimpleNamespace(live=lambda market: (order,)))
    gate = SimpleNamespace(alive=True)
    running = life(gate=gate, engine_ready=True, engine=SimpleNamespace(desk=desk))
    oracle.recorded(running, 1, Incident(name="late_fill", detail="of no book"))
    oracle.recorded(running, 1, Incident(name="book_gap", detail=f"{MARKET}: a hole"))
    (look,) = calls
    look()
    assert watch.broken == ["a lost book pulls the quotes at once"]

    order.cancel_sent_ns = 1
    look()
    gate.alive = False
    look()
    assert len(watch.broken) == 1


# --- fills and money


def fill_line(trade: str, client_id: str = OURS) -> bytes:
    line = FillLine(
        0,
        "ALT/USDT",
        trade,
        client_id,
        "v1",
        Side.BUY,
        Decimal(2),
        Decimal(10),
        Decimal(0),
        "USDT",
        Liquidity.MAKER,
        1,
    )
    return encode(UserMessage(1, line))


def booked(trade: str) -> FillBooked:
    return made(FillBooked, market=MARKET, trade=trade)


def test_a_fill_that_is_told_is_booked_at_once() -> None:
    watch = Watch()
    oracle = ToldOracle(watch.add, watch.now_ns)
    oracle.begun(life())
    oracle.recorded(life(), 1, recorded())
    oracle.told(life(), "main", encode(UserMessage(1)))
    oracle.told(life(), "main", fill_line("t1"))
    oracle.told(life(), "main", fill_line("t9", "hand-1").decode())
    oracle.recorded(life(), 2, booked("t1"))
    oracle.told(life(), "main", fill_line("t1"))
    oracle.told(life(), "main", fill_line("t2"))
    oracle.recorded(life(), 3, TICK)
    assert watch.broken == []

    watch.pass_s(1)
    oracle.recorded(life(), 4, TICK)
    assert watch.broken == ["a fill that is told is booked at once"]


def test_a_transfer_is_what_other_hands_moved_to_the_last_digit() -> None:
    def story(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        watch.now = clock.now_ns()
        oracle = TransferOracle(watch.add, {"main": venue}, watch.now_ns)
        venue.truth.watch(lambda effect: oracle.effect("main", effect))
        oracle.begun(life())
        venue.deeds.transfer("ALT", Decimal(5))
        venue.deeds.transfer("ALT", Decimal(-2))

        def told(ours: str, theirs: str) -> None:
            detail = f"main ALT: ours {ours}, venue {theirs}"
            oracle.recorded(life(), 1, Incident(name="unexplained_balance", detail=detail))

        told("100", "105")
        told("105", "103")
        oracle.recorded(life(), 1, TICK)
        assert watch.broken == []

        told("103", "104")
        assert watch.broken == ["no transfer is invented"]

    in_venue(story)


def test_a_trade_by_hand_moves_both_assets_and_its_fee() -> None:
    def story(venue: SimulatedVenue, clock: VirtualClock) -> None:
        watch = Watch()
        watch.now = clock.now_ns()
        oracle = TransferOracle(watch.add, {"main": venue}, watch.now_ns)
        venue.truth.watch(lambda effect: oracle.effect("main", effect))
        oracle.begun(life())
        before = {asset: free + locked for asset, (free, locked) in venue.truth.balances().items()}
        venue.deeds.external_order(Side.SELL, Decimal("2.5"), Decimal(40))
        venue.deeds.hit("hand-1")
        after = {asset: free + locked for asset, (free, locked) in venue.truth.balances().items()}
        assert before != after

        for asset, held in after.items():
            detail = f"main {asset}: ours {before[asset]}, venue {held}"
            oracle.recorded(life(), 1, Incident(name="unexplained_balance", detail=detail))
        assert watch.broken == []

    in_venue(story)
