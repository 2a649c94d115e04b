"""Each hook reaches a plugin that implements it, with the arguments that the spec names."""

import inspect
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import EntryPoint
from types import ModuleType

import click
import pytest

import fairlead.hookspecs
from fairlead import hookimpl
from fairlead.api import OrderView, Registry, Severity
from fairlead.hookspecs import PROJECT
from fairlead.kernel.observers import Observers
from fairlead.kernel.plugins import Installed, Plugins, load_plugins
from fairlead.model import Fill, Liquidity, MarketId, OrderState, Purpose, Side, Slot

MARKET = MarketId("main", "ALT/USDT")
SLOT = Slot("alt", MARKET, Side.BUY, 0)
ORDER = OrderView(
    client_id="aaaaaabbbbcccccccc",
    slot=SLOT,
    side=Side.BUY,
    price=Decimal(2),
    quantity=Decimal(125),
    filled=Decimal(0),
    state=OrderState.OPEN,
    purpose=Purpose.QUOTE,
    decided_ns=1,
    acknowledged_ns=2,
)
FILL = Fill(
    market=MARKET,
    venue_ns=1,
    local_ns=2,
    trade_id="t1",
    client_id=ORDER.client_id,
    venue_id="v1",
    side=Side.BUY,
    price=Decimal(2),
    quantity=Decimal(5),
    fee=Decimal(0),
    fee_asset="USDT",
    liquidity=Liquidity.MAKER,
)

Enable = Callable[[Callable[..., object]], Plugins]


@pytest.fixture
def enable() -> Iterator[Enable]:
    """Make a plugin of one function and load it."""
    name = "plugin_of_one_function"

    def call(function: Callable[..., object]) -> Plugins:
        module = sys.modules[name] = ModuleType(name)
        setattr(module, function.__name__, hookimpl(function))
        entry = EntryPoint("one", name, PROJECT)
        return load_plugins(["one"], [Installed("one", "dist", "1", entry)])

    yield call
    sys.modules.pop(name, None)


def observers(plugins: Plugins) -> Observers:
    return plugins.observers(lambda: 0)


def specs() -> list[str]:
    return [name for name in fairlead.hookspecs.__all__ if name.startswith("fairlead_")]


def test_hook_fairlead_register(enable: Enable) -> None:
    given = []

    def fairlead_register(registry: Registry) -> None:
        given.append(registry)
        registry.data_source("flat", lambda argument, context: None)  # type: ignore[arg-type,return-value]  # never built

    offers = enable(fairlead_register).register_offers()

    assert isinstance(given[0], Registry)
    assert list(offers.sources) == ["flat"]


def test_hook_fairlead_commands(enable: Enable) -> None:
    def fairlead_commands(cli: click.Group) -> None:
        cli.add_command(click.Command("greet"))

    group = click.Group()
    enable(fairlead_commands).add_commands(group)

    assert list(group.commands) == ["greet"]


def test_hook_fairlead_started(enable: Enable) -> None:
    given = []

    def fairlead_started(
        instance: str, mode: str, epoch: int, config_hash: str, currency: str, now_ns: int
    ) -> None:
        given.append((instance, mode, epoch, config_hash, currency, now_ns))

    told = observers(enable(fairlead_started)).started("demo", "paper", 3, "ab12", "USDT", 7)

    assert told == ()
    assert given == [("demo", "paper", 3, "ab12", "USDT", 7)]


def test_hook_fairlead_order_changed(enable: Enable) -> None:
    given = []

    def fairlead_order_changed(order: OrderView, before: OrderState, now_ns: int) -> None:
        given.append((order, before, now_ns))

    plugins = enable(fairlead_order_changed)
    told = observers(plugins).order_changed(ORDER, OrderState.PENDING_CREATE, 7)

    assert told == ()
    assert given == [(ORDER, OrderState.PENDING_CREATE, 7)]


def test_hook_fairlead_filled(enable: Enable) -> None:
    given = []

    def fairlead_filled(fill: Fill, slot: Slot, now_ns: int) -> None:
        given.append((fill, slot, now_ns))

    told = observers(enable(fairlead_filled)).filled(FILL, SLOT, 7)

    assert told == ()
    assert given == [(FILL, SLOT, 7)]


def test_hook_fairlead_alert(enable: Enable) -> None:
    given = []

    def fairlead_alert(severity: Severity, name: str, detail: str, now_ns: int) -> None:
        given.append((severity, name, detail, now_ns))

    plugins = enable(fairlead_alert)
    told = observers(plugins).alert(Severity.WARNING, "book_stale", "3 s", 7)

    assert told == ()
    assert given == [(Severity.WARNING, "book_stale", "3 s", 7)]


def test_hook_fairlead_stopped(enable: Enable) -> None:
    given = []

    def fairlead_stopped(instance: str, reason: str, proven: bool, now_ns: int) -> None:
        given.append((instance, reason, proven, now_ns))

    told = observers(enable(fairlead_stopped)).stopped("demo", "source ended", True, 7)

    assert told == ()
    assert given == [("demo", "source ended", True, 7)]


def test_a_hook_that_nobody_implements_is_silent(enable: Enable) -> None:
    def fairlead_stopped() -> None:
        raise AssertionError

    told = observers(enable(fairlead_stopped)).filled(FILL, SLOT, 7)

    assert told == ()


@pytest.mark.parametrize("name", specs())
def test_a_hook_says_when_it_comes_in_which_order_and_what_an_error_does(name: str) -> None:
    text = inspect.getdoc(getattr(fairlead.hookspecs, name)) or ""

    for part in ("When:", "Result:", "Order:", "Errors:"):
        assert part in text
