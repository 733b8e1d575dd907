"""Whole files below the allowed folders, for views that are no video."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

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
    with reported("file"):
        return read_open(open_beneath(path, roots))


def read_open(file: BinaryIO) -> bytes:
    """Read a whole file and close it. Raises: ViewFailed, when it is too large; OSError."""
    with file:
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ViewFailed(f"The file has more than {MAX_BYTES >> 20} MiB.", 60)
    return data


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn what goes wrong with a file or folder into what it means for a view: it may be mended."""
    try:
        yield
    except InvalidInput as error:
        raise ViewFailed(error.detail) from error
    except OSError as error:
        raise ViewFailed(f"The {what} cannot be read: {error.strerror}.") from error
