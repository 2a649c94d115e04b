"""``fairlead execute`` as a process, on the system's clock: Ctrl-C, ``kill`` and ``kill -9``.

Bound: each test ends within 60 s, most within fifteen.
"""

import json
import re
import signal
import subprocess
from collections import Counter
from decimal import Decimal
from typing import Any

import pytest

from fairlead.errors import ExitCode
from fairlead.store import open_reader
from tests.system.command import LIMIT_S
from tests.system.rehearsal import Rehearsal, ServedVenue, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(60)]

MARKET = ("--market", "main:ALT/USDT")
#: Buys a piece every second by taking; far from done when a test ends it.
LONG = [
    *("execute", "twap", *MARKET, "--side", "BUY", "--quantity", "3000", "--mode", "TAKER"),
    *("--duration", "60 s", "--interval", "1 s"),
]
#: Rests where nobody comes, for as long as a test wants.
RESTING = [
    *("execute", "tiered", *MARKET, "--side", "BUY", "--quantity", "100"),
    *("--mode", "limit_only", "--timeout", "60 s"),
]


def bought(venue: ServedVenue) -> Decimal:
    """What the venue says that we bought."""
    signs = {"BUY": 1, "SELL": -1}
    return sum(
        (signs[one["side"]] * Decimal(one["quantity"]) for one in venue.truth()["fills"]),
        start=Decimal(0),
    )


def begun(rehearsal: Rehearsal, *words: str, fills: int = 1) -> "subprocess.Popen[str]":
    """Begin a plan and wait until it has so many fills."""
    process = rehearsal.launch(*words)
    venue = rehearsal.venue
    until(
        lambda: process.poll() is not None or len(venue.truth()["fills"]) >= fills,
        f"{fills} fills",
    )
    assert process.poll() is None, rehearsal.said()
    return process


def executions(rehearsal: Rehearsal) -> dict[str, Any]:
    done = rehearsal.call("executions", "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda one: str(one.name))
def test_a_signal_ends_the_plan_with_proof_and_prints_what_was_done_so_far(
    rehearsal: Rehearsal, number: signal.Signals
) -> None:
    process = begun(rehearsal, *LONG, fills=2)

    process.send_signal(number)
    code = process.wait(LIMIT_S)

    said = rehearsal.said()
    assert code == ExitCode.CHECK_FAILED, said
    assert "Traceback" not in said
    assert "not proven gone" not in said
    assert "unfinished" not in said
    assert rehearsal.venue.open() == []
    done = bought(rehearsal.venue)
    assert 0 < done < 3000
    assert said.splitlines()[0].startswith("twap  not complete (stopped)")
    told = re.search(r"BUY  main:ALT/USDT  ([\d,.]+) of 3,?000", said)
    assert told is not None, said
    assert Decimal(told[1].replace(",", "")) == done
    found = executions(rehearsal)
    assert found["without_an_end"] == []
    (one,) = found["executions"]
    assert Decimal(one["result"]["legs"][0]["filled"]) == done


def test_a_signal_takes_what_rests_away_before_the_plan_ends(rehearsal: Rehearsal) -> None:
    process = rehearsal.launch(*RESTING)
    until(lambda: process.poll() is not None or rehearsal.venue.open() != [], "it rests")
    assert process.poll() is None, rehearsal.said()

    process.send_signal(signal.SIGINT)
    code = process.wait(LIMIT_S)

    assert code == ExitCode.CHECK_FAILED, rehearsal.said()
    assert rehearsal.venue.open() == []
    reader = open_reader(f"sqlite:///{rehearsal.folder}/fairlead.db")
    (run,) = reader.runs("demo")
    reader.close()
    assert (run.reason, run.proven) == ("asked to stop", True)


def test_many_signals_lose_nothing_of_the_result(rehearsal: Rehearsal) -> None:
    process = begun(rehearsal, *LONG)

    for _ in range(5):
        process.send_signal(signal.SIGINT)
    code = process.wait(LIMIT_S)

    said = rehearsal.said()
    assert "Traceback" not in said
    # Whoever is in such a hurry may get no proof any more, but is told so.
    assert code in {ExitCode.CHECK_FAILED, ExitCode.NOT_PROVEN_GONE}, said
    assert (code == ExitCode.NOT_PROVEN_GONE) == ("not proven gone" in said)


def test_a_killed_plan_is_found_with_what_it_holds_and_gone_on_with_to_its_end(
    rehearsal: Rehearsal,
) -> None:
    # What is missed while nobody runs is caught up with, so that all of it is there in the end.
    words = [word.replace("3000", "300").replace("60 s", "15 s") for word in LONG]
    words += ["--max-slice", "60", "--order-resubmission-time", "200 ms"]
    process = begun(rehearsal, *words, fills=2)

    process.kill()
    assert process.wait(10) == -signal.SIGKILL
    found = executions(rehearsal)
    done = rehearsal.call(*words)

    (left,) = found["without_an_end"]
    assert left["name"] == "twap"
    assert 0 < Decimal(left["held"]["main:ALT/USDT"]) < 300
    assert done.returncode == 0, done.stderr + done.stdout
    assert "an earlier run left twap" in done.stderr
    assert "it is gone on with instead" in done.stderr
    assert "300 of 300" in done.stdout
    # Nothing was asked for again that had filled before the death, and no order was sent twice.
    truth = rehearsal.venue.truth()
    assert bought(rehearsal.venue) == 300
    assert truth["open"] == []
    created = Counter(one["client_id"] for one in truth["effects"] if one["kind"] == "created")
    assert [name for name, times in created.items() if times > 1] == []
    found = executions(rehearsal)
    assert (found["without_an_end"], len(found["executions"])) == ([], 1)


def test_a_signal_before_a_killed_position_goes_on_says_what_is_held_and_loses_nothing(
    rehearsal: Rehearsal,
) -> None:
    venue = rehearsal.venue
    words = [
        *("execute", "position", *MARKET, "--side", "BUY", "--quantity", "100"),
        *("--entry", "market", "--stop-loss", "20%", "--time-limit", "8 s"),
    ]
    begun(rehearsal, *words).kill()
    venue.knobs(latency_ns=[600_000_000, 600_000_000])  # what it reads of the account takes long
    second = rehearsal.launch(*words)
    until(lambda: "an earlier run left position" in rehearsal.said(), "it is taken up")

    second.send_signal(signal.SIGINT)
    code = second.wait(LIMIT_S)
    venue.knobs(latency_ns=[0, 0])

    said, held = rehearsal.said(), bought(venue)
    assert code == ExitCode.CHECK_FAILED, said
    assert f"unfinished: execute execution position (position): holds +{held} on" in said
    assert "no result: it has no end yet" in said
    third = rehearsal.call(*words)
    assert third.returncode == 0, third.stderr
    assert "position  complete (time limit)" in third.stdout
    # A fee in base leaves less than was bought: a lot of it cannot be sold.
    assert bought(venue) == 1
    assert venue.open() == []
