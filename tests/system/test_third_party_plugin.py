"""A stranger's plugin, installed with pip beside Fairlead, enters by the door of the built-in ones.

Bound: 60 s for all of it. No index is asked: the fresh environment borrows the dependencies of the
one that runs the tests, and pip builds without isolation.
"""

import json
import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin-tutorial"

pytestmark = pytest.mark.system

Fairlead = Callable[..., "subprocess.CompletedProcess[str]"]


def call(*command: str | Path, cwd: Path) -> "subprocess.CompletedProcess[str]":
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    for name in ("PYTHONPATH", "COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        kept.pop(name, None)
    return subprocess.run(
        command, cwd=cwd, env=kept, capture_output=True, check=False, text=True, timeout=45
    )


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of a fresh virtual environment that holds Fairlead and the tutorial's plugin."""
    folder = tmp_path_factory.mktemp("fresh")
    made = call(sys.executable, "-m", "venv", "--without-pip", folder / "env", cwd=folder)
    assert made.returncode == 0, made.stderr
    (libraries,) = (folder / "env" / "lib").glob("python3*/site-packages")
    # A path line borrows the packages there but none of their own .pth files, so an editable
    # Fairlead of the borrowed place stays unseen.
    (libraries / "borrowed.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = (sys.executable, "-m", "pip", "--python", folder / "env" / "bin" / "python")
    quick = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    installed = call(*pip, "install", "--quiet", *quick, ROOT, EXAMPLE, cwd=folder)
    assert installed.returncode == 0, installed.stderr
    return folder / "env" / "bin"


@pytest.fixture
def fairlead(environment: Path, tmp_path: Path) -> Fairlead:
    """The installed command, called in a folder that holds nothing but the plugins.toml."""
    (tmp_path / "plugins.toml").write_bytes((EXAMPLE / "plugins.toml").read_bytes())
    return lambda *arguments: call(environment / "fairlead", *arguments, cwd=tmp_path)


def test_the_plugin_and_the_engine_are_the_installed_ones(
    environment: Path, tmp_path: Path
) -> None:
    program = "import fairlead, fairlead_sine; print(fairlead.__file__, fairlead_sine.__file__)"

    done = call(environment / "python", "-c", program, cwd=tmp_path)

    places = done.stdout.split()
    assert len(places) == 2, done.stderr
    assert [place for place in places if not place.startswith(str(environment.parent))] == []


def test_the_plugin_is_listed_with_its_own_distribution(fairlead: Fairlead) -> None:
    done = fairlead("plugins", "--json")

    rows = {row["plugin"]: row for row in json.loads(done.stdout)["plugins"]}
    assert sorted(rows) == ["risk", "sine"]
    assert (rows["sine"]["distribution"], rows["sine"]["version"]) == ("fairlead-sine", "1.0")
    assert [(offer["kind"], offer["name"]) for offer in rows["sine"]["offers"]] == [
        ("connector", "sine"),
        ("controller", "symmetric"),
    ]


def test_without_a_configuration_the_plugin_is_not_loaded(
    environment: Path, tmp_path: Path
) -> None:
    done = call(environment / "fairlead", "plugins", cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    assert "sine" not in done.stdout


def test_its_configuration_is_checked_as_any_other(fairlead: Fairlead) -> None:
    good = fairlead("config", "check")
    bad = fairlead("config", "check", "--set", "strategies.waves.spread=-1 bps")

    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout == "plugins.toml: ok, 1 venue, 1 strategy, 26 risk rules\n"
    assert bad.returncode == 2
    assert bad.stderr == (
        '--set: strategies.waves.spread = "-1 bps": must not be below zero, e.g. "10 bps"\n'
    )


def test_a_market_that_its_venue_does_not_have_is_a_finding(fairlead: Fairlead) -> None:
    done = fairlead("config", "check", "--set", "strategies.waves.market=main:WAVE/USDT")

    assert done.returncode == 2
    assert "unknown market; the venue has: main:SINE/USDT" in done.stderr


def test_its_strategy_trades_at_its_venue(fairlead: Fairlead) -> None:
    done = fairlead("run", "--for", "60 s", "--json")

    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    waves = report["strategies"]["waves"]
    assert waves["market"] == "main:SINE/USDT"
    assert waves["fills"] > 0
    assert report["incidents"] in ({}, 0, [])
    net = report["venues"]["main"]["fills_net"]
    assert set(net) == {"SINE", "USDT"}


def test_the_plugin_holds_to_the_contracts_by_the_type_checker_too(tmp_path: Path) -> None:
    # The sources are read where they stand; the checker's notes go elsewhere.
    done = call(
        *(sys.executable, "-m", "mypy", "--config-file", ROOT / "pyproject.toml"),
        *("--follow-imports=silent", "--cache-dir", tmp_path, "fairlead_sine"),
        cwd=EXAMPLE,
    )

    assert done.returncode == 0, done.stdout
