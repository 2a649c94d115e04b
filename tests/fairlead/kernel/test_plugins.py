"""The loader, against small distributions that each test writes to disk."""

import sys
from collections.abc import Callable, Iterator, Mapping
from importlib.metadata import distributions
from pathlib import Path

import click
import pytest

from fairlead.api import Severity
from fairlead.errors import PluginError
from fairlead.kernel.plugins import Installed, Plugins, installed, load_plugins, try_plugins

REGISTER = """
from pydantic import BaseModel, ConfigDict
from fairlead import hookimpl

class Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

@hookimpl
def fairlead_register(registry):
    registry.connector("venue_of_{name}", Table, lambda config, context: None)
"""

Write = Callable[..., None]
Load = Callable[..., Plugins]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Write a distribution: its plugin's name, the module's text, and what pip would know."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)

    def call(
        name: str,
        text: str = REGISTER,
        *,
        distribution: str = "",
        module: str = "",
        requires: tuple[str, ...] = (),
    ) -> None:
        distribution = distribution or f"dist-{name}"
        module = module or f"module_of_{name}"
        (tmp_path / f"{module}.py").write_text(text.replace("{name}", name), encoding="utf-8")
        info = tmp_path / f"{distribution}-1.2.dist-info"
        info.mkdir()
        needs = "".join(f"Requires-Dist: {requirement}\n" for requirement in requires)
        metadata = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.2\n{needs}"
        (info / "METADATA").write_text(metadata, encoding="utf-8")
        entry = f"[fairlead]\n{name} = {module}\n"
        (info / "entry_points.txt").write_text(entry, encoding="utf-8")

    yield call
    for name in set(sys.modules) - before:
        del sys.modules[name]


@pytest.fixture
def available(tmp_path: Path) -> Callable[[], list[Installed]]:
    """List what stands in the test's own folder, as `installed` does for the environment."""

    def call() -> list[Installed]:
        found = sorted(distributions(path=[str(tmp_path)]), key=lambda found: found.name)
        return [Installed.of(entry) for one in found for entry in one.entry_points]

    return call


@pytest.fixture
def load(available: Callable[[], list[Installed]]) -> Load:
    return lambda *names: load_plugins(names, available())


def offered(plugins: Plugins) -> Mapping[str, str]:
    return {name: offer.plugin for name, offer in plugins.register_offers().connectors.items()}


def test_built_in_plugins_are_installed() -> None:
    found = {plugin.name: plugin for plugin in installed()}

    assert {"paper", "pmm", "risk"} <= set(found)
    assert found["paper"].is_built_in
    assert found["paper"].origin.startswith("fairlead ")


def test_without_a_list_all_built_in_plugins_are_loaded_and_no_others(
    write: Write, available: Callable[[], list[Installed]]
) -> None:
    write("mine", distribution="fairlead")
    write("theirs", distribution="fairlead-extra")

    plugins = load_plugins(None, available())

    assert [plugin.name for plugin in plugins.loaded] == ["mine"]
    assert "module_of_theirs" not in sys.modules


def test_only_the_enabled_plugins_are_imported_in_their_order(write: Write, load: Load) -> None:
    for name in ("a", "b", "c"):
        write(name)

    plugins = load("c", "a")

    assert [plugin.name for plugin in plugins.loaded] == ["c", "a"]
    assert offered(plugins) == {"venue_of_c": "c", "venue_of_a": "a"}
    assert "module_of_b" not in sys.modules


def test_an_offer_knows_its_distribution(write: Write, load: Load) -> None:
    write("a")

    offer = load("a").register_offers().connectors["venue_of_a"]

    assert offer.distribution == "dist-a 1.2"


def test_an_unknown_plugin_is_told_with_what_is_installed(write: Write, load: Load) -> None:
    write("paper")
    write("other")

    with pytest.raises(PluginError) as caught:
        load("papre")

    assert str(caught.value) == (
        "plugin 'papre': is not installed; did you mean 'paper'? installed are: other, paper"
    )


