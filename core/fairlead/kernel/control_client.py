"""Ask a running engine from another process: one request, one answer."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from fairlead.errors import ControlError, ExitCode
from fairlead.kernel.control_command import Command, request_line
from fairlead.kernel.control_socket import connect_socket

__all__ = ["ControlClient"]

_PATIENCE_S = 30.0
_CHUNK = 65_536
_MOST_BYTES = 64 * 1024 * 1024


class ControlClient:
    """A connection to an engine's control socket; `ask` as often as you like.

    :raises ControlError: when no engine listens at ``path``.
    """

    def __init__(self, path: Path, instance: str, origin: str) -> None:
        self._instance = instance
        self._origin = origin
        self._number = 0
        self._rest = b""
        try:
            self._connection = connect_socket(path)
        except OSError as error:
            reason = f"no engine runs ({path} does not answer); start one: fairlead run"
            raise ControlError(instance, reason) from error

    def __enter__(self) -> ControlClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def ask(self, command: Command, *, patience_s: float = _PATIENCE_S) -> dict[str, Any]:
        """Give what the engine answers.

        :raises ControlError: when it refuses, is gone, or says nothing for ``patience_s``.
        """
        self._number += 1
        try:
            self._connection.settimeout(patience_s)
            with suppress(BrokenPipeError):  # whoever is sent away was told why before
                self._connection.sendall(request_line(self._number, self._origin, command))
            answer = self._line()
        except TimeoutError as error:
            reason = f"no answer within {patience_s:g} s"
            raise ControlError(self._instance, reason) from error
        except (OSError, ValueError) as error:
            raise ControlError(self._instance, "the engine is gone") from error
        if answer["ok"]:
            result: dict[str, Any] = answer["result"]
            return result
        raise ControlError(self._instance, answer["error"], ExitCode(answer["code"]), gone=False)

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    def _line(self) -> dict[str, Any]:
        while True:
            line, newline, rest = self._rest.partition(b"\n")
            if newline:
                self._rest = rest
                answer: dict[str, Any] = json.loads(line)
                # What was asked before and given up may still be answered.
                if answer["id"] in (0, self._number):
                    return answer
                continue
            chunk = self._connection.recv(_CHUNK)
            if not chunk or len(self._rest) > _MOST_BYTES:
                raise ConnectionResetError("closed by the engine")
            self._rest += chunk
