"""An engine on the system's clock against a venue with real sockets, and all that may end it.

Bound: each test ends within 60 s, most within six.
"""

import json
import os
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.system.command import LIMIT_S
from tests.system.rehearsal import Rehearsal, ServedVenue, until

pytestmark = pytest.mark.system

NOTE = "demo.HALTED"


@pytest.fixture
def guarded(venue: ServedVenue, tmp_path: Path) -> Iterator[Rehearsal]:
    """With a dead-man bound so short that nobody has to wait for it."""
    one = Rehearsal(tmp_path, venue, dead_man="2 s")
    yield one
    one.end()


def test_a_rehearsal_trades_in_real_time_and_stops_with_proof(rehearsal: Rehearsal) -> None:
    done = rehearsal.call("run", "--for", "2 s", "--json")

    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["mode"] == "rehearse"
    assert report["strategies"]["alt"]["orders"]["created"] >= 4
    assert rehearsal.venue.open() == []
    assert sorted(path.name for path in rehearsal.folder.glob("demo.*")) == []


def test_a_rehearsal_knows_no_speed(rehearsal: Rehearsal) -> None:
    done = rehearsal.call("run", "--speed", "max")

    assert done.returncode == 2
    assert done.stderr == "--speed 'max': mode 'rehearse' runs in real time; leave it out\n"


def test_real_money_is_refused_in_a_plain_sentence(rehearsal: Rehearsal) -> None:
    done = rehearsal.call("run", "--set", "engine.mode=live")

    assert done.returncode == 2
    assert 'engine.mode = "live": "live" is not available in this version' in done.stderr


def test_play_money_and_a_real_venue_do_not_mix(rehearsal: Rehearsal) -> None:
    done = rehearsal.call("run", "--set", "engine.mode=paper")

    assert done.returncode == 2
    assert "mode 'paper' needs a connector of play money" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_clean_well_within_the_grace_of_a_container(
    rehearsal: Rehearsal, number: signal.Signals
) -> None:
    engine = rehearsal.quoting()

    engine.send_signal(number)

    assert engine.wait(9) == 0, rehearsal.said()
    assert rehearsal.venue.open() == []
    assert "0 orders left (proven twice)" in rehearsal.said()


def test_a_second_signal_ends_at_once_and_lists_what_is_not_proven(rehearsal: Rehearsal) -> None:
    engine = rehearsal.quoting()
    rehearsal.venue.knobs(latency_ns=[0, 0], request_lost=1.0)

    engine.send_signal(signal.SIGINT)
    with pytest.raises(subprocess.TimeoutExpired):
        engine.wait(1)
    engine.send_signal(signal.SIGINT)
    ended = until(lambda: engine.poll() is not None, "the end")
    rehearsal.venue.knobs(request_lost=0.0)

    assert engine.returncode == 4
    assert ended < 10  # a clean stop would go on for a minute
    assert "not proven gone: nobody has looked whether anything is left" in rehearsal.said()


def test_a_second_engine_of_the_instance_is_refused_and_the_first_is_named(
    rehearsal: Rehearsal,
) -> None:
    engine = rehearsal.quoting()

    second = rehearsal.call("run", "--for", "1 s")

    assert second.returncode == 2
    assert f"instance 'demo': is run by {os.uname().nodename}:{engine.pid}" in second.stderr
    assert second.stderr.count("\n") == 1
    assert len(rehearsal.venue.open()) == 4


