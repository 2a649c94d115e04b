"""The parts of a simulation that need no engine: faults, schedules, gates, shrinking, reports."""

import asyncio
import json
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Request, Response
from fairlead.errors import UsageError
from fairlead.kernel import SeededIds, VirtualClock
from fairlead.store import Incident
from fairlead.testing import MemoryDisk, ServerStream, VirtualTransport, run_virtual
from fairlead.testing.simulation import (
    FAULTS,
    PLANTS,
    Failure,
    Fault,
    FaultKind,
    SeedResult,
    SimulationReport,
    Violation,
    chosen_faults,
    draw_schedule,
    named_plant,
    shrink,
    version,
)
from fairlead.testing.simulation.gate import Gate, Killed, install_task_factory
from fairlead.testing.simulation.seam import (
    Ears,
    GatedClock,
    GatedProcess,
    GatedStore,
    GatedTransport,
    Wall,
)
from fairlead.testing.simulation.violation import History, Violations

SECOND = 1_000_000_000
HOUR = 3_600 * SECOND


# --- faults and schedules


def test_faults_are_chosen_by_name_or_all_or_none() -> None:
    assert chosen_faults("all") == tuple(FaultKind)
    assert chosen_faults("none") == ()
    assert chosen_faults("crash, lost-answer,crash") == (FaultKind.CRASH, FaultKind.LOST_ANSWER)


def test_a_fault_that_does_not_exist_is_refused_with_all_that_do() -> None:
    with pytest.raises(UsageError, match=r"--faults 'crush'.*crash_again"):
        chosen_faults("crush")


def test_every_class_of_faults_says_what_it_is_and_how_often() -> None:
    assert set(FAULTS) == set(FaultKind)
    for kind, limits in FAULTS.items():
        assert limits.meaning
        assert (limits.rate is None) == (limits.gap_ns[0] > 0), kind


def test_a_seed_draws_the_same_schedule_every_time_and_another_one_draws_another() -> None:
    drawn = [draw_schedule(SeededIds(seed), "a", tuple(FaultKind), 0, HOUR) for seed in (7, 7, 8)]

    assert drawn[0] == drawn[1] != drawn[2]
    assert list(drawn[0]) == sorted(drawn[0])


@pytest.mark.unmeasured
def test_about_half_of_all_classes_strike_in_a_seed() -> None:
    struck: Counter[FaultKind] = Counter()
    for seed in range(200):
        faults = draw_schedule(SeededIds(seed), "a", tuple(FaultKind), 0, 10 * HOUR)
        struck.update({fault.kind: 1 for fault in faults})

    assert all(70 < struck[kind] < 130 for kind in FaultKind), struck


def test_what_is_drawn_for_one_class_does_not_depend_on_the_others() -> None:
    alone = draw_schedule(SeededIds(5), "a", (FaultKind.LOST_ANSWER, FaultKind.CRASH), 0, HOUR)
    among = draw_schedule(SeededIds(5), "a", tuple(FaultKind), 0, HOUR)

    kinds = {FaultKind.LOST_ANSWER, FaultKind.CRASH}
    assert list(alone) == [fault for fault in among if fault.kind in kinds]


def test_a_schedule_stays_within_its_time() -> None:
    for seed in range(20):
        for fault in draw_schedule(SeededIds(seed), "a", tuple(FaultKind), 5 * SECOND, HOUR):
            assert 5 * SECOND <= fault.at_ns < HOUR
            assert fault.at_ns + fault.length_ns <= HOUR


def test_a_fault_says_when_what_and_for_how_long() -> None:
    rain = Fault(61 * SECOND, FaultKind.LOST_ANSWER, 90 * SECOND, 0.125)
    blow = Fault(5 * SECOND, FaultKind.CRASH, 0, 0.5)

    assert rain.describe() == "  1:01.000 lost_answer for 90.0 s at 12.50%"
    assert blow.describe() == "  0:05.000 crash (the process is killed)"


# --- gates


def test_who_is_dead_passes_nothing() -> None:
    gate = Gate()
    heard: list[str] = []
    gate.on_kill(lambda: heard.append("killed"))
    gate.passing("one")

    gate.kill("here")
    gate.kill("there")

    assert (gate.alive, gate.killed_at, heard) == (False, "here", ["killed"])
    for passing in (gate.check, lambda: gate.passing("two")):
        with pytest.raises(Killed):
            passing()
    gate.touch("three")
    assert gate.passed == {"one": 1}


def test_an_armed_gate_kills_at_the_nth_point_of_a_kind() -> None:
    gate = Gate()
    gate.arm(2, "commit")
    gate.passing("request leaves")
    gate.passing("commit begins")

    with pytest.raises(Killed):
        gate.passing("commit is done")

    assert gate.killed_at == "commit is done"


