import json
import tomllib
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, SecretStr

from fairlead.api import Offers, Registry
from fairlead.config import (
    RawConfig,
    Settings,
    canonical_text,
    config_hash,
    from_canonical,
    resolve,
    shown,
)
from tests.fairlead.config.fakes import CONFIG, nothing, offers, written

names = st.from_regex(r"[a-z][a-z0-9]{0,5}(_[a-z0-9]{1,3})?", fullmatch=True)
units = st.sampled_from(["bps", "%"])
numbers = st.decimals(0, 10_000, places=4).map(lambda number: f"{number:f}")
ratios = st.builds("{} {}".format, numbers, units)
exacts = numbers | st.integers(0, 10**12)
ticks = st.sampled_from(["10 ms", "250 ms", "1 s", "1.5 s", "60 s", "1 min"])


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    venues = draw(st.lists(names, min_size=1, max_size=3, unique=True))
    tick = draw(ticks)
    return {
        "engine": {"instance": draw(names), "currency": "USDT", "tick": tick}
        | draw(st.sampled_from([{}, {"mode": "paper"}, {"store": "sqlite:///a b.db"}])),
        "plugins": draw(st.sampled_from([{}, {"enable": ["b", "a"]}])),
        "venues": {
            venue: {
                "connector": "paper",
                "source": draw(st.text(max_size=20)),
                "balances": draw(st.dictionaries(st.sampled_from(["ALT", "USDT"]), exacts)),
                "instruments": draw(
                    st.dictionaries(
                        st.text(max_size=8), st.dictionaries(names, exacts, max_size=2), max_size=2
                    )
                ),
                "seed": draw(st.integers(0, 2**63)),
            }
            for venue in venues
        },
        "strategies": {
            name: {
                "controller": "pmm",
                "market": f"{draw(st.sampled_from(venues))}:ALT/USDT:USDT",
                "spread": draw(ratios),
                "order_size": f"{draw(numbers)} {draw(st.sampled_from(['ALT', 'USDT']))}",
                "levels": draw(st.integers(1, 20)),
            }
            | draw(
                st.sampled_from(
                    [
                        {},
                        {"every": tick, "replace": "together"},
                        {"obligation": {"max_spread": "1%", "min_size": "1 ALT"}},
                    ]
                )
            )
            for name in draw(st.lists(names, min_size=1, max_size=3, unique=True))
        },
        "risk": draw(
            st.fixed_dictionaries(
                {},
                optional={
                    "max_position": numbers.map("{} USDT".format),
                    "max_open_orders": st.integers(1, 99) | st.just({"limit": 7}),
                },
            )
        ),
    }


def turned(tree: dict[str, Any]) -> dict[str, Any]:
    """Write the same tables in the opposite order."""
    return {
        key: turned(value) if isinstance(value, dict) else value
        for key, value in reversed(tree.items())
    }


def settings(data: dict[str, Any], folder: Path = Path("here")) -> Settings:
    return resolve(RawConfig(data, folder=folder), offers())


@given(configurations())
def test_config_round_trips(data: dict[str, Any]) -> None:
    before = settings(data)

    text = canonical_text(before)
    after = resolve(from_canonical(text, Path("here")), offers())

    assert after == before
    assert canonical_text(after) == text
    assert config_hash(after) == config_hash(before)


@given(configurations())
def test_the_hash_does_not_depend_on_place_store_or_order(data: dict[str, Any]) -> None:
    moved = turned(data)
    moved["engine"]["store"] = "sqlite:///elsewhere.db"

    one, other = settings(data), settings(moved, Path("there"))

    assert config_hash(one) == config_hash(other)
    assert list(one.strategies) == list(other.strategies)
    assert list(one.venues) == list(other.venues)


@given(configurations(), st.data())
def test_every_change_of_a_value_changes_the_hash(
    data: dict[str, Any], draw: st.DataObject
) -> None:
    before = config_hash(settings(data))
    strategy = draw.draw(st.sampled_from(sorted(data["strategies"])))

    data["strategies"][strategy]["levels"] = data["strategies"][strategy]["levels"] % 20 + 1

    assert config_hash(settings(data)) != before


def test_a_default_that_is_written_down_changes_nothing(tmp_path: Path) -> None:
    plain = resolve(written(tmp_path), offers())

    explicit = resolve(written(tmp_path, CONFIG, "engine.tick=1 s", "engine.mode=paper"), offers())

    assert config_hash(explicit) == config_hash(plain)


def test_the_canonical_text_is_laid_out_as_the_file_is(tmp_path: Path) -> None:
    tree = json.loads(canonical_text(resolve(written(tmp_path), offers())))

    assert tree["venues"]["main"]["balances"] == {"ALT": "2500", "USDT": "5000"}
    assert tree["strategies"]["alt"]["spread"] == "8 bps"
    assert "options" not in tree["strategies"]["alt"]
    assert tree["risk"]["max_open_orders"] == {"limit": 40}


class Keyed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    login: SecretStr = SecretStr("hush")
    api_key: str = "hush"


def keyed() -> Offers:
    registry = Registry()
    registry.connector("paper", Keyed, nothing)
    registry.controller("pmm", type(resolve_strategy()), nothing)
    return registry.offers()


def resolve_strategy() -> BaseModel:
    return settings(tomllib.loads(CONFIG)).strategies["alt"].options


def test_a_snapshot_never_contains_a_secret() -> None:
    data = tomllib.loads(CONFIG) | {"risk": {}, "venues": {"main": {"connector": "paper"}}}

    done = resolve(RawConfig(data), keyed())

    assert "hush" not in canonical_text(done)
    assert "hush" not in str(shown(done, RawConfig(data)))


def test_every_value_in_force_is_shown_with_its_origin(tmp_path: Path) -> None:
    raw = written(tmp_path, CONFIG, "strategies.alt.levels=3", FAIRLEAD_ENGINE__TICK="2 s")

    rows = {row.key: (row.value, row.origin) for row in shown(resolve(raw, offers()), raw)}

    file = f"{tmp_path}/plugins.toml"
    assert rows["engine.instance"] == ('"demo"', f"{file}:2")
    assert rows["engine.mode"] == ('"paper"', "default")
    assert rows["engine.tick"] == ('"2 s"', "environment variable FAIRLEAD_ENGINE__TICK")
    assert rows["strategies.alt.levels"] == ("3", "--set")
    assert rows["strategies.alt.every"] == ('"2 s"', "default")
    assert rows["venues.main.balances.ALT"] == ('"2500"', f"{file}:8")
    assert rows["risk.max_position.limit"] == ('"2000 USDT"', f"{file}:17")
    assert rows["risk.max_open_orders.limit"] == ("40", "default")
    assert "plugins" not in rows


def test_settings_are_never_changed(tmp_path: Path) -> None:
    done = resolve(written(tmp_path), offers())

    assert done.model_config.get("frozen")
    assert done.strategies["alt"].every.ns == Decimal(10**9)
