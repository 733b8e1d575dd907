"""Whole files below the allowed folders, for views that are no video."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from glimpser.capture.ingest.files import open_beneath
from glimpser.core.errors import InvalidInput
from glimpser.core.sources import ViewFailed

MAX_BYTES = 32 * 1024 * 1024


async def read_beneath(path: str, roots: Sequence[Path]) -> bytes:
    """Read a file, following no link.

    Raises:
        ViewFailed: it is not there now, or too large: files come and go.
    """
    return await asyncio.to_thread(_read, path, roots)


def _read(path: str, roots: Sequence[Path]) -> bytes:
    try:
        with open_beneath(path, roots) as file:
            data = file.read(MAX_BYTES + 1)
    except InvalidInput as error:
        raise ViewFailed(error.detail) from error
    except OSError as error:
        raise ViewFailed(f"The file cannot be read: {error.strerror}.") from error
    if len(data) > MAX_BYTES:
        raise ViewFailed(f"The file has more than {MAX_BYTES >> 20} MiB.", 60)
    return data
