"""The generated pages say what the code says."""

import re
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.guards.reference import BUILT_IN, PAGES, ROOT, pages
from tests.guards.reference_block import with_blocks
from tests.guards.reference_command import section
from tests.guards.tree import project


def test_the_pages_that_come_from_the_code_are_as_new_as_the_code() -> None:
    written = pages()

    stale = [page.name for page in written if page.read_text(encoding="utf-8") != written[page]]
    assert stale == [], "run: python -m tests.guards.reference"
    assert {"configuration.md", "hooks.md", "commands.md", "files.md", "orders.md"} <= {
        page.name for page in written
    }


def test_a_command_called_without_its_parents_has_the_same_section_after() -> None:
    command = click.Command("alone", help="Do a thing.")
    CliRunner().invoke(command, ["--help"])

    assert "| `-h, --help` | Show this message and exit. |" in section("fairlead alone", command)


def test_a_block_that_nothing_writes_is_an_error() -> None:
    page = "<!-- begin nothing: of the kind -->\n<!-- end nothing -->"

    with pytest.raises(ValueError, match="nothing"):
        with_blocks(page, {})


def test_every_built_in_plugin_is_in_the_reference() -> None:
    assert set(project()["project"]["entry-points"]["fairlead"]) == set(BUILT_IN)


def test_every_key_says_what_it_means() -> None:
    rows = re.findall(r"^\| (`\S+`) \|.*\|([^|]*)\|$", pages()[PAGES / "configuration.md"], re.M)

    assert len(rows) > 30
    assert [key for key, meaning in rows if not meaning.strip()] == []


def test_every_table_of_the_demo_is_in_the_reference() -> None:
    text = pages()[PAGES / "configuration.md"]
    demo = (ROOT / "plugins.toml").read_text(encoding="utf-8")

    keys = re.findall(r"^(\w+)\s*=", demo, re.M)
    assert [key for key in keys if not re.search(rf"\b{key}\b", text)] == []


def blocks(page: Path) -> dict[str, str]:
    """Give the code blocks of a page that follow a line naming their file in bold."""
    text = page.read_text(encoding="utf-8")
    return dict(re.findall(r"^\*\*`([^`]+)`\*\*[^\n]*\n\n```\w+\n(.*?)^```$", text, re.M | re.S))


def test_the_tutorial_shows_the_very_files_that_are_tested() -> None:
    example = ROOT / "examples" / "plugin-tutorial"
    files = [path for path in example.rglob("*") if path.suffix in {".py", ".toml"}]

    shown = blocks(ROOT / "docs" / "tutorial" / "write-a-plugin.md")

    assert shown == {
        path.relative_to(example).as_posix(): path.read_text(encoding="utf-8") for path in files
    }