def test_after_kill_9_the_next_engine_finds_the_lock_free_and_takes_the_orders_up(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.quoting().kill()
    left = rehearsal.venue.open()

    done = rehearsal.call("run", "--for", "500 ms", "--json")

    assert done.returncode == 0, done.stderr
    assert len(left) == 4
    assert rehearsal.venue.open() == []
    assert unfinished(rehearsal.folder) == []


def fall_asleep(process: "subprocess.Popen[str]", database: Path) -> None:
    """Stop a process at an instant at which it does not hold the database."""

    def asleep() -> bool:
        process.send_signal(signal.SIGSTOP)
        connection = sqlite3.connect(database, timeout=0.2, isolation_level=None)
        try:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
        except sqlite3.OperationalError:
            process.send_signal(signal.SIGCONT)
            return False
        finally:
            connection.close()
        return True

    until(asleep, "the process sleeps without the database")


def test_a_process_that_wakes_up_after_another_took_over_writes_and_sends_nothing(
    rehearsal: Rehearsal,
) -> None:
    first = rehearsal.quoting()
    fall_asleep(first, rehearsal.folder / "fairlead.db")
    for name in ("fairlead.db.demo.lock", "demo.sock"):
        (rehearsal.folder / name).unlink()  # a disk that forgets locks
    second = rehearsal.quoting_again(first)

    first.send_signal(signal.SIGCONT)
    assert first.wait(LIMIT_S) in (4, 5), rehearsal.said(0)

    assert "another process has begun run 2 of this instance" in rehearsal.said(0)
    assert not (rehearsal.folder / NOTE).exists()
    assert second.poll() is None
    epochs = {name[6:10] for name in rehearsal.venue.open()}
    assert epochs == {"aaac"}
    second.send_signal(signal.SIGTERM)
    assert second.wait(LIMIT_S) == 0, rehearsal.said(1)


def test_another_fairlead_on_the_account_ends_quoting(rehearsal: Rehearsal) -> None:
    rehearsal.quoting()

    name = rehearsal.venue.deed("foreign_order")
    rehearsal.venue.deed("drop_streams")  # it reads the account anew when they are back
    until(lambda: rehearsal.venue.open() == [], "our quotes are pulled")

    assert rehearsal.venue.open("foreign") != []
    assert name


# --- the kill switch


def test_a_signal_halts_and_the_halt_outlives_the_process_until_it_is_lifted(
    rehearsal: Rehearsal,
) -> None:
    engine = rehearsal.quoting()

    engine.send_signal(signal.SIGUSR1)
    assert engine.wait(LIMIT_S) == 5, rehearsal.said()
    again = rehearsal.call("run", "--for", "1 s")
    unasked = rehearsal.call("resume")
    lifted = rehearsal.call("resume", "--yes")

    assert rehearsal.venue.open() == []
    assert again.returncode == 5
    assert "kill_switch: asked by a signal" in again.stderr
    assert unasked.returncode == 2
    assert unasked.stderr.startswith("demo is halted by kill_switch since 2")
    assert lifted.returncode == 0
    assert "because: asked by a signal" in lifted.stderr
    assert not (rehearsal.folder / NOTE).exists()


def test_a_file_halts(rehearsal: Rehearsal) -> None:
    engine = rehearsal.quoting()

    (rehearsal.folder / NOTE).touch()

    assert engine.wait(LIMIT_S) == 5
    assert rehearsal.venue.open() == []
    assert "kill_switch: a file asks for it" in rehearsal.said()


# --- panic


def test_panic_halts_a_running_engine_and_proves_its_orders_gone(rehearsal: Rehearsal) -> None:
    engine = rehearsal.quoting()

    done = rehearsal.call("panic", "--reason", "the feed is wrong", "--json")

    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["halted"], answer["not_proven_gone"]) == (True, [])
    assert engine.wait(LIMIT_S) == 5
    assert rehearsal.venue.open() == []
    assert json.loads((rehearsal.folder / NOTE).read_text())["reason"] == "the feed is wrong"


def test_panic_works_without_an_engine_and_with_mistakes_and_leaves_the_orders_of_others(
    rehearsal: Rehearsal,
) -> None:
    rehearsal.venue.deed("external_order")
    others = rehearsal.venue.open("external")
    rehearsal.quoting().kill()
    mine = rehearsal.venue.open()

    done = rehearsal.call("panic", "--set", "strategies.alt.spread=wide", "--flatten", "1%")

    # Everything is cancelled; but a configuration with mistakes trades nothing, exits included.
    assert done.returncode == 1, done.stderr
    assert "\nnot flattened: --set: strategies.alt.spread" in done.stderr
    assert rehearsal.venue.open() == []
    assert rehearsal.venue.open("external") == others
    assert [name for name in mine if name not in done.stdout] == []
    assert "proven: no order is left, 4 cancelled from here" in done.stdout


def test_panic_cancels_and_halts_although_the_disk_is_full(rehearsal: Rehearsal) -> None:
    rehearsal.quoting().kill()

    done = rehearsal.call("panic", largest_file=1)

    assert done.returncode == 0, done.stderr
    assert rehearsal.venue.open() == []
    assert (rehearsal.folder / NOTE).read_text() == ""  # no room for words
    assert "proven: no order is left, 4 cancelled from here" in done.stdout
    assert rehearsal.call("run", "--for", "1 s").returncode == 5


