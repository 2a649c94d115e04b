"""Nothing in the repository tells on which machine it was written."""

import re
from pathlib import Path

import pytest

from tests.guards.tree import committed_files, relative

#: Folders of one machine, put together here so that this file does not contain them.
HOMES = ("work", "root", r"home/\w+", r"Users/\w+", "tmp", "var/tmp", "private/var")
MACHINE_PATH = re.compile(r"(?<![\w.~:/}])/(" + "|".join(HOMES) + r")(?=/)")

#: Names of notes that are not shipped, and words of a desk; a bar keeps each out of this file.
NOTES = ("HO|USE.md", "HO|USE §", "DES|IGN §", "MECH|ANICS.md", "RELIA|BILITY.md")
DESK = ("scratch|pad", "on my |machine", "file:|///opt")
WORDS = tuple(word.replace("|", "") for word in (*NOTES, *DESK))
WORKPLACE_WORD = re.compile("|".join(re.escape(word) for word in WORDS), re.IGNORECASE)

TEXT = {"", ".py", ".md", ".toml", ".yaml", ".yml", ".cfg", ".ini", ".sh", ".txt", ".json", ".html"}


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines()


def found(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{relative(path)}:{number}: {match[0]}"
        for path in committed_files()
        if path.suffix in TEXT
        for number, line in enumerate(lines(path), 1)
        if (match := pattern.search(line))
    ]


def test_no_file_names_a_folder_of_one_machine() -> None:
    assert found(MACHINE_PATH) == []


def test_no_file_speaks_of_the_place_where_it_was_written() -> None:
    assert found(WORKPLACE_WORD) == []


@pytest.mark.parametrize(
    "folder", ["work/main", "root/.cache", "home/me/x", "tmp/run", "Users/Me/x"]
)
def test_a_folder_of_one_machine_is_found(folder: str) -> None:
    assert MACHINE_PATH.search(f'path = "/{folder}"')


@pytest.mark.parametrize("before", ["tests", "https://venue.example", "~"])
def test_other_paths_pass(before: str) -> None:
    assert not MACHINE_PATH.search("/".join([before, "work", "x"]))


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_a_workplace_is_found(word: str) -> None:
    assert WORKPLACE_WORD.search(f"see the {word.title()}")
