"""The journal keeps what was written, whatever is cut off or damaged."""

from __future__ import annotations

import errno
import os
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glass_core.campaign.journal import DiskFullError, Journal, Kind, frame, frames
from glass_core.errors import GlassError

FRAMES = st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=60)), max_size=8)


def content(found: list[tuple[Kind, bytes]]) -> bytes:
    return b"".join(frame(kind, payload) for kind, payload in found)


def read(data: bytes) -> list[tuple[Kind, bytes]]:
    return [(kind, payload) for kind, payload, _ in frames(data)]


@given(FRAMES)
def test_frames_come_back(found: list[tuple[Kind, bytes]]) -> None:
    data = content(found)
    assert read(data) == found
    assert [end for _, _, end in frames(data)][-1:] == ([len(data)] if found else [])


@given(FRAMES, st.data())
def test_a_torn_tail_loses_the_last_frame_alone(found: list[tuple[Kind, bytes]], data: st.DataObject) -> None:
    whole = content(found)
    cut = data.draw(st.integers(0, len(whole)))
    ends = [end for _, _, end in frames(whole)]
    assert read(whole[:cut]) == found[: sum(end <= cut for end in ends)]
    padded = read(whole[:cut] + bytes(100))  # zeros may be just what the last frame lacked
    assert padded == found[: len(padded)]
    assert len(padded) >= sum(end <= cut for end in ends)


@given(FRAMES.filter(bool), st.data())
def test_damage_loses_the_frame_it_hit_alone(found: list[tuple[Kind, bytes]], data: st.DataObject) -> None:
    whole = bytearray(content(found))
    place, flip = data.draw(st.integers(0, len(whole) - 1)), data.draw(st.integers(1, 255))
    whole[place] ^= flip
    ends = [end for _, _, end in frames(content(found))]
    hit = sum(end <= place for end in ends)
    assert read(bytes(whole)) == found[:hit] + found[hit + 1 :]


@given(st.binary(max_size=300))
def test_no_content_breaks_the_reader(data: bytes) -> None:
    for kind, payload in read(data):
        assert frame(kind, payload) in data


@settings(max_examples=25)
@given(first=FRAMES, second=FRAMES, torn=st.binary(max_size=20))
def test_appending_goes_on_after_a_torn_frame(
    tmp_path_factory: pytest.TempPathFactory, first: list[tuple[Kind, bytes]], second: list[tuple[Kind, bytes]],
    torn: bytes,
) -> None:  # fmt: skip
    path = tmp_path_factory.mktemp("journal") / "j"
    path.write_bytes(content(first) + torn)
    journal, found = Journal.open(path)
    assert found == first
    for kind, payload in second:
        journal.append(kind, payload)
    journal.close()
    assert path.read_bytes() == content(first + second)


def test_every_frame_is_in_the_file_at_once(tmp_path: pathlib.Path) -> None:
    journal, _ = Journal.open(tmp_path / "j")
    for k in range(5):
        journal.append(Kind.SEARCH, bytes([k]) * 1000)
        assert read((tmp_path / "j").read_bytes()) == [(Kind.SEARCH, bytes([i]) * 1000) for i in range(k + 1)]
    journal.remove()
    assert not (tmp_path / "j").exists()


def test_one_writer_at_a_time(tmp_path: pathlib.Path) -> None:
    journal, _ = Journal.open(tmp_path / "j")
    with pytest.raises(GlassError, match="being written by another"):
        Journal.open(tmp_path / "j")
    journal.append(Kind.SEARCH, b"x")
    journal.close()
    again, found = Journal.open(tmp_path / "j")
    assert found == [(Kind.SEARCH, b"x")]
    again.close()


def test_a_disk_that_fills_up_still_takes_what_is_finished(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, _ = Journal.open(tmp_path / "j")
    journal.append(Kind.HEADER, b"header")

    def full(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    payload, told = bytes(5000), 0
    for _ in range(200):
        try:
            journal.append(Kind.SEARCH, payload)
        except DiskFullError:
            told += 1
    with pytest.raises(DiskFullError, match="No space left on device; all finished searches are kept: make room"):
        journal.append(Kind.ATOMS, b"")
    journal.close()
    assert 50 < told < 150
    assert len(read((tmp_path / "j").read_bytes())) == 1 + 200 + 1


def test_a_failed_write_leaves_no_half_frame(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal, _ = Journal.open(tmp_path / "j")
    journal.append(Kind.SEARCH, b"first")
    write, room = os.pwrite, [7]

    def short(handle: int, data: bytes, position: int) -> int:
        if not room[0]:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = write(handle, data[: room[0]], position)
        room[0] -= written
        return written

    monkeypatch.setattr(os, "pwrite", short)
    with pytest.raises(DiskFullError):
        journal.append(Kind.SEARCH, b"second")
    monkeypatch.undo()
    journal.append(Kind.SEARCH, b"third")
    journal.close()
    assert read((tmp_path / "j").read_bytes()) == [(Kind.SEARCH, b"first"), (Kind.SEARCH, b"third")]


def test_a_file_system_without_reserves_will_do(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(handle: int, offset: int, size: int) -> None:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))

    monkeypatch.setattr(os, "posix_fallocate", unsupported)
    journal, _ = Journal.open(tmp_path / "j")
    journal.append(Kind.SEARCH, b"x")
    journal.close()
    assert (tmp_path / "j").stat().st_size == len(frame(Kind.SEARCH, b"x"))


def test_places_that_cannot_be_written(tmp_path: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="cannot write"):
        Journal.open(tmp_path / "no" / "j")