def test_two_distributions_of_one_name_are_both_named(write: Write, load: Load) -> None:
    write("a", distribution="first")
    write("a", distribution="second", module="another")
    write("b")

    with pytest.raises(PluginError, match=r"offered by first 1\.2 and second 1\.2"):
        load("a")
    assert [plugin.name for plugin in load("b").loaded] == ["b"]


def test_a_missing_extra_is_named(write: Write, load: Load) -> None:
    requires = ("click>=8", 'some_lib>=4.5; extra == "big"')
    write("a", "import some_lib.inner", requires=requires)

    with pytest.raises(PluginError, match=r"needs some_lib, .*; install dist-a\[big\]$"):
        load("a")


def test_a_missing_module_of_no_extra_is_named(write: Write, load: Load) -> None:
    write("a", "import some_lib.inner")

    with pytest.raises(PluginError, match="needs the module 'some_lib', which is not installed"):
        load("a")


def test_a_plugin_whose_package_is_gone_is_named(write: Write, load: Load, tmp_path: Path) -> None:
    write("a")
    (tmp_path / "module_of_a.py").unlink()

    with pytest.raises(PluginError, match="package 'module_of_a' is gone; install dist-a again"):
        load("a")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("x = (", "cannot be imported: SyntaxError: "),
        ("1 / 0", "cannot be imported: ZeroDivisionError: division by zero"),
        ("raise SystemExit", "cannot be imported: SystemExit"),
        ("raise RuntimeError('one\\ntwo')", "cannot be imported: RuntimeError: one two"),
        ("", "has no hook; mark its fairlead_register with @fairlead.hookimpl"),
        (
            "from fairlead import hookimpl\n@hookimpl\ndef fairlead_registr(registry): ...",
            "has a wrong hook: PluginValidationError: ",
        ),
        (
            "from fairlead import hookimpl\n@hookimpl\ndef fairlead_filled(fil): ...",
            "has a wrong hook: PluginValidationError: ",
        ),
    ],
    ids=["syntax", "error", "exit", "lines", "no hook", "unknown hook", "unknown argument"],
)
def test_a_broken_plugin_is_one_line_with_its_distribution(
    write: Write, load: Load, text: str, reason: str
) -> None:
    write("a", text)

    with pytest.raises(PluginError) as caught:
        load("a")

    assert str(caught.value).startswith(f"plugin 'a' (dist-a 1.2): {reason}")
    assert "\n" not in str(caught.value)


def test_whatever_works_is_loaded_beside_what_is_broken(
    write: Write, available: Callable[[], list[Installed]]
) -> None:
    write("bad", "from fairlead import hookimpl\n@hookimpl\ndef fairlead_registr(registry): ...")
    write("worse", "from fairlead import hookimpl\n@hookimpl\ndef fairlead_filled(fil): ...")
    write("good")

    plugins, failures = try_plugins(["none", "bad", "worse", "good"], available())

    assert [plugin.name for plugin in plugins.loaded] == ["good"]
    assert [failure.plugin for failure in failures] == ["none", "bad", "worse"]
    assert offered(plugins) == {"venue_of_good": "good"}


def test_a_second_offer_of_one_name_names_both_plugins(write: Write, load: Load) -> None:
    write("a", REGISTER.replace("{name}", "both"))
    write("b", REGISTER.replace("{name}", "both"))

    with pytest.raises(PluginError) as caught:
        load("a", "b").register_offers()

    assert caught.value.plugin == "b"
    assert "'a' (dist-a 1.2) offers too" in str(caught.value)


def test_a_failing_registration_names_its_plugin_and_spares_the_others(
    write: Write, load: Load
) -> None:
    write("a", REGISTER + "    registry.connector()\n")
    write("b")

    offers, (failure,) = load("a", "b").try_offers()

    assert sorted(offers.connectors) == ["venue_of_a", "venue_of_b"]
    assert str(failure).startswith("plugin 'a' (dist-a 1.2): fairlead_register failed: TypeError")


