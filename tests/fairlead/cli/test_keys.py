"""Keys come without waiting, and the terminal is given back as it was."""

import os
import pty
import termios
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import IO

import pytest

from fairlead.cli.keys import Keys

Terminal = tuple[int, IO[str]]


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    """The keyboard's end of a terminal, and what a process reads from it."""
    hands, screen = pty.openpty()
    with os.fdopen(screen) as stream:
        yield hands, stream
    os.close(hands)


def is_canonical(stream: IO[str]) -> bool:
    return bool(termios.tcgetattr(stream)[3] & termios.ICANON)


def test_keys_are_read_one_by_one_without_waiting(terminal: Terminal) -> None:
    hands, stream = terminal

    with Keys(stream) as keys:
        assert keys.pressed() == ""
        os.write(hands, b"qe")
        assert keys.pressed() == "qe"
        assert keys.pressed() == ""


def test_the_terminal_is_given_back_as_it_was(terminal: Terminal) -> None:
    before = termios.tcgetattr(terminal[1])

    with Keys(terminal[1]):
        assert not is_canonical(terminal[1])

    assert termios.tcgetattr(terminal[1]) == before


def test_the_terminal_is_given_back_after_an_error_too(terminal: Terminal) -> None:
    with pytest.raises(ZeroDivisionError), Keys(terminal[1]):
        raise ZeroDivisionError

    assert is_canonical(terminal[1])


def test_what_is_no_text_is_left_out(terminal: Terminal) -> None:
    hands, stream = terminal

    with Keys(stream) as keys:
        os.write(hands, b"\xffq")

        assert keys.pressed() == "q"


def test_in_the_background_the_terminal_is_left_alone(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "tcgetpgrp", lambda number: os.getpgrp() + 1)

    with Keys(terminal[1]) as keys:
        assert is_canonical(terminal[1])
        assert keys.pressed() == ""


@pytest.mark.parametrize("stream", [None, StringIO("q")], ids=["none", "no terminal"])
def test_without_a_terminal_there_are_no_keys(stream: IO[str] | None) -> None:
    with Keys(stream) as keys:
        assert keys.pressed() == ""


def test_a_file_gives_no_keys(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("q")

    with (tmp_path / "a").open() as stream, Keys(stream) as keys:
        assert keys.pressed() == ""


def test_a_terminal_that_has_gone_gives_no_keys_and_no_error() -> None:
    hands, screen = pty.openpty()

    with os.fdopen(screen) as stream, Keys(stream) as keys:
        os.close(hands)

        assert keys.pressed() == ""


def test_one_may_wait_for_the_first_key(terminal: Terminal) -> None:
    hands, stream = terminal

    with Keys(stream) as keys:
        assert keys.pressed_within(0.0) == ""
        os.write(hands, b"q")
        assert keys.pressed_within(10.0) == "q"
