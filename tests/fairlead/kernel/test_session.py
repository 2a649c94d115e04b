"""A session ends with a report and everything closed, whatever fails beside it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typing_extensions import override

from fairlead.cli.config import configured
from fairlead.errors import ExitCode, FeedError, StoreError
from fairlead.kernel import Session, SessionOptions, StopReason
from fairlead.store import Durability, InlineWriter, TraceHash, memory_database
from fairlead.testing import VirtualProcess
from tests.conftest import ROOT
from tests.fairlead.cli.recorded import configured as recorded
from tests.fairlead.cli.recorded import lines

SECOND = 1_000_000_000
MINUTE = 60 * SECOND


class Torn(TraceHash):
    """A trace whose disk refuses at the end."""

    @override
    def close(self) -> None:
        raise StoreError("events.jsonl.gz", "the trace is incomplete")


class Kept(InlineWriter):
    """A store that remembers whether it was closed."""

    closed = False

    @override
    def close(self) -> None:
        self.closed = True
        super().close()


def store() -> Kept:
    return Kept(memory_database("memory", Durability.NORMAL))


def session(
    *sets: str,
    path: Path = ROOT / "plugins.toml",
    options: SessionOptions | None = None,
    traces: Callable[[str], TraceHash] = lambda name: TraceHash(),
    kept: InlineWriter | None = None,
    process: VirtualProcess | None = None,
) -> Session:
    found = configured(path, sets, env={})
    return Session(
        found.settings,
        found.plugins,
        found.offers,
        store=kept or store(),
        traces=traces,
        process=process or VirtualProcess(),
        options=options or SessionOptions(for_ns=MINUTE),
    )


@pytest.mark.parametrize(
    ("for_ns", "length_ns"),
    [(None, 30 * MINUTE), (MINUTE, MINUTE), (60 * MINUTE, 30 * MINUTE)],
    ids=["the source's", "what was asked", "no longer than the source"],
)
def test_its_length_is_known_beforehand(for_ns: int | None, length_ns: int) -> None:
    one = session(options=SessionOptions(for_ns=for_ns))

    assert one.length_ns == length_ns
    one.engine.request_stop()
    one.run()


@pytest.mark.parametrize("for_ns", [None, MINUTE])
def test_a_recording_tells_its_length_only_by_what_is_asked(
    tmp_path: Path, for_ns: int | None
) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(lines(5)))
    recorded(tmp_path, "a.jsonl")

    one = session(path=tmp_path / "rec.toml", options=SessionOptions(for_ns=for_ns))

    assert one.length_ns == for_ns
    assert one.run().result.reason is StopReason.SOURCE_ENDED


def test_it_ends_with_report_hash_and_a_closed_store() -> None:
    kept = store()

    outcome = session(kept=kept).run()

    assert outcome.report is not None
    assert outcome.report["run"] == "demo-1"
    assert len(outcome.trace_hash) == 64
    assert outcome.result.exit_code is ExitCode.CLEAN
    assert kept.closed


def test_a_stop_before_it_begins_is_a_clean_end() -> None:
    one = session()
    one.engine.request_stop()

    outcome = one.run()

    assert outcome.result.reason is StopReason.ASKED
    assert outcome.result.exit_code is ExitCode.CLEAN


def test_a_trace_that_is_incomplete_is_told_and_costs_no_report() -> None:
    kept = store()

    outcome = session(traces=lambda name: Torn(), kept=kept).run()

    assert isinstance(outcome.result.failure, StoreError)
    assert outcome.result.exit_code is ExitCode.HALTED
    assert outcome.result.reason is StopReason.DURATION
    assert outcome.report is not None
    assert kept.closed


def test_what_cannot_be_put_together_leaves_nothing_open() -> None:
    kept = store()

    def refuse(name: str) -> TraceHash:
        raise StoreError(name, "cannot be made")

    with pytest.raises(StoreError, match="cannot be made"):
        session(traces=refuse, kept=kept)

    assert kept.closed


def test_a_source_that_breaks_ends_it_with_its_own_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join([*lines(5), "{"]))
    recorded(tmp_path, "a.jsonl")

    outcome = session(path=tmp_path / "rec.toml", options=SessionOptions()).run()

    assert isinstance(outcome.result.failure, FeedError)
    assert outcome.result.exit_code is ExitCode.CHECK_FAILED
    assert outcome.report is not None


def test_who_only_observes_sends_nothing() -> None:
    one = session(options=SessionOptions(for_ns=3 * MINUTE, observe_only=True))

    outcome = one.run()

    assert one.tally.of("alt").created == 0
    assert sum(gateway.counts.requests for gateway in one.engine.desk.gateways.values()) == 0
    assert outcome.result.exit_code is ExitCode.CLEAN


def test_pacing_changes_when_things_happen_and_never_what() -> None:
    quick = session().run()
    paced = session(options=SessionOptions(for_ns=MINUTE, pace=2_000)).run()

    assert quick.trace_hash == paced.trace_hash
    assert quick.report == paced.report


def test_the_report_says_what_batches_saved() -> None:
    together = session(options=SessionOptions(for_ns=3 * MINUTE)).run().report
    apart = (
        session("venues.main.batching=false", options=SessionOptions(for_ns=3 * MINUTE))
        .run()
        .report
    )
    assert together is not None
    assert apart is not None

    sent = together["summary"]["requests"]["main"]
    assert sent["saved"] == sent["items"] - sent["requests"] > 0
    assert sent["mean_size"] == sent["items"] / sent["requests"]
    assert (sent["split"], sent["dropped"], sent["warnings"]) == (0, 0, 0)
    alone = apart["summary"]["requests"]["main"]
    assert (alone["saved"], alone["batches"], alone["mean_size"]) == (0, 0, 1.0)
