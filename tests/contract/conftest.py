"""The databases that keep to the contract; another engine joins by another parameter."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from glimpser.core.ports import Database
from glimpser.db import migrate, open_database
from tests.contract.samples import settings_in


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rows, to be copied."""
    directory = tmp_path_factory.mktemp("migrated")
    migrate(settings_in(directory))
    return directory


@pytest.fixture(params=["sqlite"])
async def database(migrated: Path, tmp_path: Path) -> AsyncIterator[Database]:
    shutil.copytree(migrated, tmp_path, dirs_exist_ok=True)
    async with open_database(settings_in(tmp_path)) as opened:
        yield opened
