"""Few alerts leave, and none is lost: what is held back is counted."""

from hypothesis import given
from hypothesis import strategies as st

from fairlead.api import Alert, Severity
from fairlead.kernel import AlertLimit

WINDOW = 100


def alert(
    at: int, name: str = "stream_lost", severity: Severity = Severity.WARNING, detail: str = ""
) -> Alert:
    return Alert(severity, name, detail or f"at {at}", "demo", "demo-1", at, at)


def test_the_first_of_a_kind_leaves_at_once() -> None:
    limit = AlertLimit(WINDOW)

    assert limit.offer(alert(1)) == alert(1)
    assert limit.offer(alert(1, "halted")) == alert(1, "halted")


def test_repetitions_become_one_summary_with_the_last_wording() -> None:
    limit = AlertLimit(WINDOW)
    limit.offer(alert(0))

    assert [limit.offer(alert(at)) for at in (10, 20, 30)] == [None, None, None]
    assert limit.due(99) == ()
    (summary,) = limit.due(100)

    assert (summary.count, summary.detail, summary.number) == (3, "at 30", 30)
    assert summary.text == "demo: WARNING stream_lost (x3): at 30"


def test_a_summary_opens_the_next_window() -> None:
    limit = AlertLimit(WINDOW)
    limit.offer(alert(0))
    limit.offer(alert(10))
    limit.due(100)

    assert limit.offer(alert(150)) is None
    assert [one.count for one in limit.due(200)] == [1]
    assert limit.due(300) == ()
    assert limit.offer(alert(301)) == alert(301)


def test_a_graver_one_leaves_at_once() -> None:
    limit = AlertLimit(WINDOW)
    limit.offer(alert(0))

    grave = alert(1, severity=Severity.CRITICAL)

    assert limit.offer(grave) == grave
    assert limit.offer(alert(2, severity=Severity.CRITICAL)) is None


def test_the_end_gives_out_all_that_is_held() -> None:
    limit = AlertLimit(WINDOW)
    for at in (0, 1, 2):
        limit.offer(alert(at))
        limit.offer(alert(at, "other"))
    limit.offer(alert(3, "single"))

    assert {one.name: one.count for one in limit.rest()} == {"stream_lost": 2, "other": 2}
    assert limit.rest() == ()


def test_kinds_without_end_are_forgotten_from_the_oldest_on() -> None:
    limit = AlertLimit(WINDOW)

    for number in range(1_001):
        limit.offer(alert(0, f"kind {number}"))

    assert limit.offer(alert(1, "kind 1000")) is None
    assert limit.offer(alert(1, "kind 0")) is not None


@given(
    st.lists(
        st.tuples(st.integers(0, 80), st.sampled_from(["a", "b"]), st.sampled_from(list(Severity))),
        max_size=80,
    )
)
def test_few_leave_and_all_are_counted(steps: list[tuple[int, str, Severity]]) -> None:
    limit, now, offered = AlertLimit(WINDOW), 0, 0
    sent: list[tuple[int, Alert]] = []

    for wait, name, severity in steps:
        now += wait
        sent += [(now, one) for one in limit.due(now)]
        offered += 1
        leaves = limit.offer(alert(now, name, severity))
        if leaves is not None:
            sent.append((now, leaves))
    ended = now
    sent += [(now, one) for one in limit.rest()]

    assert sum(one.count for _, one in sent) == offered
    for name in ("a", "b"):
        times = [at for at, one in sent if one.name == name]
        # One for each window that began, one for each higher grade, one at the end.
        assert len(times) <= ended // WINDOW + 1 + len(Severity)
