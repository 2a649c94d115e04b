"""What may stand below ``[alerts]``, and that a secret never does."""

from pathlib import Path

import pytest

from fairlead.config import canonical_text, from_canonical, load, resolve
from fairlead.config.schema import schema
from fairlead.errors import ConfigError
from fairlead.kernel.plugins import load_plugins
from tests.conftest import ROOT

OFFERS = load_plugins(["alerts", "paper", "pmm", "risk"]).register_offers()
DEMO = (ROOT / "plugins.toml").read_text(encoding="utf-8")
HOOK = "https://hooks.example/T000/canary-of-a-secret"


def written(folder: Path, text: str) -> Path:
    path = folder / "plugins.toml"
    path.write_text(DEMO + text, encoding="utf-8")
    return path


def findings(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as raised:
        resolve(load(written(folder, text)), OFFERS)
    return str(raised.value)


def test_only_what_is_written_is_on(tmp_path: Path) -> None:
    settings = resolve(load(written(tmp_path, "\n[alerts.log]\n")), OFFERS)

    assert list(settings.alerts) == ["log"]
    assert settings.alerts["log"].model_dump() == {"least": "info", "file": "alerts.jsonl"}
    assert resolve(load(ROOT / "plugins.toml"), OFFERS).alerts == {}


def test_a_configuration_without_alerts_is_written_as_it_always_was() -> None:
    assert '"alerts"' not in canonical_text(resolve(load(ROOT / "plugins.toml"), OFFERS))


def test_a_snapshot_says_where_a_secret_is_and_reads_back(tmp_path: Path) -> None:
    text = '\n[alerts.webhook]\nsecret_url = "env:HOOK"\nleast = "warning"\n'
    settings = resolve(load(written(tmp_path, text)), OFFERS)

    snapshot = canonical_text(settings)

    assert '"secret_url":"env:HOOK"' in snapshot
    assert canonical_text(resolve(from_canonical(snapshot), OFFERS)) == snapshot


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("\n[alerts]\nlogs = {}\n", "unknown notifier; did you mean 'log'?"),
        ("\n[alerts.webhook]\n", "alerts.webhook.secret_url: is missing; write one, e.g. "),
        ('\n[alerts.log]\nleast = "loud"\n', "write 'info', 'warning' or 'critical'"),
        ('\n[alerts.log]\nfile = ""\n', "write at least 1 characters"),
        (
            '\n[alerts.webhook]\nsecret_url = "env:A"\npatience = "2 min"\n',
            'write "100 ms" to "60 s"',
        ),
        ('\n[alerts.webhook]\nsecret_url = "env:A"\nattempts = 9\n', "must be at most 5"),
    ],
)
def test_a_mistake_says_what_would_be_right(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in findings(tmp_path, text)


def test_alerts_that_are_no_table_are_a_mistake(tmp_path: Path) -> None:
    text = DEMO.replace("[engine]", "alerts = 3\n[engine]", 1)
    path = tmp_path / "plugins.toml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(ConfigError, match="write tables"):
        resolve(load(path), OFFERS)


@pytest.mark.parametrize(
    "text",
    [
        f'\n[alerts.webhook]\nsecret_url = "{HOOK}"\n',
        f'\n[alerts.webhook]\nsecret_url = ["{HOOK}"]\n',
        f'\n[alerts.webhook]\nsecret_url = "env:"\nsecret = "{HOOK}"\n',
    ],
)
def test_a_secret_in_the_file_is_refused_and_not_repeated(tmp_path: Path, text: str) -> None:
    said = findings(tmp_path, text)

    assert "canary" not in said
    assert "secrets are never in the file" in said or "write a text" in said


def test_the_schema_knows_the_notifiers() -> None:
    properties = schema(OFFERS)["properties"]["alerts"]["properties"]

    assert set(properties) == {"log", "webhook"}
