"""A running engine and the commands that steer it, all of them real processes.

Bound: each process ends within 30 s, most within one; an engine runs for a few seconds.
"""

import json
import os
import pty
import re
import select
import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from fairlead.cli.main import main
from fairlead.errors import ControlError
from fairlead.kernel import ControlClient, Panic, Status
from tests.conftest import ROOT
from tests.system.command import LIMIT_S, begin, call

pytestmark = pytest.mark.system

MARKET = "main:ALT/USDT"
DEMO = (ROOT / "plugins.toml").read_text(encoding="utf-8")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")
#: The market is warm at once, and a minute of it takes a second and a half.
RUN = ("run", "--speed", "40", "--set", "risk.warm_up=1 s")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with the shipped configuration."""
    (tmp_path / "plugins.toml").write_text(DEMO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Said]:
    """Give a command as `fairlead` does, without a process for each."""

    def call(*words: str) -> Said:
        capsys.readouterr()
        code = main(words)
        return Said(code, *capsys.readouterr())

    return call


Say = Callable[..., Said]


def told(say: Say, *words: str) -> dict[str, Any]:
    said = say(*words, "--json")
    assert said.err == ""
    found: dict[str, Any] = json.loads(said.out)
    assert found["schema"] == 1
    return found


@contextmanager
def running(folder: Path, *more: str) -> Iterator["subprocess.Popen[str]"]:
    """An engine that quotes; it is killed at the latest at the end."""
    process = begin(*RUN, *more, cwd=folder, measured=False)
    try:
        wait_for(folder, lambda status: status["orders"] > 0)
        yield process
    finally:
        process.kill()
        process.wait(LIMIT_S)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def wait_for(folder: Path, enough: Callable[[dict[str, Any]], bool]) -> None:
    socket = folder / "demo.sock"
    for _ in range(int(LIMIT_S / 0.05)):
        with suppress(ControlError), ControlClient(socket, "demo", "test") as client:
            if enough(client.ask(Status())):
                return
        select.select([], [], [], 0.05)
    raise AssertionError("the engine does not quote")


def test_an_engine_is_looked_at_and_steered_from_outside(folder: Path, say: Say) -> None:
    with running(folder) as engine:
        assert call("status", cwd=folder).stdout.startswith("demo · PAPER · running for ")
        assert told(say, "status")["phase"] == "running"
        assert told(say, "orders")["orders"]
        assert told(say, "positions")["positions"][0]["market"] == MARKET
        assert told(say, "balances")["known"]
        assert told(say, "pnl")["currency"] == "USDT"
        assert "fills" in told(say, "fills", "--last", "3")
        assert told(say, "attach")["instance"] == "demo"
        assert told(say, "pause", "alt")["paused"] == ["alt"]
        wait_for(folder, lambda status: status["orders"] == 0)
        assert told(say, "resume", MARKET)["resumed"] == ["alt"]
        wait_for(folder, lambda status: status["orders"] > 0)
        assert told(say, "cancel")["orders"]
        assert told(say, "strategy", "reload", "alt")["change"] == "reload"
        assert told(say, "flatten", MARKET, "--max-slippage", "50 bps")["open"] is False
        engine.send_signal(signal.SIGINT)
        assert engine.wait(LIMIT_S) == 0

    lines = say("logs", "--kind", "control", "--json").out.splitlines()
    asked = [json.loads(line) for line in lines]
    assert [(one["command"], one["refused"]) for one in asked] == [
        ("pause", ""),
        ("resume", ""),
        ("cancel", ""),
        ("strategy", ""),
        ("flatten", ""),
    ]
    assert asked[0]["who"] == f"command (user {os.getuid()})"
    assert say("logs", "--kind", "control").out.count(" by command (user ") == 5
    assert not (folder / "demo.sock").exists()


def test_people_get_sentences_and_tables(folder: Path, say: Say) -> None:
    with running(folder):
        status = say("status").out
        assert "risk ACTIVE\n" in status
        assert re.search(rf"  alt on {MARKET}: \d quotes, \d orders", status)
        assert "order " in say("orders").out.splitlines()[0]
        assert "gap value" in say("positions").out.splitlines()[0]
        assert "reserved" in say("balances").out.splitlines()[0]
        assert "trading = total − holding" in say("pnl").out
        assert say("fills").out
        assert "demo · PAPER · " in say("attach").out
        assert say("pause").out == "paused: alt; go on: fairlead resume \n"
        wait_for(folder, lambda status: status["orders"] == 0)
        assert say("orders").out == "no live order\n"
        assert "paused: by command" in say("status").out
        assert say("resume").out == "resumed: alt\n"
        assert say("resume").out == "resumed: nothing was paused\n"
        assert say("cancel", MARKET).out.startswith("cancelling ")
        assert say("flatten", MARKET, "--max-slippage", "50 bps").out.startswith(f"{MARKET}: ")
        assert say("strategy", "remove", "alt").out == f"remove alt on {MARKET}: done\n"


def test_a_refusal_is_one_line_and_its_exit_code(folder: Path, say: Say) -> None:
    with running(folder):
        assert say("pause", "nix") == Said(
            2, "", f"demo: no strategy or market 'nix'; there are: alt, {MARKET}\n"
        )


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["orders"],
        ["positions"],
        ["balances"],
        ["pnl"],
        ["fills"],
        ["attach"],
        ["pause"],
        ["resume"],
        ["cancel"],
        ["flatten", MARKET, "--max-slippage", "1%"],
        ["strategy", "reload", "alt"],
    ],
    ids=lambda words: words[0],
)
def test_where_no_engine_runs_that_is_said(folder: Path, say: Say, words: list[str]) -> None:
    said = say(*words)

    reason = "no engine runs (demo.sock does not answer); start one: fairlead run"
    assert (said.code, said.err) == (3, f"demo: {reason}\n")


def test_an_engine_is_found_by_its_configuration_its_store_or_its_name(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir()
    store = str(folder / "fairlead.db")
    with running(folder):
        assert say("status", "--instance", "other").code == 3
        monkeypatch.chdir(elsewhere)
        for words in (
            ["--config", str(folder / "plugins.toml")],
            ["--store", store],
            ["--store", f"sqlite:///{store}", "--instance", "demo"],
        ):
            assert told(say, "status", *words)["mode"] == "paper"
        none = "--instance: say which engine; there are: none run in this folder\n"
        assert say("status") == Said(2, "", none)


def test_a_killed_engine_leaves_a_socket_that_the_next_replaces(folder: Path, say: Say) -> None:
    with running(folder) as engine:
        engine.send_signal(signal.SIGKILL)
        engine.wait(LIMIT_S)
    assert (folder / "demo.sock").exists()
    assert say("status").code == 3

    with running(folder):
        assert told(say, "status")["epoch"] == 2


def test_a_halt_by_a_person_is_explained_before_it_is_lifted(folder: Path, say: Say) -> None:
    with running(folder) as engine:
        with ControlClient(folder / "demo.sock", "demo", "test") as client:
            client.ask(Panic("a person at 3 a.m."))
        assert engine.wait(LIMIT_S) == 5

    said = say("resume", "--yes")

    assert said.code == 0
    assert "a person at 3 a.m." in said.out + said.err
    assert said.out.endswith("lifted; start it again: fairlead run\n")
    assert say("resume").code == 3


# --- the live view in another terminal


class Terminal:
    """A terminal with somebody in front of it."""

    def __init__(self) -> None:
        self.hands, self.screen = pty.openpty()
        self.shown = ""

    def until(self, text: str) -> None:
        for _ in range(int(LIMIT_S / 0.1)):
            while select.select([self.hands], [], [], 0.1)[0]:
                try:
                    data = os.read(self.hands, 65_536)
                except OSError:
                    break
                self.shown += _CONTROL.sub("", data.decode(errors="replace"))
                if text in self.shown:
                    return
        raise AssertionError(f"{text!r} is not in {self.shown[-2_000:]!r}")

    def press(self, key: str) -> None:
        self.shown = ""
        os.write(self.hands, key.encode())

    def close(self) -> None:
        os.close(self.hands)
        os.close(self.screen)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def test_the_view_in_another_terminal_has_the_same_keys(folder: Path, terminal: Terminal) -> None:
    with running(folder) as engine:
        view = begin("attach", cwd=folder, terminal=terminal.screen)
        try:
            terminal.until("p pause · r reduce-only · c cancel all · K panic")
            terminal.press("p")
            terminal.until("paused: by attach (user ")
            terminal.press("p")
            terminal.until("resume alt by attach")
            terminal.press("r")
            terminal.until("REDUCING")
            terminal.press("r")
            terminal.until("reduce False by attach")
            terminal.press("c")
            terminal.until("cancel by attach")
            terminal.press("e")
            terminal.until("explain")
            terminal.press("d")
            assert view.wait(LIMIT_S) == 0
            assert engine.poll() is None
        finally:
            view.kill()
            view.wait(LIMIT_S)


def test_q_in_another_terminal_stops_clean_and_the_view_says_so(
    folder: Path, terminal: Terminal
) -> None:
    with running(folder) as engine:
        view = begin("attach", cwd=folder, terminal=terminal.screen)
        try:
            terminal.until("q stop clean")
            terminal.press("q")
            assert engine.wait(LIMIT_S) == 0
            terminal.until("the engine is gone")
            assert view.wait(LIMIT_S) == 0
        finally:
            view.kill()
            view.wait(LIMIT_S)


# --- alerts


@contextmanager
def receiver(*statuses: int) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """A web server that keeps what it gets."""
    got: list[dict[str, Any]] = []
    left = list(statuses)

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append({"path": self.path, **json.loads(body)})
            self.send_response(left.pop(0) if left else 200)
            self.end_headers()

        @override
        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Hook)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, got
    finally:
        server.shutdown()
        thread.join(LIMIT_S)
        server.server_close()


ALERTS = '\n[alerts.log]\n[alerts.webhook]\nsecret_url = "env:HOOK"\n'


def alerted(folder: Path) -> None:
    text = DEMO.replace('enable = ["paper"', 'enable = ["alerts", "paper"')
    (folder / "plugins.toml").write_text(text + ALERTS, encoding="utf-8")


def test_a_run_in_virtual_time_reaches_a_real_webhook_and_shows_its_address_nowhere(
    folder: Path,
) -> None:
    alerted(folder)
    with receiver(503) as (port, got):
        done = call(
            "run",
            "--speed",
            "max",
            "--set",
            "risk.max_drawdown=0.01%",
            cwd=folder,
            env={"HOOK": f"http://127.0.0.1:{port}/canary-of-a-secret"},
        )

    assert done.returncode == 5
    assert [one["name"] for one in got] == ["halted", "halted", "stopped"]
    assert {one["path"] for one in got} == {"/canary-of-a-secret"}
    lines = [json.loads(line) for line in (folder / "alerts.jsonl").read_text().splitlines()]
    assert [one["name"] for one in lines] == ["halted", "stopped"]
    assert b"canary" not in b"".join(
        path.read_bytes() for path in folder.rglob("*") if path.is_file()
    )
    assert "canary" not in done.stdout + done.stderr


def test_a_secret_that_is_not_there_stops_the_start_before_anything_is_written(
    folder: Path, say: Say
) -> None:
    alerted(folder)

    said = say("run", "--speed", "max")

    reason = "alerts.webhook: notifier: the environment variable HOOK is not set\n"
    assert said == Said(2, "", reason)
    assert not (folder / "runs").exists()


def test_alert_test_says_what_became_of_each(
    folder: Path, say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    alerted(folder)
    with receiver() as (port, got):
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{port}/canary")
        assert say("alert", "test") == Said(0, "log: ok\nwebhook: ok\n", "")
        assert [one["severity"] for one in got] == ["info", "warning", "critical"]
        (only,) = told(say, "alert", "test", "--notifier", "log")["notifiers"]
        assert only == {"notifier": "log", "sent": 3, "failed": 0, "trouble": ""}
    with receiver(404, 404, 404) as (port, got):
        monkeypatch.setenv("HOOK", f"http://127.0.0.1:{port}/canary")
        trouble = "log: ok\nwebhook: the answer was 404, tried 1 times\n"
        assert say("alert", "test") == Said(1, trouble, "")
    assert "there are: log, webhook" in say("alert", "test", "--notifier", "nix").err


def test_alert_test_without_notifiers_says_what_to_write(folder: Path, say: Say) -> None:
    reason = "plugins.toml: no notifier is configured; write [alerts.NAME]\n"

    assert say("alert", "test") == Said(2, "", reason)
