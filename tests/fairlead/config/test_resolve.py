from collections.abc import Collection
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel

from fairlead.api import Amount, Duration, Replace
from fairlead.config import RawConfig, Settings, enabled, resolve
from fairlead.errors import ConfigError, Finding, PluginError
from fairlead.model import MarketId
from tests.fairlead.config.fakes import CONFIG, Limit, Paper, Pmm, offers, written


def settings(folder: Path, text: str = CONFIG, *sets: str) -> Settings:
    return resolve(written(folder, text, *sets), offers())


def findings(folder: Path, text: str = CONFIG, *sets: str) -> tuple[Finding, ...]:
    with pytest.raises(ConfigError) as caught:
        settings(folder, text, *sets)
    return caught.value.findings


def test_tables_become_models(tmp_path: Path) -> None:
    done = settings(tmp_path)

    assert done.engine.instance == "demo"
    assert done.engine.tick == Duration.parse("1 s")
    assert done.venues["main"].connector == "paper"
    assert isinstance(done.venues["main"].options, Paper)
    assert done.venues["main"].options.balances["ALT"].value == Decimal(2500)
    assert done.strategies["alt"].market == MarketId("main", "ALT/USDT")
    assert isinstance(done.strategies["alt"].options, Pmm)
    assert done.strategies["alt"].replace is None


def test_every_offered_rule_is_on_with_its_defaults(tmp_path: Path) -> None:
    done = settings(tmp_path)

    assert list(done.risk) == ["max_position", "max_open_orders"]
    assert done.risk["max_position"] == Limit(limit=Amount.parse("2000 USDT"))
    assert done.risk["max_open_orders"].model_dump() == {"limit": 40}


def test_a_rule_may_be_a_table_or_its_limit(tmp_path: Path) -> None:
    scalar = settings(tmp_path, CONFIG, "risk.max_open_orders=3")
    table = settings(tmp_path, CONFIG, "risk.max_open_orders={ limit = 3 }")

    assert scalar == table


def test_a_rule_may_bound_a_quantity_of_a_market(tmp_path: Path) -> None:
    done = settings(tmp_path, CONFIG, "risk.max_position={ size = '5 ALT' }")

    assert done.risk["max_position"] == Limit(size=Amount(Decimal(5), "ALT"))


def test_a_strategy_decides_on_each_tick_unless_it_says_otherwise(tmp_path: Path) -> None:
    each = settings(tmp_path, CONFIG, "engine.tick=500 ms")
    third = settings(tmp_path, CONFIG, "engine.tick=500 ms", "strategies.alt.every=1500 ms")

    assert each.every_ticks("alt") == 1
    assert third.every_ticks("alt") == 3


def test_the_store_lies_beside_the_configuration(tmp_path: Path) -> None:
    assert settings(tmp_path).store_path == tmp_path / "fairlead.db"
    absolute = settings(tmp_path, CONFIG, f"engine.store=sqlite:///{tmp_path}/x.db")
    assert absolute.store_path == tmp_path / "x.db"


def test_a_strategy_says_how_orders_give_way_and_what_it_owes(tmp_path: Path) -> None:
    done = settings(
        tmp_path,
        CONFIG,
        "strategies.alt.replace=together",
        'strategies.alt.obligation={ max_spread = "50 bps", min_size = "100 USDT" }',
    )

    assert done.strategies["alt"].replace is Replace.TOGETHER
    assert done.strategies["alt"].obligation is not None
    assert done.strategies["alt"].obligation.min_size == Amount(Decimal(100), "USDT")


