"""What every test stands on: one event loop, an empty data directory, no settings from outside, no luck."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from tests.distribution import ByWhatIsShared

# The suite gives the same answer each time; `just fuzz` looks for news with many more random examples.
hypothesis.settings.register_profile("suite", derandomize=True, database=None, deadline=None, max_examples=50)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=20_000)
hypothesis.settings.load_profile("suite")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByWhatIsShared:
    """Asked by `pytest -n` who gets which tests."""
    return ByWhatIsShared(config, log)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, as the program does."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def no_settings_from_outside() -> Iterator[None]:
    """The environment of whoever runs the tests configures nothing in them.

    Nor does it make the hundreds of programs that they start compile all modules again, each by itself.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
        for name in [name for name in os.environ if name.startswith("GLIMPSER_")]:
            patch.delenv(name)
        yield


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An empty data directory of its own for each test."""
    path = tmp_path / "data"
    path.mkdir(mode=0o700)
    return path
