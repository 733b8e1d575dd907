"""One view that runs: what it showed last, how it is, and how it comes by its next picture."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

import structlog

from glimpser.capture.ingest.pace import Backoff
from glimpser.capture.polled.desk import Desk, Widths
from glimpser.core.errors import GlimpserError, Unavailable
from glimpser.core.frames import Frame
from glimpser.core.health import HealthState, Judged, Verdict
from glimpser.core.live import (
    FrameReady,
    LiveSpec,
    Polled,
    Pushed,
    State,
    StateChanged,
    StreamMeasured,
    StreamStatus,
)
from glimpser.core.sources import Shot, ViewFailed
from glimpser.streaming.retouch import retouch_of

_log = structlog.get_logger(__name__)

ASK_TIMEOUT_S = 90.0
"""A source answers within a minute by itself; one that does not is given up after this."""
_FIRST_WAIT = (0.5, 1.0)
_WAIT = (0.95, 1.05)
"""Parts of the interval between which each wait is varied: views that began together drift apart at once."""
_BROKEN = "The program failed at this view: its log tells more."
_NOTHING_YET = "Nothing was sent to this view yet."


@dataclass(frozen=True, slots=True)
class Kept:
    """The newest picture of a view; `at_s` is its time on the monotonic clock."""

    sequence: int
    captured_at: datetime
    at_s: float
    widths: Widths


class View:
    """What views have in common, however they come by pictures. `run` is its task; event loop's thread."""

    def __init__(self, spec: LiveSpec[Polled] | LiveSpec[Pushed], desk: Desk, *, epoch: int = 0) -> None:
        self.id = spec.template_id
        self.newest: Kept | None = None
        self.status = StreamStatus(state=State.IDLE, since=desk.clock.now(), epoch=epoch)
        self._desk = desk
        self._retouch = retouch_of(spec.privacy_masks, spec.caption)
        self._gap_s: float | None = None
        self._restarts = 0
        self._taking = asyncio.Lock()
        self._over = False

    async def run(self) -> None:
        """Be the view, until it is cancelled."""
        raise NotImplementedError

    async def current(self) -> Kept:
        """Give a picture that is not too old.

        Raises:
            Unavailable: there is none now.
        """
        raise NotImplementedError

    def end(self) -> None:
        """Say that it is over; whatever comes of it now is not told."""
        self.say(State.IDLE)
        self._over = True

    def say(self, state: State, reason: str | None = None) -> None:
        """Change the state and tell it; the same for the same reason is not told twice."""
        if self._over or (state, reason) == (self.status.state, self.status.reason):
            return
        native = self.newest.widths.native if self.newest and state.gives_pictures else None
        begins = state is State.LIVE and not self.status.state.gives_pictures
        self.status = StreamStatus(
            state=state,
            since=self._desk.clock.now(),
            reason=reason,
            fps=self._fps() if native else None,
            width=native.width if native else None,
            height=native.height if native else None,
            epoch=self.status.epoch + begins,
        )
        self._desk.tell(StateChanged(self.id, self.status))

    async def took(self, shot: Shot) -> None:
        """Show a picture that came.

        Raises:
            Unavailable: it cannot be decoded.
        """
        async with self._taking:
            await self._keep(shot)
        self._restarts += self.status.state in (State.BACKOFF, State.STALLED)
        self.say(State.LIVE)
        self.judge(shot.verdict)
        self.measure()
        for width in tuple(self._desk.widths(self.id)):
            await self.show(width)

    async def _keep(self, shot: Shot) -> None:
        """Make it the newest. One that is the same as the last shares its widths: nothing is made again."""
        known = self.newest
        at, at_s = self._desk.clock.now(), self._desk.clock.monotonic()
        is_same = known is not None and known.widths.source == shot.jpeg and not self._retouch.caption.time
        if known is not None and is_same:
            widths = known.widths
        else:
            widths = Widths(await self._desk.retouched(shot, self._retouch, at), shot.jpeg)
        if known is not None:
            self._gap_s = at_s - known.at_s
        self.newest = Kept(known.sequence + 1 if known else 1, at, at_s, widths)

    async def show(self, width: int) -> None:
        """Give the newest picture, if there is one, to those who want it in this width."""
        kept = self.newest
        if kept is None:
            return
        try:
            frame = await self.frame(kept, width)
        except Unavailable as error:
            _log.warning("polled.not_scaled", template_id=self.id, width=width, reason=error.detail)
            return
        if kept is self.newest and not self._over:  # else a newer one was shown meanwhile
            self._desk.tell(FrameReady(frame, width))

    async def frame(self, kept: Kept, width: int) -> Frame:
        """Give a picture in one width. Raises: Unavailable."""
        shot = await kept.widths.get(width, self._desk)
        return Frame(self.id, kept.sequence, kept.captured_at, shot.jpeg, shot.width, shot.height)

    def judge(self, verdict: Verdict) -> None:
        if not self._over:
            self._desk.tell(Judged(self.id, verdict, self._desk.clock.now()))

    def measure(self) -> None:
        """Tell the figures; the rate is that of the last two pictures."""
        if self._over or self.newest is None:
            return
        figures = StreamMeasured(
            self.id,
            fps=round(1 / self._gap_s, 4) if self._gap_s and self.status.state.gives_pictures else 0.0,
            last_packet_age_s=round(self._desk.clock.monotonic() - self.newest.at_s, 3),
            dropped_frames=0,
            restarts=self._restarts,
        )
        self._desk.tell(figures)

    def _fps(self) -> float | None:
        """Pictures a second that are expected of it; None when nothing is."""
        return None

    def _refusal(self) -> Unavailable:
        return Unavailable(self.status.reason or "The view gives no picture now.", retry_after_s=2)


