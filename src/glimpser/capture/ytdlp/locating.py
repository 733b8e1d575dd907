"""Looking a video up: yt-dlp is run, and what it finds is checked once more."""

import asyncio
from dataclasses import dataclass
from typing import Protocol

from glimpser.capture.ytdlp.answer import expiry_of, parse_answer
from glimpser.capture.ytdlp.asking import BEST, MAX_ANSWER_BYTES, TIMEOUT_S, command_for
from glimpser.capture.ytdlp.failures import failure_of
from glimpser.core.clock import Clock
from glimpser.core.errors import Denied, InvalidInput
from glimpser.core.live import Address, MediaInput
from glimpser.core.sources import ViewFailed
from glimpser.egress.gate import Gate
from glimpser.process.command import Command, Finished, Flooded, TimedOut

_MAX_AT_ONCE = 2
"""Each takes a core for seconds and 100 MB."""
_RETRY_S = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a view of kind `yt` asks for."""

    url: str
    choice: str
    only_live: bool
    detect_fps: float


class Runs(Protocol):
    """Runs a program to its end; `process.Runner` is one, and says what is raised."""

    async def run(self, command: Command, *, timeout_s: float, max_output_bytes: int) -> Finished: ...


class Locator:
    """Event loop's thread. `proxy_url` is the way out for yt-dlp, and for the streams it finds."""

    def __init__(self, runner: Runs, gate: Gate, *, proxy_url: str, clock: Clock) -> None:
        self._runner = runner
        self._gate = gate
        self._proxy_url = proxy_url
        self._clock = clock
        self._turns = asyncio.Semaphore(_MAX_AT_ONCE)

    async def locate(self, wanted: Wanted) -> Address:
        """Find the stream of a video.

        Raises:
            ViewFailed: there is none now; says what that means for the view's health.
            InvalidInput, Denied, Misconfigured: there never will be one.
            Unavailable: it cannot be looked up now, for a reason of our own.
        """
        await asyncio.to_thread(self._gate.check, wanted.url)
        answer = await self._ask(wanted)
        found = parse_answer(answer, ours=wanted.choice == BEST, only_live=wanted.only_live)
        await self._check(found.url)
        media = MediaInput(
            address=found.url,
            detect_fps=wanted.detect_fps,
            proxy=self._proxy_url,
            headers=found.headers,
        )
        return Address(media=media, expires_at=expiry_of(found.url, self._clock.now()))

    async def _ask(self, wanted: Wanted) -> bytes:
        command = command_for(wanted.url, choice=wanted.choice, proxy_url=self._proxy_url)
        async with self._turns:
            try:
                finished = await self._runner.run(
                    command, timeout_s=TIMEOUT_S, max_output_bytes=MAX_ANSWER_BYTES
                )
            except (TimedOut, Flooded) as error:
                raise ViewFailed(f"{error.detail} It will be tried again.", _RETRY_S) from error
        if finished.status != 0:
            raise failure_of(finished.complaints)
        return finished.stdout

    async def _check(self, url: str) -> None:
        """Refuse what a page may have slipped into the answer: other schemes, closed addresses."""
        try:
            await asyncio.to_thread(self._gate.check, url)
        except InvalidInput as error:
            raise ViewFailed(
                f"The site names a stream that is not opened: {error.detail}", _RETRY_S
            ) from error
        except Denied as error:
            raise Denied(f"The site names a stream that is not opened: {error.detail}") from error