@pytest.mark.parametrize(
    ("change", "key", "expected"),
    [
        ("engine.curency=USDT", "engine.curency", "did you mean 'currency'?"),
        ("engine.zzz=1", "engine.zzz", "known here: instance, mode, tick"),
        ("engine.instance=a__b", "engine.instance", "a-z, 0-9"),
        ("engine.instance=Demo", "engine.instance", "a-z, 0-9"),
        ("engine.mode=live", "engine.mode", '"live" is not available in this version'),
        ("engine.dead_man=26 s", "engine.dead_man", 'write "1 s" to "25 s"'),
        ("engine.mode=papr", "engine.mode", "write 'paper', 'rehearse' or 'live'"),
        ("engine.tick=5", "engine.tick", "write a duration with its unit"),
        ("engine.tick=9 ms", "engine.tick", 'from "10 ms" to "60 s"'),
        ("engine.tick=61 s", "engine.tick", 'from "10 ms" to "60 s"'),
        ("engine.tick=0 s", "engine.tick", 'from "10 ms" to "60 s"'),
        ("engine.currency=usdt", "engine.currency", "capitals"),
        ("engine.store=postgres://h/x", "engine.store", "write a SQLite file"),
        ("engine.store=sqlite:///", "engine.store", "write a SQLite file"),
        ("engine=5", "engine", "write a table"),
        ("venue={}", "venue", "unknown table; did you mean 'venues'?"),
        ("plugins.enable=paper", "plugins.enable", "write a list"),
        ('plugins.enable=["a", "a"]', "plugins.enable", "is named twice"),
        ("venues={}", "venues", "write a table [venues.NAME]"),
        ("venues=5", "venues", "write tables [venues.NAME]"),
        ("venues.x=5", "venues.x", "write a table [venues.x]"),
        ("venues.Main={ connector = 'paper' }", "venues.Main", "a-z, 0-9"),
        ("venues.x={}", "venues.x.connector", "is missing; installed are: paper"),
        ("venues.main.connector=papr", "venues.main.connector", "unknown connector; did you"),
        ("venues.main.connector=7", "venues.main.connector", "installed are: paper"),
        ("venues.main.seeds=1", "venues.main.seeds", "did you mean 'seed'?"),
        ("venues.main.seed=x", "venues.main.seed", "write a whole number"),
        ("venues.main.seed=-1", "venues.main.seed", "must be at least 0"),
        ("venues.main.balances.ALT=2.5", "venues.main.balances.ALT", "as a string"),
        ("venues.main.latency=5", "venues.main.latency", "write a table of keys, e.g. { key"),
        ("venues.main.latency.order='1 s'", "venues.main.latency.order", "did you mean 'orders'?"),
        ("venues.main.api_key=hush", "venues.main.api_key", "secrets are never in the file"),
        (
            'venues.main.instruments."A/B".tick=0.1',
            'venues.main.instruments."A/B".tick',
            "as a string",
        ),
        ("strategies={}", "strategies", "write a table [strategies.NAME]"),
        ("strategies.alt.controller=pm", "strategies.alt.controller", "did you mean 'pmm'?"),
        ("strategies.alt.market=BTC", "strategies.alt.market", 'written "venue:BASE/QUOTE"'),
        ("strategies.alt.market=5", "strategies.alt.market", 'written "venue:BASE/QUOTE"'),
        (
            "strategies.alt.market=mian:ALT/USDT",
            "strategies.alt.market",
            "unknown venue; there are: main",
        ),
        ("strategies.alt.spread=-8 bps", "strategies.alt.spread", "must not be below zero"),
        ("strategies.alt.spread=8", "strategies.alt.spread", "write a ratio with its unit"),
        ("strategies.alt.levels=0", "strategies.alt.levels", "must be at least 1"),
        ("strategies.alt.levels=21", "strategies.alt.levels", "must be at most 20"),
        ("strategies.alt.options=1", "strategies.alt.options", "unknown key"),
        ("strategies.alt.every=1500 ms", "strategies.alt.every", "a multiple of the tick, 1 s"),
        ("strategies.alt.every=0 s", "strategies.alt.every", "a multiple of the tick"),
        ("strategies.alt.replace=never", "strategies.alt.replace", "write 'wait' or 'together'"),
        ("strategies.alt.obligation={}", "strategies.alt.obligation.max_spread", '"8 bps"'),
        ("strategies.alt.order_size=1 BTC", "strategies.alt.order_size", "write it in ALT or USDT"),
        ("risk=5", "risk", "write a table [risk]"),
        ("risk.max_positon=1", "risk.max_positon", "unknown rule; did you mean 'max_position'?"),
        ("risk.max_position=5", "risk.max_position.limit", "write an amount with its asset"),
        ("risk.max_position=5 EUR", "risk.max_position.limit", "write it in USDT"),
        ("risk.max_position={ limit = '5 ALT' }", "risk.max_position.limit", "write it in USDT"),
        (
            "risk.max_position={ size = '5 BTC' }",
            "risk.max_position.size",
            "write it in USDT or ALT; USDT is the engine's currency",
        ),
        ("risk.max_open_orders=0", "risk.max_open_orders.limit", "must be at least 1"),
    ],
)
def test_a_mistake_is_told_with_its_key_and_what_would_be_right(
    tmp_path: Path, change: str, key: str, expected: str
) -> None:
    found = {finding.key: finding for finding in findings(tmp_path, CONFIG, change)}

    assert expected in found[key].expected
    assert "pydantic" not in str(found)
    assert "\n" not in str(found[key])