def test_a_gate_that_is_disarmed_lets_its_engine_live() -> None:
    gate = Gate()
    gate.arm(1)
    gate.disarm()

    gate.passing("anything")

    assert gate.alive


def test_a_kill_ends_every_task_of_the_engine_and_none_of_the_world() -> None:
    async def main(clock: VirtualClock) -> tuple[list[str], int]:
        install_task_factory(asyncio.get_running_loop())
        gate, ends = Gate(), list[str]()

        async def stubborn() -> None:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                ends.append("child unwinds")
                gate.check()
                ends.append("never")

        async def engine() -> None:
            task = asyncio.get_running_loop().create_task(stubborn())
            await task

        async def world() -> None:
            await clock.sleep_ns(SECOND)
            ends.append("world goes on")

        other = asyncio.get_running_loop().create_task(world())
        first = gate.run(engine())
        await clock.sleep_ns(1)
        gate.kill()
        left = await gate.bury()
        await other
        assert first.done()
        return ends, left

    assert run_virtual(main) == (["child unwinds", "world goes on"], 0)


def test_a_task_that_does_not_end_is_counted() -> None:
    async def main(clock: VirtualClock) -> int:
        install_task_factory(asyncio.get_running_loop())
        gate = Gate()

        async def immortal() -> None:
            while True:
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    if clock.now_ns() > SECOND:
                        raise

        gate.run(immortal())
        await clock.sleep_ns(1)
        gate.kill()
        left = await gate.bury()
        await clock.sleep_ns(2 * SECOND)
        await gate.bury()
        return left

    assert run_virtual(main) == 1


# --- seams


def test_the_machines_wall_may_be_set_and_its_monotonic_clock_not() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        gate, wall = Gate(), Wall()
        own = GatedClock(clock, gate, wall)
        rung: list[int] = []
        own.call_at_ns(2 * SECOND, lambda: rung.append(own.now_ns()))
        wall.offset_ns = 10 * SECOND
        assert (own.now_ns(), own.monotonic_ns()) == (10 * SECOND, 0)
        assert own.advance_to_ns(9 * SECOND)
        assert not own.advance_to_ns(11 * SECOND)
        await own.sleep_until_ns(13 * SECOND)
        rung.append(own.now_ns())
        own.call_at_ns(14 * SECOND, lambda: rung.append(-1))
        gate.kill()
        with pytest.raises(Killed):
            own.now_ns()
        await clock.sleep_ns(5 * SECOND)
        return rung

    assert run_virtual(main) == [12 * SECOND, 13 * SECOND]


def test_a_sleep_until_a_time_looks_again_when_the_wall_was_set_back() -> None:
    async def main(clock: VirtualClock) -> int:
        wall = Wall()
        own = GatedClock(clock, Gate(), wall)
        clock.call_at_ns(SECOND, lambda: setattr(wall, "offset_ns", -3 * SECOND))
        await own.sleep_until_ns(2 * SECOND)
        return clock.now_ns()

    assert run_virtual(main) == 5 * SECOND


def test_a_request_of_the_dead_takes_effect_all_the_same() -> None:
    async def main(clock: VirtualClock) -> tuple[list[str], list[str]]:
        install_task_factory(asyncio.get_running_loop())
        arrived: list[str] = []
        left: list[str] = []
        transport = VirtualTransport(clock)

        def answer(request: Request) -> Response:
            arrived.append(request.url)
            return Response(200, {}, b"")

        transport.serve("https://venue.test/", answer)
        gate = Gate()
        own = GatedTransport(transport, gate, Ears(lambda request: left.append(request.url)))
        gate.arm(1, "request left")
        gate.run(own_request(own))
        await clock.sleep_ns(SECOND)
        assert not gate.alive
        await gate.bury()
        return left, arrived

    async def own_request(own: GatedTransport) -> None:
        await own.request(Request("GET", "https://venue.test/time"), timeout_ns=SECOND)
        raise AssertionError("the dead hear no answer")

    assert run_virtual(main) == (["https://venue.test/time"], ["https://venue.test/time"])


def test_the_streams_of_the_dead_break() -> None:
    async def main(clock: VirtualClock) -> tuple[int, bool]:
        transport = VirtualTransport(clock)
        server = transport.serve("wss://venue.test/", stream=_listen)
        own = GatedTransport(transport, Gate(), Ears())
        await own.connect("wss://venue.test/user", timeout_ns=SECOND)
        closed = await own.connect("wss://venue.test/user", timeout_ns=SECOND)
        await closed.close()
        await closed.close()
        count = await own.hang_up()
        await clock.sleep_ns(SECOND)
        return count, len(server.streams) == 2

    assert run_virtual(main) == (1, True)


