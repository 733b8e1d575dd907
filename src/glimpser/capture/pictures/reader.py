"""Reads pictures beside the event loop, a few at a time."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

from glimpser.capture.pictures.blankness import verdict_on_picture
from glimpser.capture.pictures.reading import read_picture
from glimpser.capture.pictures.scaling import scaled
from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.sources import Shot

_THREADS = 2
"""So many pictures are decoded at one time at most: that bounds the memory they take."""


class PictureReader:
    """One for the whole process. Event loop's thread."""

    def __init__(self, threads: ThreadPoolExecutor) -> None:
        self._threads = threads

    async def read(self, data: bytes) -> Shot:
        """Read a picture and see whether anything is in it. Raises: InvalidInput, as `read_picture`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _judged, data)

    async def narrowed(self, data: bytes, width: int) -> bytes:
        """Give a picture as JPEG, at most so many pixels wide. Raises: InvalidInput, as `read_picture`."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, _narrowed, data, width)


def _judged(data: bytes) -> Shot:
    shot = read_picture(data)
    return replace(shot, verdict=verdict_on_picture(shot.jpeg))


def _narrowed(data: bytes, width: int) -> bytes:
    try:
        return scaled(read_picture(data), width).jpeg
    except Unavailable as error:  # only a look at all of it showed
        raise InvalidInput(error.detail) from error


@contextmanager
def open_reader() -> Iterator[PictureReader]:
    """Have a reader while the context is open."""
    threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="picture")
    try:
        yield PictureReader(threads)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
