"""Read the lines of recorded files one after another: plain or gzip, flat in memory."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from typing_extensions import Buffer, override

from fairlead.errors import FeedError

__all__ = ["RecordedLines"]

_GZIP = b"\x1f\x8b"
_BUFFER_BYTES = 1 << 18
#: A snapshot of 5,000 levels a side is 400 kB; beyond this a file is no recording.
_LONGEST_LINE = 1 << 24

_NANOSECONDS = range(10**17, 1 << 63)  # 1973 to 2262
_MICROSECONDS = range(10**14, 10**17)


class RecordedLines:
    """Iterate over (local time in ns, rest of the line) of several files in sequence.

    A line is a local receive time, a space and a message; the time counts nanoseconds or, in old
    recordings, microseconds, and never goes back, not from file to file either. Where the
    iteration stands is known at any time, for errors and progress.
    """

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = tuple(paths)
        self._file: io.BufferedReader | None = None
        self._read_before = 0
        #: The file and line that was given last: line from 1, offset of its begin in the
        #: uncompressed bytes.
        self.path = self._paths[0]
        self.number = 0
        self.offset = 0

    def error(self, reason: str, *, usable: bool = True) -> FeedError:
        """Make the error that something is wrong with the line that was given last."""
        return FeedError(
            str(self.path), reason, line=self.number, offset=self.offset, usable=usable
        )

    def bytes_read(self) -> int:
        """Give how far the files, as they lie on the disk, have been read."""
        return self._read_before + (self._file.tell() if self._file is not None else 0)

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Iterate once.

        :raises FeedError: for a file that cannot be opened, is empty or is cut off, and for a
            line without a time or with one that goes back.
        """
        last_ns = 0
        for line in self.raw():
            stamp, _, payload = line.partition(b" ")
            if not stamp.isdigit():
                if not line.strip():
                    continue
                raise self.error("the line does not begin with a local receive time")
            local_ns = int(stamp[:20])
            if local_ns not in _NANOSECONDS:
                if local_ns not in _MICROSECONDS:
                    raise self.error(f"the local time {local_ns} is neither in ns nor in µs")
                local_ns *= 1_000
            if local_ns < last_ns:
                raise self.error(f"the local time goes back, from {last_ns} to {local_ns} ns")
            last_ns = local_ns
            yield local_ns, payload

    def raw(self) -> Iterator[bytes]:
        """Give the lines as they are, times unread.

        :raises FeedError: for a file that cannot be opened, is empty or is cut off.
        """
        for path in self._paths:
            self.path = path
            self.number = self.offset = 0
            yield from self._lines()
            if not self.number:
                self.number = 1
                raise self.error("the file is empty", usable=self._read_before > 0)
            self._read_before += self.path.stat().st_size

    def _lines(self) -> Iterator[bytes]:
        # Counts as it goes; what the file system or gzip say becomes a FeedError.
        after = 0
        try:
            with self.path.open("rb") as self._file, ExitStack() as stack:
                stream = _unpacked(self._file, stack)
                for line in iter(partial(stream.readline, _LONGEST_LINE), b""):
                    self.number += 1
                    self.offset = after
                    after += len(line)
                    if len(line) == _LONGEST_LINE:
                        raise self.error(f"the line is longer than {_LONGEST_LINE} bytes")
                    yield line
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.number += 1
            self.offset = after
            raise self.error(f"the gzip stream is cut off or damaged ({error})") from error
        except OSError as error:
            raise FeedError(
                str(self.path),
                (error.strerror or str(error)).lower(),
                usable=self._read_before + self.number > 0,
            ) from error
        finally:
            self._file = None


class _Unpacked(io.RawIOBase):
    # Gives what gzip has at the moment; its own read() waits for all that was asked for, and
    # would lose the lines before the place where a file is cut off.

    def __init__(self, packed: gzip.GzipFile) -> None:
        self._packed = packed

    @override
    def readable(self) -> bool:
        return True

    @override
    def readinto(self, buffer: Buffer, /) -> int:
        room = memoryview(buffer)
        data = self._packed.read1(len(room))
        room[: len(data)] = data
        return len(data)


def _unpacked(file: io.BufferedReader, stack: ExitStack) -> io.BufferedReader:
    # The content tells whether it is gzip; a name may lie.
    if file.peek(2)[:2] != _GZIP:
        return file
    unpacked = _Unpacked(stack.enter_context(gzip.GzipFile(fileobj=file, mode="rb")))
    return io.BufferedReader(unpacked, buffer_size=_BUFFER_BYTES)
