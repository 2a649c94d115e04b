from pathlib import Path

import pytest

from fairlead.cli.config import configured
from fairlead.cli.live_guard import accepted, banner, confirm
from fairlead.config import REQUIRED, Loosened, load, unwritten
from fairlead.errors import ConfigError, UsageError
from tests.conftest import ROOT

DEMO = ROOT / "plugins.toml"


def without(tmp_path: Path, *names: str) -> Path:
    lines = DEMO.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if not any(line.startswith(name) for name in names)]
    path = tmp_path / "plugins.toml"
    path.write_text("\n".join(kept), encoding="utf-8")
    return path


def test_the_demo_has_every_limit_that_live_needs() -> None:
    assert unwritten(load(DEMO)) == ()


@pytest.mark.parametrize("name", REQUIRED)
def test_live_does_not_start_before_a_person_has_written_each_limit(
    tmp_path: Path, name: str
) -> None:
    path = without(tmp_path, name)

    assert [found.key for found in unwritten(load(path))] == [f"risk.{name}"]
    # What only the environment says was not written down by anybody.
    assert unwritten(load(path, (f"risk.{name}=1",)))
    with pytest.raises(ConfigError, match="before a person has written it"):
        accepted(path, (), {}, accept_risk=True)


@pytest.mark.parametrize(
    "sets",
    [
        (),
        ("risk.max_order=400 USDT",),
        ("risk.max_drawdown=4%",),
        ("risk.warm_up=90 s",),
        ("risk.max_open_orders=39",),
        ("engine.tick=2 s",),
    ],
    ids=str,
)
def test_what_is_no_looser_needs_no_consent(sets: tuple[str, ...]) -> None:
    assert accepted(DEMO, sets, {}, accept_risk=False) == ()


@pytest.mark.parametrize(
    ("sets", "found"),
    [
        (
            ("risk.max_order=600 USDT",),
            Loosened("risk.max_order.limit", "500 USDT", "600 USDT", "--set"),
        ),
        (("risk.warm_up=10 s",), Loosened("risk.warm_up.limit", "60 s", "10 s", "--set")),
        (("risk.max_open_orders=41",), Loosened("risk.max_open_orders.limit", "40", "41", "--set")),
        (
            ("risk.reduce_only.losing_trades=5",),
            Loosened("risk.reduce_only.losing_trades", "10", "5", "--set"),
        ),
    ],
    ids=["limit", "higher is stricter", "count", "whose direction nobody knows"],
)
def test_what_is_looser_needs_consent(sets: tuple[str, ...], found: Loosened) -> None:
    with pytest.raises(UsageError, match="--accept-risk"):
        accepted(DEMO, sets, {}, accept_risk=False)

    assert accepted(DEMO, sets, {}, accept_risk=True) == (found,)


def test_the_environment_loosens_too() -> None:
    env = {"FAIRLEAD_RISK__MAX_ORDER": "600 USDT"}

    (found,) = accepted(DEMO, (), env, accept_risk=True)

    assert found.origin == "environment variable FAIRLEAD_RISK__MAX_ORDER"


def test_the_banner_names_venues_limits_and_the_worst_case() -> None:
    looser = (Loosened("risk.max_order.limit", "500 USDT", "600 USDT", "--set"),)

    text = banner(configured(DEMO, (), env={}), looser)

    assert text.splitlines() == [
        "demo trades LIVE, with real money",
        "  venue main: paper",
        "  strategy alt: pmm on main:ALT/USDT",
        "  max_position 2000 USDT",
        "  max_order 500 USDT",
        "  daily_loss 2%",
        "  max_drawdown 5%",
        "  worst case of the whole ladder: 2,000.00 USDT away from the targets on 1 markets; "
        "10 % against that costs 200.00",
        "  LOOSER: risk.max_order.limit 500 USDT -> 600 USDT by --set",
    ]


@pytest.mark.parametrize("yes", [None, "other"])
def test_without_the_instances_name_nothing_trades(yes: str | None) -> None:
    with pytest.raises(UsageError, match="--yes"):
        confirm("demo", yes)


def test_the_instances_name_is_consent() -> None:
    confirm("demo", "demo")
