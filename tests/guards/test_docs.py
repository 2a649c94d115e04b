"""The documents speak of what exists, and speak of all that a stranger needs."""

import ast
import re
from collections.abc import Iterator

import pytest

from tests.guards.tree import ROOT, packages, plugin_names, project

HOOKSPECS = ROOT / "core" / "fairlead" / "hookspecs"
MENU = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)
COMMAND = re.compile(r"`make ([a-z]+)`")


def text(*places: str) -> str:
    files = [file for place in places for file in sorted(ROOT.glob(place))]
    return "\n".join(file.read_text(encoding="utf-8") for file in files)


def hooks() -> Iterator[ast.FunctionDef]:
    for file in sorted(HOOKSPECS.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name.startswith("fairlead_"):
                yield node


def test_plugins_enter_by_the_register_hook() -> None:
    assert "fairlead_register" in [hook.name for hook in hooks()]


def test_every_hook_has_a_heading_in_the_documents() -> None:
    headings = re.findall(r"^#+ .*", text("docs/**/*.md"), re.MULTILINE)

    assert [hook.name for hook in hooks() if not any(hook.name in line for line in headings)] == []


def test_every_hook_says_when_it_is_called_and_what_its_arguments_mean() -> None:
    for hook in hooks():
        docstring = ast.get_docstring(hook) or ""

        assert "When:" in docstring, hook.name
        assert "Result:" in docstring, hook.name
        for argument in hook.args.args:
            assert f":param {argument.arg}:" in docstring, hook.name


def test_every_hook_has_a_test_of_its_name() -> None:
    tests = text("tests/**/test_*.py")

    assert [hook.name for hook in hooks() if f"def test_hook_{hook.name}" not in tests] == []


def test_the_readme_names_the_two_commands() -> None:
    assert {"make run", "make test"} <= set(re.findall(r"make [a-z]+", text("README.md")))


@pytest.mark.parametrize("document", ["README.md", "CONTRIBUTING.md"])
def test_every_make_command_in_a_document_exists(document: str) -> None:
    assert set(COMMAND.findall(text(document))) - set(MENU.findall(text("Makefile"))) == set()


def test_every_plugin_is_described_in_a_document() -> None:
    documents = text("README.md", "docs/**/*.md")

    assert [name for name in plugin_names() if name not in documents] == []


def test_every_package_of_the_core_stands_in_the_contributors_picture() -> None:
    picture = text("CONTRIBUTING.md")
    core = ROOT / "core" / "fairlead"

    children = [path.name for path in packages() if path.parent == core]
    assert [name for name in children if not re.search(rf"\b{name}\b", picture)] == []


def test_the_version_stands_in_the_changelog() -> None:
    source = (ROOT / "core/fairlead/__init__.py").read_text(encoding="utf-8")
    version = re.search(r'^__version__ = "(.+)"$', source, re.MULTILINE)

    assert version is not None
    assert f"## [{version[1]}]" in text("CHANGELOG.md")
    assert project()["project"]["dynamic"] == ["version"]


def test_every_changelog_fragment_has_a_kind() -> None:
    pattern = re.compile(r"[a-z0-9-]+\.(added|changed|fixed|removed)\.md")
    fragments = [path.name for path in (ROOT / "changelog.d").glob("*") if path.name != "README.md"]

    assert [name for name in fragments if not pattern.fullmatch(name)] == []