async def _listen(stream: ServerStream) -> None:
    await stream.receive()


def test_a_store_of_the_dead_takes_nothing_and_tells_what_is_safe() -> None:
    async def main(clock: VirtualClock) -> list[int]:
        gate, safe = Gate(), list[int]()
        store = GatedStore(MemoryDisk().open(), gate, safe.append)
        store.begin_run(
            "a",
            mode="rehearse",
            seed=None,
            config_hash="h",
            config_text="",
            now_ns=0,
            new_tag=lambda: 1,
        )
        seq = store.append(0, Incident(name="one", detail=""))
        await store.durable(seq)
        store.close()
        gate.kill()
        with pytest.raises(Killed):
            store.append(0, Incident(name="two", detail=""))
        assert store.place == "memory"
        return safe

    assert run_virtual(main) == [1]


def test_the_system_takes_the_locks_of_the_dead_and_keeps_their_notes() -> None:
    gate, markers, locks = Gate(), dict[str, str](), dict[str, str]()
    process = GatedProcess(gate, "simulated:1", markers, locks)
    assert process.lock("account") is not None
    process.write_marker("a.HALTED", "{}")

    gate.kill()

    assert (markers, locks) == ({"a.HALTED": "{}"}, {})
    with pytest.raises(Killed):
        process.write_marker("b", "")


# --- shrinking and reporting


@given(st.sets(st.integers(0, 40), max_size=4), st.integers(1, 60))
def test_shrinking_leaves_what_it_takes_and_nothing_else(needed: set[int], count: int) -> None:
    faults = tuple(range(max(count, 41)))

    found = shrink(faults, lambda only: needed <= set(only), tries=10_000)

    assert set(found) == needed


def test_shrinking_stops_when_its_tries_are_used_up() -> None:
    tried: list[tuple[int, ...]] = []

    def never(only: tuple[int, ...]) -> bool:
        tried.append(only)
        return False

    found = shrink(tuple(range(100)), never, tries=3)

    assert (len(tried), len(found)) == (3, 100)


def test_a_failure_tells_all_that_is_needed_to_see_it_again() -> None:
    failure = Failure(
        seed=7,
        version="abc",
        violation=Violation("one order lives in a slot", "2 in BUY 0", 61 * SECOND),
        faults=(Fault(5 * SECOND, FaultKind.CRASH, 0, 0.5),),
        history=tuple(f"line {number}" for number in range(100)),
        command="fairlead simulate --seeds 7-7 --hours 0.25 --only 3",
    )

    text, data = failure.describe(), failure.as_json()

    assert "seed 7, fairlead abc:   1:01.000 one order lives in a slot: 2 in BUY 0" in text
    assert "line 99" in text
    assert "line 3\n" not in text
    assert text.endswith("again: fairlead simulate --seeds 7-7 --hours 0.25 --only 3")
    assert data["faults"] == ["  0:05.000 crash (the process is killed)"]
    assert (data["rule"], data["at_ns"], len(data["trace"])) == (
        "one order lives in a slot",
        61 * SECOND,
        40,
    )


def test_a_report_sums_its_seeds_in_the_form_of_the_contract() -> None:
    report = SimulationReport()
    for seed in (2, 1):
        report.add(
            SeedResult(
                seed=seed,
                elapsed_ns=HOUR // 4,
                orders=10,
                lives=2,
                counts={"crash": 1, "ban": seed},
                trace_hash=f"hash {seed}",
            )
        )

    assert json.loads(json.dumps(report.as_json())) == {
        "schema": 1,
        "seeds": 2,
        "sim_hours": 0.5,
        "orders": 20,
        "faults": {"ban": 3, "crash": 2},
        "violations": [],
        "trace_hashes": {"1": "hash 1", "2": "hash 2"},
    }


def test_the_history_keeps_the_last_that_happened() -> None:
    now = [0]
    history = History(lambda: now[0])
    for number in range(500):
        now[0] = number * SECOND
        history.note("world", f"note {number}")
    history.record("#1", Incident(name="one", detail="two"))

    lines = history.lines()

    assert len(lines) == 120
    assert lines[-2] == "  8:19.000 world    note 499"
    assert '"name":"one"' in lines[-1]


def test_a_violation_is_known_at_once() -> None:
    violations = Violations(lambda: 5)

    violations.add("a rule", "a detail")

    assert violations.any.is_set()
    assert violations.found == [Violation("a rule", "a detail", 5)]


def test_a_version_is_a_commit_or_a_number() -> None:
    assert version()


def test_a_plant_is_found_by_name() -> None:
    assert named_plant("exception-is-failed") is PLANTS["exception_is_failed"]
    with pytest.raises(UsageError, match="--plant 'weeds'"):
        named_plant("weeds")
