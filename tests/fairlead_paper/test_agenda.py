from __future__ import annotations

from collections.abc import Callable

from fairlead.api import Timer
from fairlead_paper import Agenda
from tests.fairlead_paper.paper_world import LateClock


def note(done: list[tuple[str, int]], name: str) -> Callable[[int], None]:
    return lambda now_ns: done.append((name, now_ns))


def test_what_is_due_is_done_in_order_of_time_then_of_entry() -> None:
    done: list[tuple[str, int]] = []
    agenda = Agenda(LateClock())
    for at_ns, name in ((7, "late"), (5, "first"), (5, "second"), (5, "third"), (9, "later")):
        agenda.add(at_ns, note(done, name))

    agenda.catch_up(7)

    assert done == [("first", 5), ("second", 5), ("third", 5), ("late", 7)]


def test_what_is_added_while_catching_up_is_done_too_when_due() -> None:
    done: list[tuple[str, int]] = []
    agenda = Agenda(LateClock())

    def more(now_ns: int) -> None:
        agenda.add(now_ns + 1, note(done, "due"))
        agenda.add(now_ns + 9, note(done, "not yet"))

    agenda.add(5, more)
    agenda.catch_up(6)

    assert done == [("due", 6)]


def test_a_timer_does_what_nobody_caught_up_with() -> None:
    done: list[tuple[str, int]] = []
    clock = LateClock()
    agenda = Agenda(clock)
    agenda.add(5, note(done, "own time"))

    timers: list[tuple[int, Callable[[], None]]] = clock.timers
    [(at_ns, fire)] = timers
    fire()
    fire()

    assert at_ns == 5
    assert done == [("own time", 5)]


def test_a_timer_of_the_late_clock_can_be_called_off() -> None:
    timer: Timer = LateClock().call_at_ns(1, lambda: None)

    timer.cancel()