COMMAND = """
import click
from fairlead import hookimpl

@hookimpl
def fairlead_commands(cli):
    @cli.command("{name}")
    def greet(): ...
"""


def test_a_plugin_adds_its_commands(write: Write, load: Load) -> None:
    write("greet", COMMAND)
    write("silent")
    group = click.Group()

    load("greet", "silent").add_commands(group)

    assert list(group.commands) == ["greet"]


@pytest.mark.parametrize("taken", ["group", "name", "plugin"])
def test_a_plugin_may_not_take_a_command_that_exists(write: Write, load: Load, taken: str) -> None:
    write("a", COMMAND.replace("{name}", "run"))
    write("b", COMMAND.replace("{name}", "run"))
    group = click.Group(commands=[click.Command("run")] if taken == "group" else [])
    plugins = load("a", "b") if taken == "plugin" else load("b")

    with pytest.raises(PluginError, match=r"'b' .*adds the command 'run', which is taken"):
        plugins.add_commands(group, taken=["run"] if taken == "name" else [])


def test_a_plugin_that_fails_to_add_commands_is_named(write: Write, load: Load) -> None:
    write("a", "from fairlead import hookimpl\n@hookimpl\ndef fairlead_commands(cli): cli.no()")

    with pytest.raises(PluginError, match="fairlead_commands failed: AttributeError"):
        load("a").add_commands(click.Group())


OBSERVER = """
from fairlead import hookimpl
SEEN = []

@hookimpl
def fairlead_alert(severity, name):
    SEEN.append((str(severity), name))
    {then}
"""


def seen(name: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = sys.modules[f"module_of_{name}"].SEEN
    return found


def test_an_observer_is_told_in_order(write: Write, load: Load) -> None:
    write("a", OBSERVER.replace("{then}", ""))
    observers = load("a").observers(lambda: 0)

    failures = [
        *observers.alert(Severity.INFO, "one", "", 1),
        *observers.alert(Severity.CRITICAL, "two", "", 2),
    ]

    assert failures == []
    assert seen("a") == [("info", "one"), ("critical", "two")]


def test_a_raising_observer_is_counted_and_reaches_no_other(write: Write, load: Load) -> None:
    write("a", OBSERVER.replace("{then}", "1 / 0"))
    write("b", OBSERVER.replace("{then}", ""))
    observers = load("a", "b").observers(lambda: 0)

    (failure,) = observers.alert(Severity.INFO, "one", "", 1)

    assert (failure.plugin, failure.hook) == ("a", "fairlead_alert")
    assert failure.cause == "ZeroDivisionError: division by zero"
    assert observers.failures == {"a": 1}
    assert seen("b") == [("info", "one")]


def test_an_observer_that_keeps_failing_is_not_called_any_more(write: Write, load: Load) -> None:
    write("a", OBSERVER.replace("{then}", "1 / 0"))
    observers = load("a").observers(lambda: 0, patience=2)

    told = [observers.alert(Severity.INFO, str(number), "", number) for number in range(4)]

    assert [len(failures) for failures in told] == [1, 1, 0, 0]
    assert told[1][0].cause.endswith("failed 2 times, not called any more")
    assert len(seen("a")) == 2


def test_a_slow_observer_is_a_failing_one(write: Write, load: Load) -> None:
    write("a", OBSERVER.replace("{then}", ""))
    ticking = iter(range(0, 10**9, 5_000_000))
    observers = load("a").observers(lambda: next(ticking), slow_ns=4_000_000)

    (failure,) = observers.alert(Severity.INFO, "one", "", 1)

    assert failure.cause == "took 5 ms; at most 4 ms"
    assert seen("a") == [("info", "one")]
