"""Start the ``fairlead`` command as a shell does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: No test waits longer for a process.
LIMIT_S = 60.0
#: The command, installed beside the interpreter that runs the tests.
FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))
#: Python that runs a command whose files cannot grow beyond so many bytes: a full disk.
LIMITED = (
    "import os, resource, sys; limit = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); os.execv(sys.argv[2], sys.argv[2:])"
)


# Measuring coverage costs time, and writes files where a full disk is played.
_MEASURING = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")


def environment(added: Mapping[str, str], *, measured: bool = True) -> dict[str, str]:
    """Give our environment without what would configure Fairlead; ``measured`` for coverage."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    if not measured:
        kept = {name: value for name, value in kept.items() if name not in _MEASURING}
    return {**kept, **added}


def call(
    *arguments: str,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    largest_file: int = 0,
    measured: bool = True,
) -> "subprocess.CompletedProcess[str]":
    """Run to the end; ``largest_file`` in bytes is where the disk becomes full, 0 = never."""
    command = [FAIRLEAD, *arguments]
    if largest_file:
        command = [sys.executable, "-c", LIMITED, str(largest_file), *command]
    return subprocess.run(
        command,
        cwd=cwd,
        env=environment(env or {}, measured=measured and not largest_file),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT_S,
    )


def begin(
    *arguments: str, cwd: Path, terminal: int | None = None, measured: bool = True
) -> "subprocess.Popen[str]":
    """Start and let it run; with ``terminal`` all three streams are that terminal."""
    stdin = subprocess.DEVNULL if terminal is None else terminal
    other = subprocess.PIPE if terminal is None else terminal
    return subprocess.Popen(
        [FAIRLEAD, *arguments],
        cwd=cwd,
        env=environment({"TERM": "xterm-256color"}, measured=measured),
        stdin=stdin,
        stdout=other,
        stderr=other,
        text=True,
        start_new_session=True,
    )