class PolledView(View):
    """Asks its source at its interval, sooner when somebody waits, and later while it does not work."""

    def __init__(self, spec: LiveSpec[Polled], desk: Desk, *, epoch: int = 0) -> None:
        super().__init__(spec, desk, epoch=epoch)
        self._feed = spec.feed
        self._backoff = Backoff(desk.vary)
        self._wanted = asyncio.Event()
        self._asked = asyncio.Event()

    async def run(self) -> None:
        """Ask, wait, and ask again. A source that will never work this way is not asked again."""
        self.say(State.CONNECTING)
        delay_s = await self._ask()
        while delay_s is not None:
            await self._pause(delay_s)
            delay_s = await self._ask()

    async def current(self) -> Kept:
        """Give the newest picture if it is younger than the interval, else have the source asked now."""
        if self.status.state is not State.LIVE:
            raise self._refusal()
        if not self._is_fresh():
            asked = self._asked
            self._wanted.set()
            await asked.wait()
        if self.newest is None or self.status.state is not State.LIVE:
            raise self._refusal()
        return self.newest

    def end(self) -> None:
        super().end()
        self._asked.set()

    def _fps(self) -> float | None:
        return round(1 / self._feed.interval_s, 4)

    def _is_fresh(self) -> bool:
        age_s = self._desk.clock.monotonic() - self.newest.at_s if self.newest else float("inf")
        return age_s < self._feed.interval_s

    async def _ask(self) -> float | None:
        """Ask the source once; gives how long to wait then, None when it will never work."""
        await self._desk.wait_for_room()
        async with self._desk.turns:
            began_s = self._desk.clock.monotonic()
            error = await self._attempt()
        self._wanted.clear()
        self._asked.set()
        self._asked = asyncio.Event()
        if error is None:
            self._backoff.succeeded()
            part = _WAIT if self._gap_s else _FIRST_WAIT
            interval_s = self._feed.interval_s * self._desk.vary(*part)
            return max(0.0, interval_s - (self._desk.clock.monotonic() - began_s))
        if not isinstance(error, Unavailable):
            return None
        return max(self._backoff.next_delay_s(self._desk.clock.monotonic()), error.retry_after_s)

    async def _attempt(self) -> GlimpserError | None:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                await self.took(await self._feed.source.snapshot())
        except GlimpserError as error:
            return self._failed(error)
        except TimeoutError:
            return self._failed(ViewFailed(f"It gave no picture within {ASK_TIMEOUT_S:g} s."))
        except Exception:  # noqa: BLE001  # the supervisor: a fault in one source must not end the others
            _log.exception("polled.source_broken", template_id=self.id)
            return self._failed(Unavailable(_BROKEN, retry_after_s=30))
        return None

    def _failed(self, error: GlimpserError) -> GlimpserError:
        self.say(State.BACKOFF if isinstance(error, Unavailable) else State.FAILED, error.detail)
        self.judge(Verdict(_health_of(error), error.detail))
        self.measure()
        return error

    async def _pause(self, delay_s: float) -> None:
        """Wait, or until somebody wants a picture now."""
        waiting = asyncio.ensure_future(self._desk.wait(delay_s))
        wanted = asyncio.ensure_future(self._wanted.wait())
        try:
            await asyncio.wait((waiting, wanted), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            wanted.cancel()


class PushedView(View):
    """Shows what is sent, and notices when nothing is."""

    def __init__(self, spec: LiveSpec[Pushed], desk: Desk, *, epoch: int = 0) -> None:
        super().__init__(spec, desk, epoch=epoch)
        self._expect_every_s = spec.feed.expect_every_s
        self._arrived = asyncio.Event()

    async def run(self) -> None:
        self.say(State.CONNECTING, _NOTHING_YET)
        while True:
            if self._expect_every_s is None or self.status.state is State.STALLED:
                await self._arrived.wait()
            else:
                await self._arrives_within(self._expect_every_s)
            self._arrived.clear()

    async def offer(self, shot: Shot) -> None:
        """Show a picture that was sent.

        Raises:
            Unavailable: it cannot be decoded.
        """
        await self.took(shot)
        self._arrived.set()

    async def current(self) -> Kept:
        if self.newest is None or self.status.state is not State.LIVE:
            raise self._refusal()
        return self.newest

    def _fps(self) -> float | None:
        return round(1 / self._expect_every_s, 4) if self._expect_every_s else None

    async def _arrives_within(self, limit_s: float) -> None:
        waiting = asyncio.ensure_future(self._desk.wait(limit_s))
        arrived = asyncio.ensure_future(self._arrived.wait())
        try:
            await asyncio.wait((waiting, arrived), return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            arrived.cancel()
        if not self._arrived.is_set():
            reason = f"Nothing was sent for {limit_s:g} s: look at what sends to this view."
            self.say(State.STALLED, reason)
            self.judge(Verdict(HealthState.STALLED if self.newest else HealthState.DOWN, reason))
            self.measure()


def _health_of(error: GlimpserError) -> HealthState:
    """Say what a failure means for the view; a reason of our own says nothing about it."""
    if isinstance(error, ViewFailed):
        return error.state
    return HealthState.UNKNOWN if isinstance(error, Unavailable) else HealthState.DOWN
