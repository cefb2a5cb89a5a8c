"""An append-only file of framed records that survives a kill at any moment and a full disk.

A frame is ``mark, kind, length, checksum, payload``. Each is written by one call before the next search is
waited for, so that after ``kill -9`` only the last frame can be torn; readers tell by length and checksum and leave it
out. Damage in the middle (a disk's) costs the frames it hit: reading goes on at the next mark. Nothing is
forced to the disk after each frame (that would protect from power failure, not from kills, and costs milliseconds).

Room for some hundred records is reserved ahead of them, so that on a disk that fills up every search
that is finished still finds its place.
"""

from __future__ import annotations

import errno
import os
import pathlib
import struct
import zlib
from collections.abc import Iterator
from enum import IntEnum

from glass_core.errors import GlassError

_MARK = b"\xd3GJ\x01"
_HEAD = struct.Struct("<4sBII")
_FULL = (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
_RESERVE = 1 << 20  # bytes; a search needs 3 to 10 thousand


class Kind(IntEnum):
    """What a frame holds."""

    HEADER = 1
    """What all searches share (``header``)."""
    SEARCH = 2
    """A search (``columns``)."""
    ATOMS = 3
    """Predictions per atom (``labels.Predicted``)."""


class DiskFullError(GlassError):
    """No room for the next searches; all finished ones are kept."""


def frame(kind: Kind, payload: bytes) -> bytes:
    """A payload as it stands in the file."""
    return _HEAD.pack(_MARK, kind, len(payload), _checksum(kind, payload)) + payload


def _checksum(kind: int, payload: bytes) -> int:
    return zlib.crc32(payload, kind + (len(payload) << 8) & 0xFFFFFFFF)


def frames(content: bytes) -> Iterator[tuple[Kind, bytes, int]]:
    """Kind, payload and end of each whole frame; torn and damaged ones are left out."""
    start = content.find(_MARK)
    while start >= 0:
        found = _frame_at(content, start)
        if found is None:
            start = content.find(_MARK, start + 1)
            continue
        kind, payload = found
        end = start + _HEAD.size + len(payload)
        yield kind, payload, end
        start = content.find(_MARK, end)


def _frame_at(content: bytes, start: int) -> tuple[Kind, bytes] | None:
    if len(content) - start < _HEAD.size:
        return None
    _, kind, length, checksum = _HEAD.unpack_from(content, start)
    payload = content[start + _HEAD.size : start + _HEAD.size + length]
    if kind not in set(Kind) or len(payload) != length or _checksum(kind, payload) != checksum:
        return None
    return Kind(kind), payload


class Journal:
    """The file, open for one writer. ``close`` it, or ``remove`` it when all it holds stands elsewhere."""

    def __init__(self, path: pathlib.Path, handle: int, end: int) -> None:
        self.path = path
        self._handle, self._end, self._reserved = handle, end, 0
        self._full: OSError | None = None

    @classmethod
    def open(cls, path: pathlib.Path) -> tuple[Journal, list[tuple[Kind, bytes]]]:
        """The journal, made if there is none, and the frames in it; a torn last one is cut off.

        Raises:
            GlassError: if it cannot be opened, or another process writes it.
        """
        try:
            handle = _locked(path)
            try:
                found = list(frames(path.read_bytes()))
                end = found[-1][2] if found else 0
                os.ftruncate(handle, end)
            except BaseException:
                os.close(handle)
                raise
        except OSError as error:
            raise GlassError(f"cannot write {path}: {error.strerror or error}; choose another place") from error
        return cls(path, handle, end), [(kind, payload) for kind, payload, _ in found]

    def append(self, kind: Kind, payload: bytes) -> None:
        """Writes a frame. It is kept whatever happens to this process afterwards.

        Raises:
            DiskFullError: if the disk is full. The frame may have been written all the same, from the reserve.
        """
        self._reserve(_HEAD.size + len(payload))
        try:
            self._write(frame(kind, payload))
        except OSError as error:
            os.ftruncate(self._handle, self._end)
            raise self._no_room(error) from error
        if self._full is not None:
            raise self._no_room(self._full)

    def _reserve(self, size: int) -> None:
        """Asks for room ahead; where there is none, what was reserved before is used up."""
        if self._end + size + _RESERVE // 2 <= self._reserved or not hasattr(os, "posix_fallocate"):
            return
        wanted = self._end + size + _RESERVE
        try:
            os.posix_fallocate(self._handle, 0, wanted)
            self._full = None
        except OSError as error:
            if error.errno in _FULL:
                self._full = error
                return
        self._reserved = wanted  # where a file system knows no reserves, ask as seldom

    def _write(self, data: bytes) -> None:
        position = self._end
        while data:
            written = os.pwrite(self._handle, data, position)
            position, data = position + written, data[written:]
        self._end = position

    def _no_room(self, error: OSError) -> DiskFullError:
        reason = error.strerror or str(error)
        return DiskFullError(
            f"cannot write {self.path}: {reason}; all finished searches are kept: make room and run the "
            "same command again"
        )

    def close(self) -> None:
        """Leaves the file as it is, without the room reserved."""
        try:
            os.ftruncate(self._handle, self._end)
            os.fsync(self._handle)
        finally:
            os.close(self._handle)

    def remove(self) -> None:
        """Deletes the file."""
        self.path.unlink(missing_ok=True)
        os.close(self._handle)


def _locked(path: pathlib.Path) -> int:
    """The file open and locked; the lock ends with the process, however that ends."""
    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o666)
        try:
            _lock(handle, path)
            if os.fstat(handle).st_ino == path.stat().st_ino:
                return handle
        except FileNotFoundError:  # the last writer removed it in between
            pass
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _lock(handle: int, path: pathlib.Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows has no such locks
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise GlassError(
            f"{path} is being written by another `glass label`; wait for it or choose another -o"
        ) from error
    except OSError:  # file systems without locks
        return
