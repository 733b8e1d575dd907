"""Templates, opened for commands, which may run beside the program."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from glimpser.app.means import open_means_alone
from glimpser.app.parts import check_settings, moving_of
from glimpser.app.registry import registry_of
from glimpser.app.settings import database_settings
from glimpser.config import Config
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.db.engine import open_database
from glimpser.db.foreign import HEADER, read_original
from glimpser.db.migrate import migrate
from glimpser.services.audit import Actor
from glimpser.services.moving import Change, Moving
from glimpser.services.templates import Templates
from glimpser.services.yaml_text import MAX_BYTES


@asynccontextmanager
async def open_moving(config: Config) -> AsyncIterator[Moving]:
    """Open the reading and writing of views.

    A program that runs meanwhile shows what changes at once, but begins to capture it at its next start.
    """
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    async with open_database(settings) as database, open_means_alone(config) as means:
        registry = registry_of(config, means)
        clock = SystemClock()
        yield moving_of(
            Templates(database, registry, clock=clock, changed=lambda _id: None, check=check_settings)
        )


async def import_file(moving: Moving, file: Path, *, by: Actor, apply: bool) -> list[Change]:
    """Read views from a file: YAML or JSON, or a database of the original Glimpser.

    Raises:
        InvalidInput: it is none of these.
    """
    if await asyncio.to_thread(_begins_as_database, file):
        rows = await asyncio.to_thread(read_original, file)
        return list(await moving.bring_in_rows(rows, by=by, apply=apply))
    return list(await moving.bring_in(await asyncio.to_thread(_bytes_of, file), by=by, apply=apply))


def _begins_as_database(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(len(HEADER)) == HEADER
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}.") from error


def _bytes_of(file: Path) -> bytes:
    with file.open("rb") as opened:
        return opened.read(MAX_BYTES + 1)
