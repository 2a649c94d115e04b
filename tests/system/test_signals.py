"""Signals to real processes: heard at once, by loops that wait for time and by those that nap."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

pytestmark = pytest.mark.system

LIMIT_S = 20.0

#: A process that waits for a minute on its loop, and tells what it hears.
WAITING = """
import asyncio, sys, time
from pathlib import Path
from fairlead.kernel import SystemProcess, VirtualLoop

async def main():
    stop = asyncio.Event()
    process = SystemProcess(Path("."))
    end = process.on_stop(lambda: (print("stop", flush=True), stop.set()))
    process.on_kill(lambda: (print("kill", flush=True), stop.set()))
    print("ready", flush=True)
    began = time.monotonic()
    try:
        async with asyncio.timeout(60):
            await stop.wait()
        print(f"{time.monotonic() - began < 30}", flush=True)
    finally:
        end()
    print("clean", flush=True)

KIND = sys.argv[1]
if KIND == "real":
    asyncio.run(main())
else:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(pace=1.0)) as runner:
        runner.run(main())
"""


@pytest.fixture
def waiting(request: pytest.FixtureRequest) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITING, request.param],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
    finally:
        process.kill()
        process.communicate(timeout=LIMIT_S)


@pytest.mark.parametrize("waiting", ["real", "virtual"], indirect=True)
@pytest.mark.parametrize(
    ("number", "word"),
    [(signal.SIGINT, "stop"), (signal.SIGTERM, "stop"), (signal.SIGUSR1, "kill")],
)
def test_a_loop_that_waits_hears_a_signal_at_once(
    waiting: "subprocess.Popen[str]", number: signal.Signals, word: str
) -> None:
    began = time.monotonic()

    os.kill(waiting.pid, number)
    out, err = waiting.communicate(timeout=LIMIT_S)

    assert out.split() == [word, "True", "clean"]
    assert (waiting.returncode, err) == (0, "")
    assert time.monotonic() - began < 10


RESTORED = """
import signal
from pathlib import Path
from fairlead.kernel import SystemProcess

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in background
heard = []
before = signal.getsignal(signal.SIGTERM)
end = SystemProcess(Path(".")).on_stop(lambda: heard.append("stop"))
signal.raise_signal(signal.SIGTERM)
signal.raise_signal(signal.SIGINT)
end()
assert heard == ["stop", "stop"], heard
assert signal.getsignal(signal.SIGTERM) is before
try:
    signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    print("restored")
"""


def test_without_a_loop_signals_are_heard_too_and_given_back_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RESTORED],
        capture_output=True,
        text=True,
        check=False,
        timeout=LIMIT_S,
    )

    assert (done.stdout, done.stderr) == ("restored\n", "")
