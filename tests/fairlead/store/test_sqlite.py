import sqlite3
from pathlib import Path
from typing import Any

import pytest
from typing_extensions import override

from fairlead.errors import StoreError
from fairlead.store import (
    Durability,
    InlineWriter,
    ThreadedWriter,
    open_database,
    open_reader,
    open_store,
    store_path,
)
from tests.fairlead.store.records import begin, order


def opened(path: Path, durability: Durability = Durability.NORMAL) -> InlineWriter:
    store = open_store(f"sqlite:///{path}", durability=durability, inline=True, patience_ms=1)
    assert isinstance(store, InlineWriter)
    return store


def refusal(path: Path) -> str:
    with pytest.raises(StoreError) as caught:
        opened(path)
    text = str(caught.value)
    assert text.startswith(f"store sqlite:///{path}: ")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", ["fairlead.db", "a b.db", "50%.db", "who?.db", "1#2.db", "ü.db"])
def test_a_database_is_made_kept_and_opened_again(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    store = opened(path)
    begin(store)
    store.append(1, order(1))
    store.close()

    again = opened(path)
    assert begin(again).epoch == 2
    again.close()

    assert [file.name for file in tmp_path.iterdir()] == [name]
    reader = open_reader(f"sqlite:///{path}")
    assert [line.record() for line in reader.records(1)] == [order(1)]
    reader.close()


def test_a_relative_file_is_relative_to_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    open_store("sqlite:///here.db", durability=Durability.NORMAL, inline=True).close()

    assert (tmp_path / "here.db").is_file()


def test_a_database_in_memory_is_opened_too() -> None:
    store = open_store("sqlite:///:memory:", durability=Durability.FULL, inline=True)

    assert begin(store).epoch == 1
    store.close()


def test_the_driver_is_chosen_by_the_clock(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path}/x.db", durability=Durability.FULL, inline=False)

    assert isinstance(store, ThreadedWriter)
    store.close()


@pytest.mark.parametrize(("durability", "level"), [(Durability.NORMAL, 1), (Durability.FULL, 2)])
def test_durability_is_sqlites_own_and_the_log_is_written_ahead(
    tmp_path: Path, durability: Durability, level: int
) -> None:
    database = open_database(f"sqlite:///{tmp_path}/x.db", durability)

    with database.transaction(synced=True) as transaction:
        ((during,),) = transaction.read("PRAGMA synchronous")
    (after,) = database.read("PRAGMA synchronous")
    (mode,) = database.read("PRAGMA journal_mode")
    (keys,) = database.read("PRAGMA foreign_keys")

    assert (during, after["synchronous"]) == (2, level)
    assert (mode["journal_mode"], keys["foreign_keys"]) == ("wal", 1)
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "",
        "fairlead.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:/x.db",
        "mysql://host/x",
        "sqlite+aio:///x",
    ],
)
def test_a_url_that_names_no_file_is_refused_with_what_would_be_right(url: str) -> None:
    with pytest.raises(StoreError, match='write "sqlite:///FILE"') as caught:
        store_path(url)

    assert caught.value.place == url


def test_a_refused_url_does_not_tell_its_password() -> None:
    with pytest.raises(StoreError) as caught:
        store_path("postgresql://me:hunter2@host:5432/fairlead")

    assert "hunter2" not in str(caught.value)
    assert caught.value.place == "postgresql://…@host/fairlead"


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    assert "nowhere does not exist; make it first" in refusal(tmp_path / "nowhere" / "x.db")


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    assert "is a folder; name a file in it" in refusal(tmp_path)


def test_a_file_of_something_else_is_untouched(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("dear diary " * 500)

    assert "not a SQLite database" in refusal(path)
    assert path.read_text() == "dear diary " * 500


def test_a_database_of_something_else_is_untouched(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE customers (name TEXT)")
    other.close()
    before = path.read_bytes()

    assert "holds tables of something else (customers)" in refusal(path)
    assert path.read_bytes() == before


def test_a_folder_that_takes_no_files_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever runs as root may write everywhere, so the driver's answer is given by hand.
    def refuse(*_: object, **__: object) -> None:
        error = sqlite3.OperationalError("unable to open database file")
        error.sqlite_errorcode = sqlite3.SQLITE_CANTOPEN
        raise error

    monkeypatch.setattr(sqlite3, "connect", refuse)

    assert "its folder must exist and be writable" in refusal(tmp_path / "x.db")


@pytest.mark.parametrize("mode", ["IMMEDIATE", "EXCLUSIVE"])
def test_a_database_that_another_process_holds_is_one_clear_line(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "x.db"
    opened(path).close()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute(f"BEGIN {mode}")

    assert "another process holds the database" in refusal(path)

    other.execute("ROLLBACK")
    other.close()
    store = opened(path)
    assert begin(store).epoch == 1
    store.close()


def test_a_database_that_another_process_takes_later_fails_the_store(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    store = opened(path)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreError, match="another process holds the database"):
        begin(store)

    other.close()
    store.close()


def test_a_disk_without_a_write_ahead_log_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stubborn(sqlite3.Connection):
        @override
        def execute(self, sql: str, parameters: Any = ()) -> sqlite3.Cursor:
            return super().execute("SELECT 'delete'" if "journal_mode" in sql else sql, parameters)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *a, **k: connect(*a, factory=Stubborn, **k))

    assert "allows no write-ahead log (mode 'delete')" in refusal(tmp_path / "x.db")


def test_a_reader_makes_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"

    with pytest.raises(StoreError, match="there is no such database"):
        open_reader(f"sqlite:///{path}")

    assert list(tmp_path.iterdir()) == []


def test_a_reader_looks_on_while_the_engine_writes(tmp_path: Path) -> None:
    store = opened(tmp_path / "x.db")
    begin(store)
    reader = open_reader(f"sqlite:///{tmp_path}/x.db")
    assert list(reader.records(1)) == []

    for n in (1, 2):
        store.append(n, order(n))
    store.close()

    assert len(list(reader.records(1))) == 2
    with pytest.raises(StoreError, match="may not be written"):
        reader._database.commit([("DELETE FROM journal", [()])])
    reader.close()
    with pytest.raises(StoreError, match="closed"):
        list(reader.records(1))
