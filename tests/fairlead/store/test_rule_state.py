"""What risk rules must know after a restart is found again: the last state of each, of one mode."""

from fairlead.store import RuleState
from fairlead.testing import MemoryDisk
from tests.fairlead.store.records import begin


def kept(disk: MemoryDisk, *states: tuple[str, str], mode: str = "rehearse") -> None:
    store = disk.open()
    begin(store, mode=mode)
    for at_ns, (rule, state) in enumerate(states):
        store.append(at_ns, RuleState(rule=rule, state=state))
    store.close()


def test_the_last_state_of_every_rule_is_given_to_the_next_run() -> None:
    disk = MemoryDisk()

    kept(disk, ("one", "1"), ("two", "1"), ("one", "2"))
    kept(disk, ("two", "2"))

    assert begin(disk.open(), mode="rehearse").rule_states == {"one": "2", "two": "2"}


def test_play_money_begins_anew_and_leaves_nothing_to_others() -> None:
    disk = MemoryDisk()

    kept(disk, ("one", "1"), mode="paper")

    assert begin(disk.open(), mode="rehearse").rule_states == {}
    assert begin(disk.open(), mode="paper").rule_states == {}


def test_another_instance_has_a_memory_of_its_own() -> None:
    disk = MemoryDisk()
    kept(disk, ("one", "1"))

    other = begin(disk.open(), "other", mode="rehearse", new_tag=lambda: 6)

    assert other.rule_states == {}
