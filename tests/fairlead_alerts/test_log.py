"""The file of alerts: a line each, appended, and a refusal of the disk is said."""

import asyncio
import json
from pathlib import Path

import pytest

from fairlead.api import NotifyError, Severity
from fairlead.testing import StillClock
from fairlead_alerts import LogConfig, LogNotifier
from tests.fairlead_alerts.notifier_world import alert, context


def notifier(folder: Path, **keys: object) -> LogNotifier:
    clock: object = StillClock()
    return LogNotifier(LogConfig.model_validate(keys), context(clock, clock, folder))  # type: ignore[arg-type]  # it uses neither


def test_each_alert_is_a_line(tmp_path: Path) -> None:
    one = notifier(tmp_path)

    asyncio.run(one.notify(alert(1)))
    asyncio.run(one.notify(alert(2, Severity.CRITICAL)))
    asyncio.run(one.close())

    lines = [json.loads(line) for line in (tmp_path / "alerts.jsonl").read_text().splitlines()]
    assert [line["number"] for line in lines] == [1, 2]
    assert lines[1]["severity"] == "critical"
    assert {line["schema"] for line in lines} == {1}


def test_alerts_below_the_grade_are_left_out(tmp_path: Path) -> None:
    asyncio.run(notifier(tmp_path, least="critical").notify(alert()))

    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_made(tmp_path: Path) -> None:
    asyncio.run(notifier(tmp_path, file="logs/alerts.jsonl").notify(alert()))

    assert (tmp_path / "logs" / "alerts.jsonl").is_file()


def test_a_disk_that_refuses_is_said(tmp_path: Path) -> None:
    (tmp_path / "alerts.jsonl").mkdir()

    with pytest.raises(NotifyError, match=r"^alerts\.jsonl: Is a directory$"):
        asyncio.run(notifier(tmp_path).notify(alert()))
