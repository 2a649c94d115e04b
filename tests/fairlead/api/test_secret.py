"""A secret does not show itself, whatever is done to it."""

import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from io import StringIO

import msgspec
import pytest

from fairlead.api import Secret, secret_reference

CANARY = "canary-of-a-secret"


def test_who_asks_by_name_gets_it() -> None:
    assert Secret(CANARY).reveal() == CANARY


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        lambda secret: f"{secret!r:>40} {secret:s}",
        lambda secret: "%s" % secret,  # noqa: UP031 - the way logging does it
        lambda secret: repr([secret, {"a": secret}]),
    ],
)
def test_showing_it_shows_stars(show: Callable[[Secret], str]) -> None:
    assert CANARY not in show(Secret(CANARY))
    assert "***" in show(Secret(CANARY))


@pytest.mark.parametrize("write", [pickle.dumps, copy.deepcopy, json.dumps, msgspec.json.encode])
def test_writing_it_down_is_refused(write: Callable[[Secret], object]) -> None:
    with pytest.raises(TypeError) as raised:
        write(Secret(CANARY))

    assert CANARY not in str(raised.value)


def test_it_has_no_attributes_to_list() -> None:
    assert not hasattr(Secret(CANARY), "__dict__")


def test_logs_and_tracebacks_do_not_show_it() -> None:
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    logger = logging.getLogger("canary")
    logger.addHandler(handler)
    secret = Secret(CANARY)

    logger.warning("using %s and %r", secret, secret)
    shown = "".join(traceback.format_exception(ValueError(secret)))
    logger.removeHandler(handler)

    assert CANARY not in stream.getvalue() + shown


@pytest.mark.parametrize("text", ["env:NAME", "file:/etc/secret", "file:secret.txt"])
def test_a_reference_says_where_it_is(text: str) -> None:
    assert secret_reference(text) == text


@pytest.mark.parametrize(
    "text", ["", "env:", "file: ", CANARY, f"https://{CANARY}", f"raw:{CANARY}"]
)
def test_anything_else_may_be_the_secret_itself_and_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match="secrets are never in the file") as raised:
        secret_reference(text)

    assert CANARY not in str(raised.value)
