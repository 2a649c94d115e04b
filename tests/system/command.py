"""Start the ``fairlead`` command as a shell does."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

#: No test waits longer for a process.
LIMIT_S = 30.0
#: The command, installed beside the interpreter that runs the tests.
FAIRLEAD = str(Path(sys.executable).with_name("fairlead"))
_LIMITED = (
    "import os, resource, sys; limit = int(sys.argv[1]);"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)); os.execv(sys.argv[2], sys.argv[2:])"
)


def _environment(added: Mapping[str, str]) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("FAIRLEAD_")}
    return {**kept, **added}


def call(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, largest_file: int = 0
) -> "subprocess.CompletedProcess[str]":
    """Run to the end; ``largest_file`` in bytes is where the disk becomes full, 0 = never."""
    command = [FAIRLEAD, *arguments]
    if largest_file:
        command = [sys.executable, "-c", _LIMITED, str(largest_file), *command]
    return subprocess.run(
        command,
        cwd=cwd,
        env=_environment(env or {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        text=True,
        timeout=LIMIT_S,
    )


def begin(*arguments: str, cwd: Path, terminal: int | None = None) -> "subprocess.Popen[str]":
    """Start and let it run; with ``terminal`` all three streams are that terminal."""
    stdin = subprocess.DEVNULL if terminal is None else terminal
    other = subprocess.PIPE if terminal is None else terminal
    return subprocess.Popen(
        [FAIRLEAD, *arguments],
        cwd=cwd,
        env=_environment({"TERM": "xterm-256color"}),
        stdin=stdin,
        stdout=other,
        stderr=other,
        text=True,
        start_new_session=True,
    )