def test_panic_does_not_call_proven_what_a_process_that_hangs_may_still_send(
    rehearsal: Rehearsal,
) -> None:
    engine = rehearsal.quoting()
    engine.send_signal(signal.SIGSTOP)

    panic = rehearsal.begin("panic")
    until(lambda: rehearsal.venue.open() == [], "the orders are cancelled")
    assert panic.poll() is None
    engine.kill()

    assert panic.wait(LIMIT_S) == 0


def test_panic_flattens_at_bounded_prices_and_quotes_nothing(rehearsal: Rehearsal) -> None:
    rehearsal.quoting().kill()
    rehearsal.venue.deed("transfer", asset="ALT", amount=1_000)  # half of it is too much
    before = rehearsal.venue.truth()

    done = rehearsal.call("panic", "--flatten", "2%", "--json")

    assert done.returncode == 0, done.stderr
    truth, (exit_,) = rehearsal.venue.truth(), json.loads(done.stdout)["exits"]
    assert (exit_["market"], exit_["to"], exit_["open"]) == ("main:ALT/USDT", "target", False)
    assert Decimal(exit_["filled"]) > 0
    assert truth["open"] == []
    fresh = truth["effects"][len(before["effects"]) :]
    later = {one["client_id"] for one in fresh if one["client_id"][6:10] == "aaac"}
    assert len(later) == len({one["client_id"] for one in truth["fills"]} & later)
    assert (rehearsal.folder / NOTE).exists()


def test_panic_refuses_a_bound_that_is_none(rehearsal: Rehearsal) -> None:
    done = rehearsal.call("panic", "--flatten", "1")

    assert done.returncode == 2
    assert not (rehearsal.folder / NOTE).exists()


# --- what cancels when the engine cannot


def test_after_kill_9_the_timer_of_the_venue_cancels(guarded: Rehearsal) -> None:
    guarded.quoting().kill()

    lasted = until(lambda: guarded.venue.open() == [], "the timer has gone off", 10)

    assert lasted < 3
    assert guarded.venue.truth()["counts"]["dead_man"] == 1
    assert not (guarded.folder / "demo.watchdog.log").exists()


def test_where_the_timer_is_refused_a_watchdog_cancels_after_kill_9(guarded: Rehearsal) -> None:
    venue, log = guarded.venue, guarded.folder / "demo.watchdog.log"
    venue.knobs(dead_man=False)
    venue.deed("external_order")
    others = venue.open("external")
    engine = guarded.quoting()
    until(lambda: "watching demo, run 1" in log.read_text(), "the watchdog watches")
    engine.kill()

    lasted = until(lambda: venue.open() == [], "the watchdog has cancelled", 10)
    until(lambda: "proven: no order of demo is left" in log.read_text(), "the proof")

    assert lasted < 5
    assert venue.open("external") == others != []
    assert "demo has been silent for 2 s: cancelling its orders" in log.read_text()


def test_a_watchdog_that_hangs_is_replaced_and_a_clean_end_ends_it(guarded: Rehearsal) -> None:
    guarded.venue.knobs(dead_man=False)
    engine, log = guarded.quoting(), guarded.folder / "demo.watchdog.log"
    until(lambda: "watching demo, run 1" in log.read_text(), "the watchdog watches")

    first = children(engine.pid)
    os.kill(first[0], signal.SIGSTOP)
    until(lambda: children(engine.pid) not in ([], first), "another watchdog")
    second = children(engine.pid)
    engine.send_signal(signal.SIGTERM)

    assert engine.wait(LIMIT_S) == 0, guarded.said()
    assert not Path(f"/proc/{first[0]}").exists()
    assert not Path(f"/proc/{second[0]}").exists()
    assert not (guarded.folder / "demo.watchdog").exists()


def children(number: int) -> list[int]:
    found = Path(f"/proc/{number}/task/{number}/children").read_text().split()
    return [int(one) for one in found]


def unfinished(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "fairlead.db")
    closed = ("FILLED", "CANCELLED", "REJECTED", "EXPIRED")
    ended = {
        row[0]
        for row in connection.execute(
            f"SELECT client_id FROM transitions WHERE after IN {closed}"  # noqa: S608 - constants
        )
    }
    orders = [row[0] for row in connection.execute("SELECT client_id FROM orders")]
    connection.close()
    return [one for one in orders if one not in ended]
