"""What a person reads of a running engine's venues."""

import pytest

from fairlead.cli.look import _venue

QUIET = {
    "venue": "main",
    "requests": 0,
    "items": 0,
    "batches": 0,
    "mean_size": None,
    "saved": 0,
    "dropped": 0,
    "held_cancels": 0,
    "paused": [],
    "banned_ns": 0,
    "limits": [],
}


def test_a_venue_that_nothing_left_for_has_little_to_say() -> None:
    assert _venue(QUIET) == "main: 0 requests"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"requests": 4, "mean_size": 2.5, "saved": 6}, "4 requests, 2.5 orders in each, 6 saved"),
        (
            {"limits": [{"limit": "weight", "used": 3, "capacity": 100}]},
            "0 requests, weight 3 of 100",
        ),
        ({"dropped": 2}, "0 requests, 2 dropped without room"),
        ({"held_cancels": 3}, "0 requests, 3 cancels wait"),
        (
            {"paused": ["create", "main:ALT/USDT"]},
            "0 requests, nothing new: create, main:ALT/USDT failed again and again",
        ),
        ({"banned_ns": 90_000_000_000}, "0 requests, banned for 01:30 more"),
    ],
)
def test_what_holds_a_venue_back_is_said(changes: dict[str, object], said: str) -> None:
    assert _venue(QUIET | changes) == f"main: {said}"
