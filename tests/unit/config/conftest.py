from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory without `.env`."""
    path = tmp_path / "work"
    path.mkdir()
    monkeypatch.chdir(path)
    return path
