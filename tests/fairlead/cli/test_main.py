"""What becomes a line and what keeps its traceback, and with which exit code."""

from collections.abc import Callable
from pathlib import Path

import click
import pytest

from fairlead import __version__
from fairlead.cli import main
from fairlead.cli.main import COMMANDS, cli
from fairlead.errors import ExitCode, FeedError, StoreError


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Put a command ``try`` into the command line whose body a test gives."""

    def call(body: Callable[[], object]) -> None:
        found = click.Command("try", callback=body)
        monkeypatch.setattr(cli, "get_command", lambda ctx, name: found)

    return call


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == ExitCode.CLEAN
    assert capsys.readouterr().out == f"fairlead, version {__version__}\n"


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_is_where_the_list_says(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([name, "--help"]) == ExitCode.CLEAN
    assert f"Usage: fairlead {name}" in capsys.readouterr().out


def test_the_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--help"])

    out = capsys.readouterr().out
    assert [name for name in COMMANDS if f"\n  {name} " not in out] == []


def test_a_wrong_call_exits_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["nonsense"]) == ExitCode.USAGE
    assert main(["config", "check", "--nonsense"]) == ExitCode.USAGE
    assert "Traceback" not in capsys.readouterr().err


def fail(error: BaseException) -> Callable[[], object]:
    def body() -> object:
        raise error

    return body


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (StoreError("x.db", "is locked"), ExitCode.HALTED),
        (FeedError("a.gz", "is cut off", line=3), ExitCode.CHECK_FAILED),
        (FeedError("a.gz", "is empty", usable=False), ExitCode.USAGE),
        (click.Abort(), ExitCode.CHECK_FAILED),
        (BrokenPipeError(), ExitCode.CLEAN),
    ],
)
def test_what_is_not_our_bug_is_one_line_and_a_code(
    command: Callable[[Callable[[], object]], None],
    capfd: pytest.CaptureFixture[str],
    error: Exception,
    code: ExitCode,
) -> None:
    command(fail(error))

    assert main(["try"]) == code
    err = capfd.readouterr().err
    assert "Traceback" not in err
    assert err.count("\n") <= 1


def test_our_own_bug_keeps_its_traceback(
    command: Callable[[Callable[[], object]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    command(fail(RuntimeError("impossible")))

    assert main(["try"]) == ExitCode.BUG
    assert "RuntimeError: impossible" in capsys.readouterr().err


def test_a_command_may_choose_its_exit_code(
    command: Callable[[Callable[[], object]], None],
) -> None:
    command(lambda: ExitCode.NOT_PROVEN_GONE)

    assert main(["try"]) == ExitCode.NOT_PROVEN_GONE
