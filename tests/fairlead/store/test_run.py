import pytest

from fairlead.errors import StoreError
from fairlead.store import Incident, PreviousRun, RunEnded
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin


def test_each_run_of_an_instance_has_the_next_epoch_and_the_same_tag() -> None:
    disk = MemoryDisk()
    tags = iter([5, 6, 7])

    runs = [begin(disk.open(), new_tag=lambda: next(tags)) for _ in range(3)]

    assert [run.epoch for run in runs] == [1, 2, 3]
    assert [run.tag for run in runs] == [5, 5, 5]
    assert len({run.run_id for run in runs}) == 3


def test_two_instances_count_their_epochs_apart_and_never_share_a_tag() -> None:
    disk = MemoryDisk()
    draws = iter([5, 5, 9])

    first = begin(disk.open(), "first", new_tag=lambda: next(draws))
    second = begin(disk.open(), "second", new_tag=lambda: next(draws))

    assert (first.tag, first.epoch, second.tag, second.epoch) == (5, 1, 9, 1)


def test_a_source_of_tags_that_repeats_itself_is_refused() -> None:
    disk = MemoryDisk()
    begin(disk.open(), "first")

    with pytest.raises(StoreError, match="belongs to another instance"):
        begin(disk.open(), "second")


def test_a_run_that_never_ended_is_told_to_the_next_one() -> None:
    disk = MemoryDisk()
    assert begin(disk.open(), now_ns=10).previous is None

    after_a_kill = begin(disk.open(), now_ns=20).previous

    assert after_a_kill == PreviousRun(epoch=1, started_ns=10, ended=False)


def test_a_run_that_ended_is_told_as_ended() -> None:
    disk = MemoryDisk()
    store = disk.open()
    begin(store, now_ns=10)
    store.append(99, RunEnded(reason="source ended", proven=True))
    store.close()

    identity = begin(disk.open(), now_ns=20)

    assert identity.previous == PreviousRun(epoch=1, started_ns=10, ended=True)
    ended, going = disk.reader().runs("demo")
    assert (ended.ended_ns, ended.reason, ended.proven) == (99, "source ended", True)
    assert (going.ended_ns, going.reason, going.proven) == (None, None, None)


def test_an_epoch_survives_the_loss_of_power_that_follows_at_once() -> None:
    disk = MemoryDisk()

    begin(disk.open())

    assert disk.unsynced == 0
    assert begin(disk.crash().open()).epoch == 2


def test_a_configuration_is_kept_once_with_its_first_use() -> None:
    disk = MemoryDisk()
    begin(disk.open(), config_hash="a" * 64, now_ns=1)
    begin(disk.open(), config_hash="b" * 64, now_ns=2)

    begin(disk.open(), config_hash="a" * 64, now_ns=3)

    assert [run.config_hash[0] for run in disk.reader().runs()] == ["a", "b", "a"]


def test_an_instance_without_epochs_left_is_refused() -> None:
    disk = MemoryDisk()
    begin(disk.open())
    database = disk.reader()._database
    last = (1 << 20) - 1
    database.commit([("UPDATE instances SET epoch = ?", [(last,)])])

    with pytest.raises(StoreError, match="used all epochs"):
        begin(disk.open())


def test_a_seed_that_no_database_can_hold_is_refused_and_nothing_is_kept() -> None:
    disk = MemoryDisk()

    with pytest.raises(StoreError, match="64 bits"):
        begin(disk.open(), seed=1 << 64)

    assert begin(disk.open()).epoch == 1


def test_a_run_begins_once_and_before_its_first_record() -> None:
    store = MemoryDisk().open()

    with pytest.raises(RuntimeError, match="begin_run comes first"):
        store.append(1, Incident("early", ""))
    begin(store)
    with pytest.raises(RuntimeError, match="already"):
        begin(store)
