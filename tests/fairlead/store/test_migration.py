import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from fairlead.errors import StoreError
from fairlead.store import (
    HEAD,
    MIGRATIONS,
    Durability,
    InlineWriter,
    is_current,
    migrate,
    open_database,
    open_reader,
    open_store,
)
from fairlead.store.schema import metadata
from tests.fairlead.store.records import begin, order

NEXT = """
import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table("notes", sa.Column("text", sa.Text))
    with op.batch_alter_table("instances") as batch:
        batch.add_column(sa.Column("note", sa.Text, server_default="none"))
"""


@pytest.fixture
def url(tmp_path: Path) -> str:
    """A database with a run and an order in it."""
    url = f"sqlite:///{tmp_path}/fairlead.db"
    store = open_store(url, durability=Durability.NORMAL, inline=True)
    begin(store)
    store.append(1, order(1))
    store.close()
    return url


@pytest.fixture
def connection(url: str) -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    yield connection
    connection.close()


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of a version to come, with one more step."""
    folder = tmp_path / "100% later"
    shutil.copytree(MIGRATIONS, folder)
    (folder / "versions" / "r0004_next.py").write_text(NEXT)
    return folder


def contents(connection: sqlite3.Connection) -> str:
    return "\n".join(connection.iterdump())


def test_the_head_is_the_last_migration() -> None:
    scripts = ScriptDirectory(str(MIGRATIONS))

    assert scripts.get_heads() == [HEAD]


def test_the_migrations_make_the_tables_that_the_schema_describes(url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), metadata)
    made = sqlite3.connect(url.removeprefix("sqlite:///"))
    sql = contents(made)
    made.close()
    engine.dispose()

    assert found == []
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert str(constraint.name) in sql


def test_a_filled_database_goes_forward_and_keeps_what_it_holds(
    connection: sqlite3.Connection, later: Path, url: str
) -> None:
    before = connection.execute("SELECT * FROM journal").fetchall()

    migrate(connection, url, later)

    assert is_current(connection, url, "0004")
    assert connection.execute("SELECT * FROM journal").fetchall() == before != []
    assert connection.execute("SELECT name, tag, epoch, note FROM instances").fetchall() == [
        ("demo", 5, 1, "none")
    ]
    migrate(connection, url, later)
    assert is_current(connection, url, "0004")


def test_orders_of_the_first_version_are_quotes_in_the_next(tmp_path: Path) -> None:
    folder = tmp_path / "first"
    shutil.copytree(MIGRATIONS, folder)
    for later in (folder / "versions").glob("r0*.py"):
        if later.name != "r0001_initial.py":
            later.unlink()
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection, "memory", folder)
    connection.execute("PRAGMA foreign_keys = OFF")
    row = ("a", 1, 1, 1, "alt", "m", "BUY", 0, "1", "2", "GTC", 1, 0, "quote", 1)
    connection.execute("INSERT INTO orders VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", row)

    migrate(connection, "memory")

    assert is_current(connection, "memory")
    assert connection.execute("SELECT * FROM orders").fetchall() == [(*row, "")]
    assert connection.execute("SELECT * FROM executions").fetchall() == []
    connection.close()


def test_a_migration_that_fails_half_way_leaves_the_database_as_it_was(
    connection: sqlite3.Connection, later: Path, url: str
) -> None:
    (later / "versions" / "r0004_next.py").write_text(NEXT + '    op.drop_table("nowhere")\n')
    before = contents(connection)

    with pytest.raises(StoreError, match="no such table: nowhere"):
        migrate(connection, url, later)

    assert contents(connection) == before
    assert not connection.in_transaction


def test_a_mistake_in_a_migration_is_not_taken_for_a_broken_disk(
    connection: sqlite3.Connection, later: Path, url: str
) -> None:
    (later / "versions" / "r0004_next.py").write_text(NEXT + "    raise LookupError\n")
    before = contents(connection)

    with pytest.raises(LookupError):
        migrate(connection, url, later)

    assert contents(connection) == before


def test_a_newer_database_is_refused_and_untouched(
    connection: sqlite3.Connection, later: Path, url: str
) -> None:
    migrate(connection, url, later)
    connection.execute("PRAGMA journal_mode = DELETE")
    path = Path(url.removeprefix("sqlite:///"))
    before = path.read_bytes()

    with pytest.raises(StoreError) as caught:
        open_store(url, durability=Durability.FULL, inline=True)
    with pytest.raises(StoreError, match="written by another version"):
        open_reader(url)

    assert "has schema revision '0004', unknown to this Fairlead" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == before


def test_tables_without_a_revision_are_refused(connection: sqlite3.Connection, url: str) -> None:
    connection.execute("DELETE FROM alembic_version")

    with pytest.raises(StoreError, match="no revision; restore it"):
        open_database(url)


def test_an_order_of_the_time_before_stays_unique_after_the_migration(
    connection: sqlite3.Connection, later: Path, url: str
) -> None:
    migrate(connection, url, later)

    with pytest.raises(sqlite3.IntegrityError, match=r"orders\.client_id"):
        connection.execute("INSERT INTO orders SELECT * FROM orders")


def test_a_current_database_is_opened_without_alembic(url: str) -> None:
    program = f"""
import json, sys
import fairlead.store as store

lazy = ("sqlalchemy", "alembic")
before = [name for name in lazy if name in sys.modules]
store.open_store({url!r}, durability=store.Durability.NORMAL, inline=True).close()
print(json.dumps([before, [name for name in lazy if name in sys.modules]]))
"""

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, text=True
    )

    assert json.loads(done.stdout) == [[], []]


def test_the_first_start_is_the_one_that_migrates(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new.db"

    store = open_store(url, durability=Durability.NORMAL, inline=True)

    assert isinstance(store, InlineWriter)
    assert begin(store).previous is None
    store.close()
