"""What a reader follows works: links, commands, configurations."""

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from fairlead.cli.config import configured
from tests.guards.reference import BUILT_IN
from tests.guards.reference_command import commands
from tests.guards.tree import ROOT, relative

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\(([^()\s]+)\)")
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
VARIABLE = re.compile(r"^FAIRLEAD_[A-Z0-9_]+=")
#: Words that end a command, for the shell that runs it.
SHELL = {"|", ">", "&&", "#"}

#: The least that a recording is: a snapshot, and a diff that names the market.
RECORDING = (
    '1723161253000000000 {"lastUpdateId":7,'
    '"bids":[["100.01","1.00001"]],"asks":[["100.03","2.00000"]]}\n'
    '1723161253100000000 {"stream":"btcusdt@depth","data":{"e":"depthUpdate","E":1723161253099,'
    '"s":"BTCUSDT","U":8,"u":8,"b":[["100.01","2.00000"]],"a":[]}}\n'
)


def blocks(page: Path, *kinds: str) -> list[str]:
    found = BLOCK.findall(page.read_text(encoding="utf-8"))
    return [text for kind, text in found if kind in kinds]


def anchors(page: Path) -> set[str]:
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    for target in LINK.findall(BLOCK.sub("", page.read_text(encoding="utf-8"))):
        place, _, anchor = target.partition("#")
        if "://" in target or target.startswith("mailto:"):
            continue
        other = (page.parent / place).resolve() if place else page
        if not other.exists() or (anchor and anchor not in anchors(other)):
            yield f"{relative(page)}: {target}"


def shown(page: Path) -> Iterator[str]:
    """Give every call of ``fairlead`` in a page, from its sessions and from its sentences."""
    for session in blocks(page, "console"):
        for line in session.splitlines():
            if line.startswith("$ "):
                yield line[2:]
    text = BLOCK.sub("", page.read_text(encoding="utf-8"))
    for span in SPAN.findall(text.replace("\n", " ")):
        if re.match(r"fairlead [a-z-]", span):
            yield span


def mistakes(call: str) -> Iterator[str]:
    words = shlex.split(call, comments=True)
    while words and VARIABLE.match(words[0]):
        del words[0]
    end = next((at for at, word in enumerate(words) if word in SHELL), len(words))
    if not words or words[0] != "fairlead":
        return
    known = commands()
    name, rest = words[0], words[1:end]
    while rest and f"{name} {rest[0]}" in known:
        name, rest = f"{name} {rest[0]}", rest[1:]
    command = known[name]
    if isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        if not (name == "fairlead" and rest[0].isupper()):
            yield f"{call}: no command {rest[0]}"
        return
    context = click.Context(command, help_option_names=["-h", "--help"])
    options = {
        option
        for parameter in command.get_params(context)
        for option in (*parameter.opts, *parameter.secondary_opts)
    }
    yield from (
        f"{call}: no option {word}"
        for word in rest
        if word.startswith("-") and word.partition("=")[0] not in options
    )


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    assert list(broken(page)) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_command_that_is_shown_exists(page: Path) -> None:
    assert [mistake for call in shown(page) for mistake in mistakes(call)] == []


def test_a_command_or_option_that_is_gone_is_found() -> None:
    assert list(mistakes("fairlead dance --fast")) == ["fairlead dance --fast: no command dance"]
    assert list(mistakes('FAIRLEAD_ENGINE__TICK="2 s" fairlead run --fast | less')) == [
        'FAIRLEAD_ENGINE__TICK="2 s" fairlead run --fast | less: no option --fast'
    ]
    assert list(mistakes('fairlead run x.toml --for "1 min" --set a.b="1 s" > y')) == []


def test_every_page_is_on_the_map() -> None:
    index = ROOT / "docs" / "index.md"
    linked = {
        (index.parent / target.partition("#")[0]).resolve()
        for target in LINK.findall(index.read_text(encoding="utf-8"))
    }
    pages = [page for page in PAGES if page.is_relative_to(index.parent) and page != index]

    assert [relative(page) for page in pages if page not in linked] == []


def test_every_whole_configuration_that_is_shown_passes_the_check(tmp_path: Path) -> None:
    whole = [
        (page, text)
        for page in PAGES
        for text in blocks(page, "toml")
        if re.search(r"^(\[engine\]|engine = )", text, re.MULTILINE)
    ]
    for number, (page, text) in enumerate(whole):
        file = tmp_path / f"{number}.toml"
        file.write_text(text, encoding="utf-8")
        source = re.search(r'"file:([^"]+)"', text)
        for name in source[1].split(",") if source else ():
            (tmp_path / name).write_text(RECORDING, encoding="utf-8")
        enabled = tomllib.loads(text).get("plugins", {}).get("enable", BUILT_IN)
        if set(enabled) <= set(BUILT_IN):
            assert configured(file, env={}).settings.strategies, relative(page)

    assert {"README.md", "docs/how-to/replay-your-own-recording.md"} <= {
        relative(page) for page, _ in whole
    }


def test_the_tests_that_are_shown_pass() -> None:
    for text in blocks(ROOT / "docs" / "how-to" / "test-your-strategy.md", "python"):
        module: dict[str, Callable[[], None]] = {}
        exec(text, module)  # noqa: S102 - our own page
        tests = [name for name in module if name.startswith("test_")]
        for name in tests:
            module[name]()

        assert len(tests) >= 2


def test_pictures_are_small_and_load_nothing_from_elsewhere() -> None:
    pictures = sorted((ROOT / "docs" / "images").iterdir())

    assert {"live-view.svg", "report.png"} <= {picture.name for picture in pictures}
    for picture in pictures:
        assert picture.stat().st_size < 400_000, picture.name
        if picture.suffix == ".svg":
            addresses = re.findall(r"\w+://[^\"'\s<>)]+", picture.read_text(encoding="utf-8"))
            assert set(addresses) <= {"http://www.w3.org/2000/svg"}, picture.name
