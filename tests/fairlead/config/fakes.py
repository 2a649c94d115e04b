"""What a plugin offers, small: models for a venue, a strategy and two limits; nothing is built."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from fairlead.api import Amount, Duration, Exact, Offers, Ratio, Registry
from fairlead.config import RawConfig, load

CONFIG = """\
[engine]
instance = "demo"
currency = "USDT"

[venues.main]
connector = "paper"
source = "synthetic:midcap"
balances = { ALT = "2500", USDT = "5000" }

[strategies.alt]
controller = "pmm"
market = "main:ALT/USDT"
spread = "8 bps"
order_size = "250 USDT"

[risk]
max_position = "2000 USDT"
"""


def not_negative(ratio: Ratio) -> Ratio:
    if ratio.value < 0:
        raise ValueError("must not be below zero")
    return ratio


class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Latency(Table):
    orders: Duration = Duration.parse("40 ms")


class Paper(Table):
    """The table of a paper venue."""

    source: str = Field(description="where market data comes from", examples=["synthetic:midcap"])
    seed: int = Field(0, ge=0)
    balances: Mapping[str, Exact]
    latency: Latency = Latency()
    instruments: Mapping[str, Mapping[str, Exact]] = {}


class Pmm(Table):
    """The table of a strategy."""

    spread: Annotated[Ratio, AfterValidator(not_negative)]
    order_size: Amount
    levels: int = Field(1, ge=1, le=20)


class Limit(Table):
    """A limit in the engine's currency."""

    limit: Amount = Amount.parse("1000 USDT")
    size: Amount | None = None


class Count(Table):
    """A limit that has no unit."""

    limit: int = Field(40, ge=1, description="open orders of one market")


def nothing(config: object, context: object) -> NoReturn:
    raise AssertionError((config, context))


def offers() -> Offers:
    registry = Registry()
    registry.enter("fake", "fake-plugin 1.2")
    registry.connector("paper", Paper, nothing, summary="play money")
    registry.controller("pmm", Pmm, nothing, summary="both sides")
    registry.risk_rule("max_position", Limit, nothing)
    registry.risk_rule("max_open_orders", Count, nothing)
    return registry.offers()


def written(folder: Path, text: str = CONFIG, *sets: str, **env: str) -> RawConfig:
    """Write a configuration into a folder and read it as the command does."""
    file = folder / "plugins.toml"
    file.write_text(text, encoding="utf-8")
    return load(file, sets, env)