def test_missing_keys_say_what_could_be_written(tmp_path: Path) -> None:
    found = findings(tmp_path, '[engine]\n[venues.main]\nconnector = "paper"\n[strategies.x]\n')

    texts = {finding.key: finding.expected for finding in found}
    assert texts["engine.instance"] == 'is missing; write one, e.g. "demo"'
    assert texts["venues.main.source"] == 'is missing; write one, e.g. "synthetic:midcap"'
    assert texts["venues.main.balances"] == "is missing; write one"
    assert texts["strategies.x.controller"] == "is missing; installed are: pmm"


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    found = findings(tmp_path, CONFIG, "venues.main.api_key=hush", "engine.store=pg://u:hush@h/d")

    assert "hush" not in "\n".join(map(str, found))


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    (found,) = findings(tmp_path, CONFIG, f"engine.instance={'X' * 500}")

    assert len(found.value) == 60


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = CONFIG.replace('"demo"', '"De mo"').replace("8 bps", "8").replace("2000 USDT", "1 EUR")

    found = findings(tmp_path, f"{text}\nmax_ordr = 5\n", "strategies.alt.market=x:ALT/USDT")

    assert [finding.key for finding in found] == [
        "engine.instance",
        "strategies.alt.spread",
        "risk.max_position.limit",
        "risk.max_ordr",
        "strategies.alt.market",
    ]


def test_a_finding_names_the_override_that_caused_it(tmp_path: Path) -> None:
    raw = written(tmp_path, CONFIG, FAIRLEAD_ENGINE__TICK="5")

    with pytest.raises(ConfigError, match="environment variable FAIRLEAD_ENGINE__TICK: engine"):
        resolve(raw, offers())


def test_amounts_deep_in_a_model_are_checked_too(tmp_path: Path) -> None:
    change = 'strategies.alt.obligation={ max_spread = "50 bps", min_size = "1 BTC" }'

    (found,) = findings(tmp_path, CONFIG, change)

    assert found.key == "strategies.alt.obligation.min_size"


def markets(venue: str, connector: str, options: BaseModel) -> Collection[str] | str:
    assert (venue, connector) == ("main", "paper")
    assert isinstance(options, Paper)
    return ["ALT/USDT", "BTC/USDT"] if options.seed == 0 else "its file is gone"


def test_an_unknown_market_is_told_with_what_the_venue_has(tmp_path: Path) -> None:
    text = CONFIG.replace("main:ALT/USDT", "main:XYZ/USDC").replace("250 USDT", "250 XYZ")

    with pytest.raises(ConfigError) as caught:
        resolve(written(tmp_path, text), offers(), markets_of=markets)

    (found,) = caught.value.findings
    assert found.expected == "unknown market; the venue has: main:ALT/USDT, main:BTC/USDT"


def test_a_venue_that_cannot_tell_its_markets_is_told_once(tmp_path: Path) -> None:
    text = CONFIG + '[strategies.b]\ncontroller="pmm"\nmarket="main:ALT/USDT"\n'
    text += 'spread="1 bps"\norder_size="1 ALT"\n'

    with pytest.raises(ConfigError) as caught:
        resolve(written(tmp_path, text, "venues.main.seed=1"), offers(), markets_of=markets)

    (found,) = caught.value.findings
    assert (found.key, found.expected) == (
        "venues.main",
        "its markets are unknown: its file is gone",
    )


