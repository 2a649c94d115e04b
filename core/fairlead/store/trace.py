"""Write a run as lines that are equal for equal seeds, and read them back.

A trace is one JSON line for each record: ``{kind, n, t_ns, …}`` with sorted keys, decimals as
strings, no wall time, no path. The ids of orders and executions stand in their short form, the
name within the run, because tag and epoch differ from run to run. The trace hash is SHA-256 over
the lines.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import msgspec
from typing_extensions import override

from fairlead.api import Record
from fairlead.errors import StoreError
from fairlead.model import CLIENT_ID_LENGTH

__all__ = ["TraceHash", "TraceSink", "TraceWriter", "read_trace", "trace_line"]

#: Lines, and the run's own time, after which a trace file is flushed: whoever reads along lags so
#: much, and so much is lost when the process is killed.
_FLUSH_LINES = 512
_FLUSH_NS = 10_000_000_000
_CHUNK = 1 << 16
_GZIP = 16 + zlib.MAX_WBITS  # zlib's way to ask for a gzip header

# Orders and executions are named by ids; an executor's state may hold some of them.
_NAMED_BY_ID = ("order", "execution")
_ID_IN_JSON = re.compile(rf'"[a-z2-7]{{{CLIENT_ID_LENGTH - 8}}}([a-z2-7]{{8}})"')

_encoder = msgspec.json.Encoder(order="sorted")


def trace_line(n: int, t_ns: int, record: Record) -> bytes:
    """Give the line of the ``n``-th record of a run, its line feed included."""
    line = msgspec.structs.asdict(record)
    for name in _NAMED_BY_ID:
        found = line.get(name)
        if found is not None and len(found) == CLIENT_ID_LENGTH:
            line[name] = found[-8:]
    state = line.get("state")
    if state is not None:
        line["state"] = _ID_IN_JSON.sub(r'"\1"', state)
    line["kind"], line["n"], line["t_ns"] = record.kind, n, t_ns
    return _encoder.encode(line) + b"\n"


class _Unpacker(Protocol):
    def decompress(self, data: bytes, /) -> bytes: ...


class TraceSink(Protocol):
    """Where a journal's records are traced."""

    def write(self, n: int, t_ns: int, record: Record) -> None:
        """Take the ``n``-th record, counted from 1; never raises for a disk."""


class TraceHash:
    """Hash a trace without keeping it."""

    def __init__(self) -> None:
        self._hash = sha256()

    @property
    def hexdigest(self) -> str:
        """Give the trace hash of the lines so far."""
        return self._hash.hexdigest()

    def write(self, n: int, t_ns: int, record: Record) -> None:
        """Take a record into the hash."""
        self._hash.update(trace_line(n, t_ns, record))

    def close(self) -> None:
        """End the trace; there is nothing to let go of."""


class TraceWriter(TraceHash):
    """Stream a trace to ``events.jsonl.gz`` and hash it.

    The file of equal lines is equal, byte for byte. A killed run leaves a prefix of whole
    lines that `read_trace` reads. A disk that refuses ends the file, not the run: the hash goes
    on, and `close` tells.

    :raises StoreError: when the file cannot be made.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._lines: list[bytes] = []
        self._first_ns = 0  # of the lines
        self._failure: OSError | None = None
        try:
            self._file: BinaryIO = path.open("wb")
        except OSError as error:
            raise StoreError(
                path.name, f"the trace cannot be written ({error.strerror})"
            ) from error
        # No name and no time in the header, so that equal runs give equal files.
        self._gzip = gzip.GzipFile("", "wb", fileobj=self._file, mtime=0)

    @override
    def write(self, n: int, t_ns: int, record: Record) -> None:
        """Take a record; it reaches the file with the next flush."""
        line = trace_line(n, t_ns, record)
        self._hash.update(line)
        if not self._lines:
            self._first_ns = t_ns
        self._lines.append(line)
        if len(self._lines) >= _FLUSH_LINES or t_ns - self._first_ns >= _FLUSH_NS:
            self.flush()

    def flush(self) -> None:
        """Hand everything so far to the operating system, readable even if we die now."""
        lines, self._lines = self._lines, []
        if self._failure is not None or not lines:
            return
        try:
            self._gzip.write(b"".join(lines))
            self._gzip.flush()
            self._file.flush()
        except OSError as error:
            self._failure = error

    @override
    def close(self) -> None:
        """End the file; without effect when done.

        :raises StoreError: when the disk refused any of it.
        """
        if self._file.closed:
            return
        self.flush()
        try:
            self._gzip.close()
            self._file.close()
        except OSError as error:
            self._failure = self._failure or error
        if self._failure is not None:
            reason = self._failure.strerror or str(self._failure)
            raise StoreError(self._path.name, f"the trace is incomplete ({reason})")


def read_trace(path: Path) -> Iterator[dict[str, Any]]:
    """Give the records of a trace file; that of a killed run ends with its last whole line.

    :raises StoreError: when there is no such file, it is no trace, or a line in it is garbled.
    """
    for number, line in enumerate(_lines(path), 1):
        try:
            event = msgspec.json.decode(line)
        except msgspec.DecodeError as error:
            raise StoreError(path.name, f"line {number} is garbled ({error})") from error
        if not isinstance(event, dict) or "kind" not in event:
            raise StoreError(path.name, f"line {number} is no trace record")
        yield event


def _lines(path: Path) -> Iterator[bytes]:
    rest = b""
    for chunk in _chunks(path):
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _chunks(path: Path) -> Iterator[bytes]:
    unpacker = zlib.decompressobj(_GZIP)
    begun = False
    try:
        with path.open("rb") as file:
            while packed := file.read(_CHUNK):
                safe = unpacker.copy()
                try:
                    yield unpacker.decompress(packed)
                except zlib.error as error:
                    rest = list(_until_torn(safe, packed))
                    if not begun and not rest:
                        raise StoreError(path.name, f"is no trace ({error})") from error
                    yield from rest
                    return
                begun = True
    except OSError as error:
        raise StoreError(path.name, f"cannot be read ({error.strerror})") from error


def _until_torn(unpacker: _Unpacker, packed: bytes) -> Iterator[bytes]:
    """Unpack byte by byte: a loss of power can leave garbage behind what was flushed."""
    with suppress(zlib.error):
        for at in range(len(packed)):
            if unpacked := unpacker.decompress(packed[at : at + 1]):
                yield unpacked
