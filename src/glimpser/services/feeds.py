"""From a template to what its pictures come from: the one place where a view is opened for any purpose.

Whoever takes pictures of a template takes its feed or its spec from here, so that what its privacy masks
cover is seen nowhere: not live, not in scheduled captures, not in trials.
"""

import asyncio
from dataclasses import dataclass, replace

from glimpser.core.clock import Clock
from glimpser.core.kinds import Registry, kind_of
from glimpser.core.live import Caption, Feed, LiveSpec, Polled
from glimpser.core.local_time import shown_zone
from glimpser.core.motion import OFF, MotionSettings
from glimpser.core.sources import Shot, Source, ViewFailed
from glimpser.core.templates import Template, TemplateSettings
from glimpser.streaming.retouch import Retouch, retouch_of

_UNREADABLE = "The picture cannot be read, so what is private in it cannot be covered: it is not shown."


class Feeds:
    """Any thread."""

    def __init__(self, registry: Registry, *, clock: Clock, timezone: str | None = None) -> None:
        """`timezone`: that of captions whose view has none of its own; None: this machine's."""
        self._registry = registry
        self._clock = clock
        self._timezone = timezone

    def of(self, settings: TemplateSettings) -> Feed:
        """Give the feed of a view, for taking single pictures: those of `Polled` come retouched.

        Others are retouched by what decodes or receives them, which needs `spec`, or `retouch_of`.

        Raises:
            GlimpserError: as the kind's `feed` does.
        """
        feed = self._as_it_is(settings)
        retouch = self.retouch_of(settings)
        if not isinstance(feed, Polled) or not retouch:
            return feed
        source = _Retouched(feed.source, retouch, self._clock)
        key = f"{feed.key} {settings.privacy_masks} {retouch.caption}"
        return replace(feed, source=source, key=key)

    def spec(self, template: Template, *, is_watched: bool = False) -> LiveSpec[Feed]:
        """Say what running a view takes; motion is looked for in views that are always live, or recorded.

        Whatever runs it retouches its pictures.

        Raises:
            GlimpserError: as `of`.
        """
        settings = template.settings
        return LiveSpec(
            template_id=template.id,
            feed=self._as_it_is(settings),
            motion=settings.motion if settings.live or is_watched else MotionSettings(detector=OFF),
            zones=tuple(zone.points for zone in settings.zones),
            motion_masks=settings.motion_masks,
            privacy_masks=settings.privacy_masks,
            caption=self._caption_of(settings),
        )

    def retouch_of(self, settings: TemplateSettings) -> Retouch:
        """Give what is done to every picture of a view."""
        return retouch_of(settings.privacy_masks, self._caption_of(settings))

    def _caption_of(self, settings: TemplateSettings) -> Caption:
        """Say what is written."""
        wanted = settings.overlay
        timezone = shown_zone(settings.timezone, self._timezone)
        return Caption(name=settings.name if wanted.name else None, time=wanted.time, timezone=timezone)

    def _as_it_is(self, settings: TemplateSettings) -> Feed:
        return kind_of(self._registry, settings.kind).feed(settings.config)


@dataclass(frozen=True, slots=True)
class _Retouched:
    """A source whose pictures leave it retouched, those of its failures too.

    The text of a page with masks is left out: it may hold what they cover.
    """

    source: Source
    retouch: Retouch
    clock: Clock

    async def snapshot(self) -> Shot:
        """Take a picture. Raises: as the source does; ViewFailed also when it cannot be covered."""
        try:
            shot = await self.source.snapshot()
        except ViewFailed as failure:
            if failure.shot is None:
                raise
            shown = await self._finished(failure.shot)
            retry_after_s = failure.retry_after_s
            raise ViewFailed(failure.detail, retry_after_s, state=failure.state, shot=shown) from failure
        finished = await self._finished(shot)
        if finished is None:
            raise ViewFailed(_UNREADABLE)
        return finished

    async def _finished(self, shot: Shot) -> Shot | None:
        """Retouch; None: it cannot be read."""
        try:
            jpeg = await asyncio.to_thread(self.retouch.jpeg, shot.jpeg, self.clock.now())
        except ValueError:
            return None
        return replace(shot, jpeg=jpeg, text=None if self.retouch.masks else shot.text)