def test_what_a_connector_finds_in_its_table_is_told_with_place_and_key(tmp_path: Path) -> None:
    def refusing(venue: str, connector: str, options: BaseModel) -> Collection[str]:
        raise ConfigError((Finding(venue, "latency.orders", '"9 s"', "too slow"),))

    with pytest.raises(ConfigError) as caught:
        resolve(written(tmp_path), offers(), markets_of=refusing)

    (found,) = caught.value.findings
    assert found == Finding(
        f"{tmp_path}/plugins.toml:5", "venues.main.latency.orders", '"9 s"', "too slow"
    )


def test_a_known_market_passes(tmp_path: Path) -> None:
    done = resolve(written(tmp_path), offers(), markets_of=markets)

    assert done == settings(tmp_path)


def test_a_broken_plugin_is_a_finding_and_hides_what_it_may_have_offered(tmp_path: Path) -> None:
    broken = PluginError("extra", "extra-dist 3", "cannot be imported: SyntaxError")
    raw = written(tmp_path, CONFIG, "venues.main.connector=other", "risk.mine=1", "engine.tick=5")

    with pytest.raises(ConfigError) as caught:
        resolve(raw, offers(), broken=[broken])

    found = {finding.key: finding.expected for finding in caught.value.findings}
    assert sorted(found) == ["engine.tick", "plugins.enable"]
    assert "(extra-dist 3)" in found["plugins.enable"]


def test_plugins_are_named_before_anything_else_is_judged(tmp_path: Path) -> None:
    assert enabled(written(tmp_path)) is None
    assert enabled(written(tmp_path, CONFIG, 'plugins.enable=["b", "a"]')) == ("b", "a")
    with pytest.raises(ConfigError, match="write a list"):
        enabled(written(tmp_path, CONFIG, "plugins.enable=7"))


def test_an_empty_configuration_says_what_it_needs() -> None:
    with pytest.raises(ConfigError) as caught:
        resolve(RawConfig({}), offers())

    keys = [finding.key for finding in caught.value.findings]
    assert keys == ["engine.instance", "engine.currency", "venues", "strategies"]


# How a venue is dealt with.


def test_a_venue_is_dealt_with_as_its_table_says(tmp_path: Path) -> None:
    plain = settings(tmp_path).venues["main"]
    said = settings(
        tmp_path,
        CONFIG,
        "venues.main.batch_size=20",
        "venues.main.batch_timeout=250 ms",
        "venues.main.batching=false",
        "venues.main.share=50%",
        "venues.main.breaker={ failures = 3, pause = '5 s' }",
    ).venues["main"]

    assert (plain.batch_size, plain.batch_timeout.seconds, plain.batching) == (5, 1.0, True)
    assert (plain.share.value, plain.breaker.failures, plain.breaker.rejects) == (Decimal(1), 5, 10)
    assert (said.batch_size, said.batch_timeout.ns, said.batching) == (20, 250_000_000, False)
    assert (said.share.value, said.breaker.failures) == (Decimal("0.5"), 3)
    assert (said.breaker.pause.seconds, said.breaker.rejects_pause.seconds) == (5.0, 60.0)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("batch_size", "0", "must be at least 1"),
        ("batch_timeout", "1", "write a duration"),
        ("share", "0%", "must be above zero"),
        ("share", "0.5", 'write a share from "0%" to "100%"'),
        ("breaker", "{ failures = 0 }", "must be at least 1"),
        ("batchsize", "5", "unknown key"),
    ],
)
def test_what_a_venue_cannot_be_told_is_found(
    tmp_path: Path, key: str, value: str, expected: str
) -> None:
    (found,) = findings(tmp_path, CONFIG, f"venues.main.{key}={value}")

    assert found.key.startswith(f"venues.main.{key}")
    assert expected in found.expected


def test_a_venue_without_a_known_connector_has_its_own_keys_judged_all_the_same(
    tmp_path: Path,
) -> None:
    found = findings(tmp_path, CONFIG, "venues.main.connector=nobody", "venues.main.batch_size=0")

    assert sorted(one.key for one in found) == ["venues.main.batch_size", "venues.main.connector"]
