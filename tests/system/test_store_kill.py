"""``kill -9`` at any moment leaves a database from which the next run starts cleanly."""

import multiprocessing
import sqlite3
from multiprocessing.connection import wait
from pathlib import Path

import pytest

from fairlead.store import Durability, open_reader, open_store
from tests.fairlead.store.records import begin
from tests.system.store_child import write_for_ever

pytestmark = pytest.mark.system

LIMIT_S = 20.0
#: Confirmations after which the process is killed; 0 = before it has its run.
MOMENTS = (0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 55)


@pytest.fixture(scope="module")
def forks() -> multiprocessing.context.ForkServerContext:
    """Processes that need not import everything each time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.system.store_child", "fairlead.store.schema", "alembic"])
    return context


def kill_after(
    forks: multiprocessing.context.ForkServerContext,
    url: str,
    driver: tuple[str, bool],
    moment: int,
) -> int:
    """Let a process write, kill it, and give the last number that it was sure of."""
    ours, theirs = forks.Pipe(duplex=False)
    process = forks.Process(target=write_for_ever, args=(url, *driver, theirs))
    process.start()
    theirs.close()
    confirmed = 0
    for _ in range(moment):
        assert ours.poll(LIMIT_S), "the process has stopped writing"
        confirmed = ours.recv()
    # Some time more, so that the kill falls anywhere between two answers.
    wait([process.sentinel], moment % 7 * 0.0005 if moment else 0.03)
    process.kill()
    process.join(LIMIT_S)
    assert process.exitcode == -9
    while ours.poll():  # what it had said and nobody had heard yet
        try:
            confirmed = ours.recv()
        except EOFError:
            break
    ours.close()
    return confirmed


@pytest.mark.parametrize("inline", [True, False], ids=["inline", "threaded"])
@pytest.mark.parametrize("durability", Durability)
def test_a_killed_process_leaves_all_that_was_confirmed_and_the_next_run_begins(
    forks: multiprocessing.context.ForkServerContext,
    tmp_path: Path,
    durability: Durability,
    inline: bool,
) -> None:
    url = f"sqlite:///{tmp_path}/fairlead.db"
    epochs = 0

    for moment in MOMENTS:
        confirmed = kill_after(forks, url, (durability.value, inline), moment)

        store = open_store(url, durability=durability, inline=True)
        identity = begin(store, mode="live")
        store.close()
        reader = open_reader(url)
        killed = [run for run in reader.runs() if run.epoch == identity.epoch - 1]
        if moment:
            assert identity.previous is not None
            assert not identity.previous.ended
            assert identity.previous.epoch == epochs + 1
        for run in killed:
            seqs = [record.seq for record in reader.records(run.run_id)]
            assert seqs == list(range(1, len(seqs) + 1))
            assert len(seqs) >= confirmed
            assert len(reader.orders(run.run_id)) == (len(seqs) + 2) // 3
            assert len(reader.fills(run.run_id)) == len(seqs) // 3
        reader.close()
        epochs = identity.epoch

    connection = sqlite3.connect(tmp_path / "fairlead.db")
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()


def test_a_process_killed_while_it_makes_the_database_leaves_none_or_a_whole_one(
    forks: multiprocessing.context.ForkServerContext, tmp_path: Path
) -> None:
    for number in range(12):
        url = f"sqlite:///{tmp_path}/{number}.db"
        ours, theirs = forks.Pipe(duplex=False)
        process = forks.Process(target=write_for_ever, args=(url, "full", True, theirs))
        process.start()
        wait([process.sentinel], 0.005 * number)
        process.kill()
        process.join(LIMIT_S)
        theirs.close()
        ours.close()

        store = open_store(url, durability=Durability.NORMAL, inline=True)

        assert begin(store, mode="live").epoch in {1, 2}
        store.close()
