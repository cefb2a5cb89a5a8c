"""What errors say about packages."""

from __future__ import annotations

import pathlib

import pytest

from glass_core.errors import MissingExtraError, require_package


def test_a_package_that_is_missing_and_one_that_is_broken(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_by_a_library.py").write_text("import no_such_library\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(MissingExtraError, match=r'no-such-package is not installed; run: pip install ".*\[graph\]"'):
        require_package("no_such_package", "graph")
    with pytest.raises(MissingExtraError, match=r"broken_by_a_library .* cannot be imported here: .*no_such_library"):
        require_package("broken_by_a_library", "graph")
