"""The control socket with real sockets: whose it is, who answers there, and what garbage does.

Bound: every wait ends after 5 s; each test takes well under one.
"""

import asyncio
import gc
import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from fairlead.errors import ControlError, ExitCode, UsageError
from fairlead.kernel import (
    Answer,
    Command,
    ControlClient,
    ControlServer,
    ControlSocket,
    Fills,
    Pause,
    Refused,
    Reply,
    SideLoop,
    Status,
    connect_socket,
    socket_path,
)

pytestmark = pytest.mark.system

LIMIT_S = 5.0
Take = Callable[[Command, str, Reply], None]


def agree(command: Command, who: str, reply: Reply) -> None:
    reply(Answer({"did": type(command).__name__, "who": who}))


class Served:
    """A server on an ordinary loop in a thread of its own, as an engine on the system's clock."""

    def __init__(self, place: ControlSocket, take: Take) -> None:
        self._place, self._take = place, take
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    def __enter__(self) -> "Served":
        self._thread.start()
        assert self._up.wait(LIMIT_S)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(LIMIT_S)
        assert not self._thread.is_alive()
        self._place.close()
        gc.collect()  # what was left open would warn now

    async def _main(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        side = SideLoop(self._loop)
        side.spawn(ControlServer(self._place, self._take, side).run())
        await asyncio.sleep(0)
        self._up.set()
        await self._stop.wait()
        await side.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return socket_path(tmp_path, "demo")


@contextmanager
def serving(path: Path, take: Take = agree) -> Iterator[Path]:
    with Served(ControlSocket.open(path), take):
        yield path


def client(path: Path) -> ControlClient:
    return ControlClient(path, "demo", "test")


def lines(connection: socket.socket, count: int) -> list[dict[str, Any]]:
    connection.settimeout(LIMIT_S)
    with connection.makefile("rb") as file:
        return [json.loads(file.readline()) for _ in range(count)]


def sent(path: Path, data: bytes, count: int = 1) -> list[dict[str, Any]]:
    with closing(connect_socket(path)) as connection:
        if data:
            connection.sendall(data)
        return lines(connection, count)


# --- whose socket it is


def test_the_socket_is_its_owners_alone(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(ControlSocket.open(path)):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.umask(0) == 0  # it was put back
    finally:
        os.umask(before)


def test_it_is_gone_after_its_end(path: Path) -> None:
    ControlSocket.open(path).close()

    assert not path.exists()


def test_one_that_a_dead_process_left_is_replaced(path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX)) as dead:
        dead.bind(str(path))
        dead.listen()
    assert path.exists()

    with serving(path), client(path) as one:
        assert one.ask(Status())["did"] == "Status"


def test_one_that_answers_is_left_alone_and_said(path: Path) -> None:
    with serving(path):
        with pytest.raises(ControlError, match="demo: an engine of this name runs already"):
            ControlSocket.open(path)
        with client(path) as one:
            assert one.ask(Status())


def test_a_file_of_that_name_is_not_taken_away(path: Path) -> None:
    path.write_text("mine")

    with pytest.raises(UsageError, match="this is no socket; move it away"):
        ControlSocket.open(path)
    assert path.read_text() == "mine"


def test_a_socket_of_a_successor_is_not_taken_away(path: Path) -> None:
    first = ControlSocket.open(path)
    path.unlink()
    with closing(ControlSocket.open(path)):
        first.close()
        assert path.exists()


def test_a_long_path_has_a_socket_too(tmp_path: Path) -> None:
    folder = tmp_path / ("a" * 100) / ("b" * 100)
    folder.mkdir(parents=True)
    path = socket_path(folder, "demo")

    with serving(path), client(path) as one:
        assert one.ask(Status())
    assert not path.exists()


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    with closing(ControlSocket.open(socket_path(tmp_path / "new", "demo"))):
        assert (tmp_path / "new" / "demo.sock").exists()


def test_a_folder_that_takes_no_socket_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(UsageError, match="no control socket can be made there"):
        ControlSocket.open(socket_path(tmp_path / "file", "demo"))


def test_where_nobody_listens_is_said(path: Path) -> None:
    with pytest.raises(ControlError, match="no engine runs") as raised:
        client(path)

    assert raised.value.exit_code is ExitCode.UNAVAILABLE


# --- who answers there


def test_an_answer_says_who_asked(path: Path) -> None:
    with serving(path), client(path) as one:
        who = one.ask(Pause("alt"))["who"]

    assert who == f"test (user {os.getuid()})"


def test_a_refusal_is_an_error_with_its_code(path: Path) -> None:
    def refuse(command: Command, who: str, reply: Reply) -> None:
        reply(Refused("not today", ExitCode.HALTED))

    raises = pytest.raises(ControlError, match="demo: not today")
    with serving(path, refuse), client(path) as one, raises as raised:
        one.ask(Status())

    assert raised.value.exit_code is ExitCode.HALTED
    assert not raised.value.gone


def test_two_clients_are_served_side_by_side(path: Path) -> None:
    with serving(path), client(path) as one, client(path) as other:
        for _ in range(3):
            assert one.ask(Fills(5))["did"] == "Fills"
            assert other.ask(Pause())["did"] == "Pause"


def test_answers_that_come_later_find_their_questions(path: Path) -> None:
    kept: list[Reply] = []

    def last_first(command: Command, who: str, reply: Reply) -> None:
        kept.append(reply)
        if len(kept) == 3:
            for number, one in reversed(list(enumerate(kept))):
                one(Answer({"number": number}))

    data = b"".join(b'{"id": %d, "command": "status"}\n' % number for number in (10, 11, 12))
    with serving(path, last_first):
        answers = sent(path, data, 3)

    assert [(one["id"], one["result"]["number"]) for one in answers] == [(12, 2), (11, 1), (10, 0)]


def test_more_than_so_many_clients_are_sent_away(path: Path) -> None:
    with serving(path):
        connections = [connect_socket(path) for _ in range(8)]
        for connection in connections:
            connection.sendall(b'{"command": "status"}\n')
            assert lines(connection, 1)[0]["ok"]
        (answer,) = sent(path, b"")
        assert answer["error"] == "8 others are connected already"
        with client(path) as one:
            time.sleep(0.05)  # until it was hung up on: what is sent then is lost
            with pytest.raises(ControlError, match="8 others are connected already"):
                one.ask(Status())
        for connection in connections:
            connection.close()


def test_more_than_so_many_unanswered_commands_are_refused(path: Path) -> None:
    data = b"".join(b'{"id": %d, "command": "status"}\n' % number for number in range(20))
    with serving(path, lambda command, who, reply: None):
        answers = sent(path, data, 4)

    assert [one["id"] for one in answers] == [16, 17, 18, 19]
    assert {one["error"] for one in answers} == {
        "16 commands of yours wait for their answers already"
    }


def test_a_mistake_of_ours_is_said_and_ends_nothing(path: Path) -> None:
    def fail(command: Command, who: str, reply: Reply) -> None:
        raise ZeroDivisionError

    with serving(path, fail), client(path) as one:
        for _ in range(2):
            with pytest.raises(ControlError, match="our own mistake") as raised:
                one.ask(Status())
            assert raised.value.exit_code is ExitCode.BUG


def test_a_client_that_leaves_before_the_answer_hurts_nobody(path: Path) -> None:
    kept: list[Reply] = []

    def keep(command: Command, who: str, reply: Reply) -> None:
        if kept:
            kept[0](Answer({"late": True}))
            reply(Answer({"fine": True}))
        else:
            kept.append(reply)
            arrived.set()

    arrived = threading.Event()
    with serving(path, keep):
        with closing(connect_socket(path)) as gone:
            gone.sendall(b'{"command": "status"}\n')
        with client(path) as one:
            assert arrived.wait(LIMIT_S)
            assert one.ask(Status()) == {"fine": True}


def test_what_was_answered_before_the_end_still_arrives(path: Path) -> None:
    with serving(path):
        connection = connect_socket(path)
        connection.sendall(b'{"id": 1, "command": "stop"}\n')
        first = lines(connection, 1)
    with closing(connection):
        assert first[0]["result"]["did"] == "StopRun"
        assert connection.recv(10) == b""


def test_an_engine_that_goes_away_is_said(path: Path) -> None:
    with serving(path):
        one = client(path)
        one.ask(Status())
    with one, pytest.raises(ControlError, match="the engine is gone"):
        one.ask(Status())


def test_an_engine_that_says_nothing_is_given_up(path: Path) -> None:
    raises = pytest.raises(ControlError, match=r"no answer within 0\.1 s")
    with serving(path, lambda command, who, reply: None), client(path) as one, raises:
        one.ask(Status(), patience_s=0.1)


# --- garbage


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"pause alt\n", "this is no JSON; send one object on one line"),
        (b"\x00\xff\n", "this is no JSON; send one object on one line"),
        (b"[]\n", "send an object with id and command"),
        (b'{"command": "burn"}\n', "unknown command; there are: attach, balances, cancel"),
    ],
)
def test_garbage_is_one_clear_line_and_the_next_line_counts(
    path: Path, data: bytes, error: str
) -> None:
    with serving(path):
        first, second = sent(path, data + b'\n\n{"id": 2, "command": "status"}\n', 2)

    assert not first["ok"]
    assert first["error"].startswith(error)
    assert (second["id"], second["ok"]) == (2, True)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_without_end_is_refused_and_hung_up_on(path: Path, end: bytes) -> None:
    with serving(path):
        with closing(connect_socket(path)) as connection:
            connection.sendall(b"x" * 20_000 + end)
            (answer,) = lines(connection, 1)
            assert answer["error"] == "a request has at most 16384 bytes"
        with client(path) as one:
            assert one.ask(Status())


def test_half_a_line_and_a_hang_up_hurt_nobody(path: Path) -> None:
    with serving(path):
        with closing(connect_socket(path)) as connection:
            connection.sendall(b'{"command"')
        with client(path) as one:
            assert one.ask(Status())


def test_a_client_that_never_reads_is_let_go(path: Path) -> None:
    big = {"text": "x" * 1_000_000}

    def much(command: Command, who: str, reply: Reply) -> None:
        reply(Answer(big if isinstance(command, Fills) else {}))

    with serving(path, much), closing(connect_socket(path)) as connection:
        connection.sendall(b'{"command": "fills"}\n' * 12)
        with client(path) as other:
            assert other.ask(Status()) == {}
        connection.settimeout(LIMIT_S)
        received = 0
        try:
            while chunk := connection.recv(1 << 20):
                received += len(chunk)
        except ConnectionResetError:
            pass
        assert received < 12 * 1_000_000
