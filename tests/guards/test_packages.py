"""The folders, the packaging and the layers tell one story."""

import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.guards.tree import (
    PLUGIN_ROOTS,
    ROOT,
    SOURCE_ROOTS,
    distributions,
    dotted,
    packages,
    plugin_names,
    project,
    relative,
)

LAZY = ("sqlalchemy", "alembic", "rich", "ccxt", "aiohttp", "websockets", "plotly")


def test_every_source_folder_holds_only_import_packages() -> None:
    strays = [
        relative(path)
        for root in SOURCE_ROOTS
        for path in (ROOT / root).iterdir()
        if path not in distributions() and path.name != "__pycache__"
    ]

    assert strays == []


def test_every_package_is_marked_as_typed() -> None:
    missing = [relative(path) for path in packages() if not (path / "py.typed").is_file()]

    assert missing == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {file.parent for top in distributions() for file in top.rglob("*.py")}

    # The scripts of a database migration are run by their path, never imported.
    assert (
        sorted(relative(path) for path in folders - set(packages()) if path.name != "versions")
        == []
    )


def test_every_plugin_folder_is_an_entry_point() -> None:
    offered = project()["project"]["entry-points"]["fairlead"]

    assert sorted(offered.values()) == plugin_names()
    assert {name: f"fairlead_{name}" for name in offered} == offered


def test_every_tool_looks_at_every_source_folder() -> None:
    tool = project()["tool"]
    roots = list(SOURCE_ROOTS)

    assert tool["hatch"]["build"]["dev-mode-dirs"] == roots
    assert tool["hatch"]["build"]["targets"]["wheel"]["only-include"] == roots
    assert tool["hatch"]["build"]["targets"]["wheel"]["sources"] == roots
    assert tool["hatch"]["build"]["targets"]["sdist"]["only-include"][: len(roots)] == roots
    assert tool["mypy"]["files"] == [*roots, "tests"]
    assert tool["mypy"]["mypy_path"] == ":".join(f"$MYPY_CONFIG_FILE_DIR/{root}" for root in roots)
    assert tool["ruff"]["src"] == [".", *roots]


def test_layers_and_coverage_know_every_package() -> None:
    tool = project()["tool"]
    names = [path.name for path in distributions()]
    contracts = {contract["name"]: contract for contract in tool["importlinter"]["contracts"]}

    assert sorted(tool["importlinter"]["root_packages"]) == names
    assert sorted(tool["coverage"]["run"]["source_pkgs"]) == names
    assert sorted(contracts["plugins are independent"]["modules"]) == plugin_names()
    assert sorted(contracts["the kernel knows no plugin"]["forbidden_modules"]) == plugin_names()
    for single in ("one composition root", "one plugin manager"):
        assert sorted(contracts[single]["source_modules"]) == ["fairlead.**", *plugin_names()]


def test_every_package_of_the_core_has_a_layer() -> None:
    (layers,) = (c for c in project()["tool"]["importlinter"]["contracts"] if c["name"] == "layers")
    placed = {name.strip() for layer in layers["layers"] for name in layer.split("|")}
    core = ROOT / "core" / "fairlead"
    children = {path.stem for path in core.glob("*.py")} | {
        path.parent.name for path in core.glob("*/__init__.py")
    }

    assert children - {"__init__"} == placed


@pytest.mark.parametrize("path", packages(), ids=dotted)
def test_every_package_lists_what_it_offers(path: Path) -> None:
    module = importlib.import_module(dotted(path))

    offered = module.__all__

    assert [name for name in offered if not hasattr(module, name)] == []
    assert len(set(offered)) == len(offered)
    assert (module.__doc__ or "").strip() != ""


def test_the_kernel_is_imported_without_database_terminal_or_web_client() -> None:
    program = "import json, sys, fairlead.kernel; print(json.dumps(sorted(sys.modules)))"

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True, cwd=ROOT
    )

    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert sorted(loaded & set(LAZY)) == []


@pytest.mark.parametrize("root", SOURCE_ROOTS)
def test_a_source_folder_may_not_be_imported_by_its_own_name(root: str) -> None:
    source = f"import {root}.fairlead\nfrom {root} import anything\n"

    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--select=TID251", "--output-format=concise", "-"],
        input=source,
        capture_output=True,
        check=False,
        text=True,
        cwd=ROOT,
    )

    assert done.returncode == 1
    assert done.stdout.count("TID251") == len(source.splitlines())


def test_plugins_stand_apart_from_the_core() -> None:
    assert "core" not in PLUGIN_ROOTS
    assert [name for name in plugin_names() if not name.startswith("fairlead_")] == []
