"""Has pages drawn by a process that may take little and lives for one page."""

import asyncio
import json
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from glimpser.core.errors import InvalidInput, Unavailable
from glimpser.core.sources import Shot
from glimpser.process.command import Command, Limits
from glimpser.process.runner import Runner

_PROGRAM = "glimpser.capture.pdf.render_main"
_NAME = "pdf"
_LIMITS = Limits(memory_bytes=2 << 30, file_size_bytes=1 << 20, open_files=64, cpu_s=30)
_TIMEOUT_S = 45.0
_MAX_OUTPUT_BYTES = 64 << 20
_AT_ONCE = 2


class PdfRenderer:
    """One for the whole process. Event loop's thread."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def render(self, document: bytes, *, page: int, width: int) -> Shot:
        """Draw a page, counted from 1, so many pixels wide; `text` is the page's.

        Raises:
            InvalidInput: it cannot be drawn; the sentence says why.
            Unavailable: it took too long or too much.
        """
        if b"%PDF-" not in document[:1024]:
            raise InvalidInput("This is no PDF document.")
        async with self._turns:
            with tempfile.TemporaryDirectory(prefix="glimpser-pdf-") as folder:
                file = Path(folder) / "document.pdf"
                await asyncio.to_thread(file.write_bytes, document)
                output = await self._run(Path(folder), str(file), page, width)
        return _shot(output)

    async def _run(self, home: Path, path: str, page: int, width: int) -> bytes:
        argv = (sys.executable, "-I", "-m", _PROGRAM, path, str(page), str(width))
        command = Command(name=_NAME, argv=argv, home=home, limits=_LIMITS)
        done = await self._runner.run(command, timeout_s=_TIMEOUT_S, max_output_bytes=_MAX_OUTPUT_BYTES)
        if done.status != 0:
            raise Unavailable("The page could not be drawn: the document is broken or needs too much.", 60)
        return done.stdout


def _shot(output: bytes) -> Shot:
    head, _, jpeg = output.partition(b"\n")
    said: dict[str, Any] = {}
    with suppress(ValueError):
        said = json.loads(head)
    if "error" in said:
        raise InvalidInput(str(said["error"]))
    if not {"width", "height", "pages", "text"} <= said.keys() or not jpeg:
        raise Unavailable("The page could not be drawn.", 60)
    return Shot(
        jpeg=jpeg,
        width=int(said["width"]),
        height=int(said["height"]),
        text=str(said["text"]),
        details={"pages": int(said["pages"])},
    )
