from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.web_world import World, open_world


@pytest.fixture
async def world(data_dir: Path) -> AsyncIterator[World]:
    async with open_world(data_dir) as opened:
        yield opened
