"""Rehearse in real processes: a venue that is served on this machine, and engines against it."""

import json
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.system import command
from tests.system.command import FAIRLEAD, LIMIT_S, LIMITED

PLUGIN = Path(__file__).parent / "neutral_plugin"

CONFIG = """
[engine]
instance = "demo"
mode = "rehearse"
tick = "100 ms"
currency = "USDT"
dead_man = "{dead_man}"

[plugins]
enable = ["neutral", "pmm", "risk"]

[venues.main]
connector = "neutral"
address = "{address}"
window = "1 s"
skew = "500 ms"

[strategies.alt]
controller = "pmm"
market = "main:ALT/USDT"
every = "100 ms"
spread = "30 bps"
levels = {{ count = 2, step = "10 bps" }}
order_size = "250 USDT"
refresh = {{ every = "1 s", keep_within = "1 bps" }}
inventory = {{ target = "50%", band = "40%", price_skew = "4 bps" }}

[risk]
warm_up = "100 ms"
max_position = "20000 USDT"
max_order = "1000 USDT"
daily_loss = "50%"
max_drawdown = "50%"
"""


def environment(*, measured: bool = True) -> dict[str, str]:
    """The environment of a machine where somebody has installed the plugin."""
    kept = command.environment({}, measured=measured)
    paths = [str(PLUGIN), *filter(None, [kept.get("PYTHONPATH")])]
    return {**kept, "PYTHONPATH": os.pathsep.join(paths)}


def until(true: Callable[[], Any], what: str, limit_s: float = LIMIT_S) -> float:
    """Wait until something holds; gives how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < limit_s, f"not within {limit_s} s: {what}"
        time.sleep(0.02)
    return time.monotonic() - began


class ServedVenue:
    """The venue's truth and knobs, beside its protocol."""

    def __init__(self, address: str) -> None:
        self.address = address

    def truth(self) -> dict[str, Any]:
        """Give orders, effects, fills and balances as they are."""
        return self._ask("truth", None)

    def open(self, origin: str = "engine") -> list[str]:
        """Give the client ids of the orders that rest."""
        return [one["client_id"] for one in self.truth()["open"] if one["origin"] == origin]

    def knobs(self, **values: object) -> None:
        """Set knobs."""
        self._ask("knobs", values)

    def reset(self) -> None:
        """Begin anew: no orders, no timers, nothing in the way."""
        self._ask("reset", {})

    def deed(self, deed: str, **arguments: object) -> str:
        """Do a deed; gives its result as text."""
        return str(self._ask("deed", {"deed": deed, "arguments": arguments})["result"])

    def _ask(self, what: str, body: object) -> dict[str, Any]:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/admin/{what}", data)  # noqa: S310 - http
        with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310 - our own server
            answered: dict[str, Any] = json.load(answer)
        return answered


@contextmanager
def served(folder: Path) -> Iterator[ServedVenue]:
    """Serve a venue in a process of its own."""
    with (folder / "venue.log").open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "fairlead.testing.serve", "--frame", "200 ms"],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(measured=False),
        )
    try:
        assert process.stdout is not None
        yield ServedVenue(json.loads(process.stdout.readline())["address"])
    finally:
        process.terminate()
        process.wait(LIMIT_S)
        if process.stdout is not None:
            process.stdout.close()


class Rehearsal:
    """One configuration in one folder, and the processes that use it."""

    # By default a busy machine may take its time before the venue's timer cancels in our place.
    def __init__(
        self, folder: Path, venue: ServedVenue, *, dead_man: str = "25 s", measured: bool = True
    ) -> None:
        self.folder = folder
        self.venue = venue
        self.config = folder / "plugins.toml"
        self.config.write_text(CONFIG.format(address=venue.address, dead_man=dead_man))
        self._measured = measured
        self._running: list[subprocess.Popen[str]] = []

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin to run an engine."""
        return self.launch("run", *arguments)

    def launch(self, *words: str) -> "subprocess.Popen[str]":
        """Begin a command that runs an engine; what it says stands in a log."""
        log = (self.folder / f"engine-{len(self._running)}.log").open("w")
        with log:
            process = subprocess.Popen(
                [FAIRLEAD, *words],
                cwd=self.folder,
                env=environment(measured=self._measured),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self._running.append(process)
        return process

    def quoting(self) -> "subprocess.Popen[str]":
        """Run an engine and wait until its four quotes rest."""
        process = self.start()
        until(lambda: process.poll() is not None or len(self.venue.open()) == 4, "four quotes")
        assert process.poll() is None, self.said()
        return process

    def quoting_again(self, before: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
        """Run another engine beside one that is still there, and wait until it quotes."""
        old = self.venue.open()
        process = self.start()

        def fresh() -> bool:
            names = self.venue.open()
            return len(names) == 4 and not [name for name in names if name in old]

        until(lambda: process.poll() is not None or fresh(), "four new quotes")
        assert (process.poll(), before.poll()) == (None, None), self.said()
        return process

    def begin(self, *arguments: str) -> "subprocess.Popen[str]":
        """Begin a command."""
        process = subprocess.Popen(
            [FAIRLEAD, *arguments],
            cwd=self.folder,
            env=environment(measured=self._measured),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._running.append(process)
        return process

    def said(self, number: int = -1) -> str:
        """Give what an engine has said, by default the last one."""
        logs = sorted(self.folder.glob("engine-*.log"))
        return logs[number].read_text()

    def call(
        self, *arguments: str, largest_file: int | None = None
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end; ``largest_file`` in bytes is where the disk is full."""
        words = [FAIRLEAD, *arguments]
        if largest_file is not None:
            words = [sys.executable, "-c", LIMITED, str(largest_file), *words]
        return subprocess.run(
            words,
            cwd=self.folder,
            env=environment(measured=self._measured),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            text=True,
            timeout=LIMIT_S,
        )

    def end(self) -> None:
        """Leave no process behind."""
        for process in self._running:
            if process.poll() is None:
                process.kill()
            process.wait(LIMIT_S)
