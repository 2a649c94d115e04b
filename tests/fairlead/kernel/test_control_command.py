"""Whatever comes over the socket is a request, or one clear line about why it is none."""

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairlead.errors import ExitCode
from fairlead.kernel import (
    COMMANDS,
    Answer,
    Fills,
    Flatten,
    Pause,
    Refused,
    Request,
    answer_line,
    read_request,
    request_line,
)


def test_a_request_says_its_number_its_origin_and_its_command() -> None:
    line = b'{"id": 7, "from": "cli", "command": "pause", "target": "alt"}\n'

    assert read_request(line) == Request(7, "cli", Pause("alt"))


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_read_as_it_was_written(name: str) -> None:
    kind: Any = COMMANDS[name]
    fields = msgspec.structs.fields(kind)
    command = kind(*("x" for field in fields if field.required))

    line = request_line(3, "cli", command)

    assert line.endswith(b"\n")
    assert read_request(line) == Request(3, "cli", command)
    assert json.loads(line)["command"] == name


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "this is no JSON"),
        (b"pause alt", "this is no JSON"),
        (b"\xff\xfe", "this is no JSON"),
        (b"[" * 16_000, "this is no JSON"),
        (b"[1]", "send an object with id and command"),
        (b'"pause"', "send an object with id and command"),
        (b"{}", "unknown command; there are: attach, balances, "),
        (b'{"command": 3}', "unknown command; there are: "),
        (b'{"command": "burn"}', "unknown command; there are: "),
        (b'{"id": "a", "command": "pause"}', "id: send a whole number"),
        (b'{"id": true, "command": "pause"}', "id: send a whole number"),
        (b'{"id": -1, "command": "pause"}', "id: send a whole number"),
        (b'{"from": 3, "command": "pause"}', "from: send a text of at most 40 characters"),
        (b'{"command": "pause", "whom": "alt"}', "pause: Object contains unknown field `whom`"),
        (b'{"command": "pause", "target": 3}', "pause: Expected `str`, got `int` - at `$.target`"),
        (b'{"command": "flatten"}', "flatten: Object missing required field `market`"),
        (b'{"command": "fills", "last": 0}', "fills: Expected `int` >= 1 - at `$.last`"),
        (b'{"command": "fills", "last": 9999}', "fills: Expected `int` <= 1000 - at `$.last`"),
    ],
)
def test_what_is_no_request_is_answered_with_what_would_be_right(line: bytes, reason: str) -> None:
    with pytest.raises(ValueError, match=r"^.") as raised:
        read_request(line)

    assert str(raised.value).startswith(reason)
    assert "\n" not in str(raised.value)


def test_a_long_text_is_refused() -> None:
    with pytest.raises(ValueError, match="length <= 200"):
        read_request(request_line(1, "", Pause("x" * 201)))


@given(st.binary(max_size=200))
def test_no_bytes_do_anything_but_that(line: bytes) -> None:
    with suppress(ValueError):
        assert isinstance(read_request(line), Request)


@given(
    st.dictionaries(
        st.sampled_from(["id", "from", "command", "target", "last", "on"]),
        st.one_of(st.integers(), st.text(max_size=50), st.none(), st.lists(st.integers())),
    )
)
def test_no_object_does_anything_but_that(tree: dict[str, object]) -> None:
    with suppress(ValueError):
        assert isinstance(read_request(json.dumps(tree).encode()), Request)


def test_an_answer_is_one_line() -> None:
    assert json.loads(answer_line(4, Answer({"a": None}))) == {
        "id": 4,
        "ok": True,
        "result": {"a": None},
    }
    assert json.loads(answer_line(5, Refused("no\nsuch  thing", ExitCode.UNAVAILABLE))) == {
        "id": 5,
        "ok": False,
        "error": "no such thing",
        "code": 3,
    }


def test_a_refusal_is_never_longer_than_its_bound() -> None:
    assert len(json.loads(answer_line(1, Refused("x" * 9_999)))["error"]) == 500


def test_what_is_as_usual_is_not_sent() -> None:
    assert json.loads(request_line(1, "cli", Fills())) == {
        "id": 1,
        "from": "cli",
        "command": "fills",
    }
    assert "to" not in json.loads(request_line(1, "", Flatten("m", "1%")))
