"""Paths are refused with the reason before anything is computed."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

from glass_core import GlassError
from glass_core.paths import existing_file, is_file, make_folder, writable_file

LONG = "n" * 300


@pytest.fixture
def file(tmp_path: pathlib.Path) -> pathlib.Path:
    path = tmp_path / "file.txt"
    path.write_text("precious")
    return path


def test_what_can_be_used_is_given_back(file: pathlib.Path) -> None:
    assert existing_file(str(file)) == file
    assert writable_file(file) == file
    assert make_folder(file.parent / "a" / "b").is_dir()
    assert file.read_text() == "precious"
    assert sorted(p.name for p in file.parent.iterdir()) == ["a", "file.txt"]


def test_files_that_cannot_be_read(file: pathlib.Path) -> None:
    with pytest.raises(GlassError, match=r"data set .*none\.h5 does not exist; make it"):
        existing_file(file.parent / "none.h5", "data set", "make it")
    with pytest.raises(GlassError, match=r"none\.h5 does not exist"):
        existing_file(file / "none.h5")
    with pytest.raises(GlassError, match="is a folder; give a file"):
        existing_file(file.parent)
    with pytest.raises(GlassError, match=r"cannot read file .*: File name too long"):
        existing_file(file.parent / LONG)
    assert not is_file(file.parent / LONG)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_is_not_waited_for(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(GlassError, match="is a pipe or device"):
        existing_file(tmp_path / "pipe")


def test_files_that_cannot_be_written(file: pathlib.Path) -> None:
    with pytest.raises(GlassError, match="it is a folder; give a file name"):
        writable_file(file.parent)
    with pytest.raises(GlassError, match=r"cannot write .*: folder .*no does not exist; make it first"):
        writable_file(file.parent / "no" / "out.h5")
    with pytest.raises(GlassError, match=r"cannot write .*: .*file\.txt is not a folder"):
        writable_file(file / "out.h5")
    with pytest.raises(GlassError, match=r"cannot write .*: File name too long"):
        writable_file(file.parent / LONG)


@pytest.mark.parametrize("link", [None, os.symlink, os.link])
def test_an_input_is_not_overwritten_under_any_name(file: pathlib.Path, link) -> None:
    other = file if link is None else file.parent / "other.txt"
    if link is not None:
        link(file, other)
    with pytest.raises(GlassError, match=r"it is the input .*file\.txt; give the output another name"):
        writable_file(other, inputs=["barrier", file])


def test_folders_that_cannot_be_made(file: pathlib.Path) -> None:
    for path in (file, file / "runs" / "today"):
        with pytest.raises(GlassError, match=r"cannot write into folder .*: .*file\.txt is not a folder"):
            make_folder(path)


CLOSED = """
import os, sys
from glass_core import GlassError
from glass_core.paths import existing_file, make_folder, writable_file
os.setuid(65534)
closed, read_only = sys.argv[1:]
for call, path in (
    (existing_file, f"{closed}/file"), (writable_file, f"{closed}/file"), (make_folder, f"{closed}/runs"),
    (writable_file, f"{read_only}/file"), (make_folder, read_only), (make_folder, f"{read_only}/runs"),
):
    try:
        call(path)
    except GlassError as error:
        print(error)
"""


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can become somebody else")
def test_permissions_are_named_as_the_reason(tmp_path: pathlib.Path) -> None:
    closed, read_only = tmp_path / "closed", tmp_path / "read_only"
    closed.mkdir(mode=0o700)
    read_only.mkdir(mode=0o555)
    (closed / "file").write_text("precious")
    for folder in [tmp_path, *tmp_path.parents[:-2]]:
        folder.chmod(folder.stat().st_mode | 0o055)
    done = subprocess.run([sys.executable, "-c", CLOSED, str(closed), str(read_only)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count(": Permission denied; ") == 6, done.stdout
