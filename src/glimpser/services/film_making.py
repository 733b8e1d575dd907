"""Films of stored pictures: chosen here, encoded by a program of its own, then stored."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from glimpser.core.encoding import EncodedVideo, Still, VideoSpec
from glimpser.core.errors import Rejected
from glimpser.core.exports import MAX_LENGTH_S, Export, Span, StoredPicture
from glimpser.core.ids import TemplateId
from glimpser.core.local_time import shown_zone, zone_of
from glimpser.core.pages import MAX_LIMIT, Page, PageRequest
from glimpser.core.ports import Database, ObjectStore, StoredObject, VideoEncoder
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.services.film_plan import Shown, step_of, timelapse
from glimpser.services.job_kinds import Progress
from glimpser.services.picture_reading import PictureReader

_BATCH = 200
"""Pictures looked up in one transaction."""
_PIECE_BYTES = 1 << 20
_MS = 1000
_NOMINAL_FPS = 10
"""Of a film at true pace: only a hint for the encoder."""

Stills = AsyncGenerator[Still, None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A stored file; `notes` go into the job's result."""

    stored: StoredObject
    media_type: str
    width_px: int | None
    height_px: int | None
    notes: dict[str, object]


@dataclass(slots=True, kw_only=True)
class _Film:
    """One film in the making; `total` is how many pictures it will have, about.

    `timezone` is the clock of what is written into it, None this machine's.
    """

    export: Export
    timezone: str | None
    reader: PictureReader
    progress: Progress
    total: int = 0
    gaps: int = 0
    notes: dict[str, object]

    def caption(self, at: datetime, view: TemplateSettings | None = None) -> str:
        """Give what is written into a picture; `view` where there are several."""
        name = view.name if view else ""
        if not self.export.options.show_time:
            return name
        zone = shown_zone(view.timezone, self.timezone) if view else self.timezone
        return f"{name}  {_local(at, zone):%Y-%m-%d %H:%M:%S %Z}".strip()

    def gap(self, begin: datetime, end: datetime) -> str:
        """Give what is written where nothing was seen."""
        first, last = _local(begin, self.timezone), _local(end, self.timezone)
        return f"No pictures  {first:%Y-%m-%d %H:%M} - {last:%Y-%m-%d %H:%M %Z}"

    async def told(self) -> None:
        seen = self.reader.tally.seen
        await self.progress.report(min(seen / max(self.total, 1), 1.0), f"picture {seen} of {self.total}")


class FilmMaking:
    """Event loop's thread. Memory is needed for one picture, and for where the chosen ones lie."""

    def __init__(
        self, database: Database, store: ObjectStore, encoder: VideoEncoder, *, timezone: str | None = None
    ) -> None:
        """`timezone`: the clock of times in films whose view has none of its own; None: this machine's."""
        self._timezone = timezone
        self._database = database
        self._store = store
        self._encoder = encoder

    async def make(self, export: Export, key: str, progress: Progress) -> Made:
        """Make a film and store it under `key`.

        Raises:
            Rejected: there are no pictures, or none that can be read.
            Unavailable: the store is away, the disk is full, or the encoder ended.
        """
        film = _Film(
            export=export,
            timezone=shown_zone(export.timezone, self._timezone),
            reader=PictureReader(self._store),
            progress=progress,
            notes={},
        )
        await progress.report(0.0, "choosing pictures")
        make = {"timelapse": self._timelapse, "video": self._true_pace, "teaser": self._teaser}[export.kind]
        async with aclosing(make(film)) as stills:
            first = await anext(stills, None)
            if first is None:
                raise Rejected(nothing_in(export, film.reader.tally.seen))
            async with self._encoder.open(_spec(export)) as encoding:
                await encoding.add(first)
                async for still in stills:
                    await encoding.add(still)
                    await film.told()
                await progress.report(None, "finishing the file")
                video = await encoding.finish()
                if video is None:
                    raise Rejected(nothing_in(export, film.reader.tally.seen))
                stored = await self._kept(key, video)
        return Made(
            stored=stored,
            media_type="video/mp4",
            width_px=video.width_px,
            height_px=video.height_px,
            notes=_notes(film, video),
        )

    async def _kept(self, key: str, video: EncodedVideo) -> StoredObject:
        async with aclosing(_pieces(video.path)) as pieces:
            return await self._store.put(key, pieces, content_type="video/mp4")

    # What is shown ------------------------------------------------------------------------------------

    async def _timelapse(self, film: _Film) -> Stills:
        export, fps = film.export, film.export.options.fps or 24
        view, span = _view_of(export), Span(export.start, export.end)
        bounds = await self._database.read(lambda tx: tx.pictures.bounds(view, span))
        if bounds is None:
            return
        frames = max(1, round((export.options.length_s or 30.0) * fps))
        step = step_of((bounds[1] - bounds[0]).total_seconds(), frames)
        axis = Span(bounds[0], bounds[1] + timedelta(microseconds=1))
        chosen = await self._chosen(view, axis, step)
        film.total = len(chosen)
        tick = 0
        for shown in timelapse(chosen, step=step, frames=frames, fps=fps):
            for still in await self._stills_of(film, shown, tick):
                yield still
            tick += shown.frames + shown.gap_frames

    async def _stills_of(self, film: _Film, shown: Shown, tick: int) -> Sequence[Still]:
        jpeg = await film.reader.read(shown.picture)
        if jpeg is None:
            return []
        taken_at = shown.picture.captured_at
        stills = [Still(jpeg=jpeg, at=tick, frames=shown.frames, caption=film.caption(taken_at))]
        if shown.gap_until is not None:
            film.gaps += 1
            words = film.gap(taken_at, shown.gap_until.captured_at)
            stills.append(Still(jpeg=None, at=tick + shown.frames, frames=shown.gap_frames, caption=words))
        return stills

    async def _chosen(self, view: TemplateId, axis: Span, step: timedelta) -> Sequence[StoredPicture]:
        chosen: list[StoredPicture] = []
        start = axis.start
        while True:
            read = partial(_evenly, view=view, span=Span(start, axis.end), step=step)
            some = await self._database.read(read)
            chosen += some
            if len(some) < _BATCH:
                return chosen
            start = axis.start + ((some[-1].captured_at - axis.start) // step + 1) * step

    async def _true_pace(self, film: _Film) -> Stills:
        """Milliseconds are the ticks: of two pictures in one of them the second is left out."""
        export = film.export
        view, span = _view_of(export), Span(export.start, export.end)
        film.total = await self._database.read(lambda tx: tx.pictures.count(view, span, at_most=1_000_000))
        begin: datetime | None = None
        last = -1
        async for picture in pictures_of(self._database, view, span):
            begin = begin or picture.captured_at
            at = (picture.captured_at - begin) // timedelta(milliseconds=1)
            jpeg = await film.reader.read(picture) if at > last else None
            if jpeg is not None:
                yield Still(jpeg=jpeg, at=at, caption=film.caption(picture.captured_at))
                last = at

    async def _teaser(self, film: _Film) -> Stills:
        export, fps = film.export, film.export.options.fps or 8
        each = max(1, round((export.options.length_s or 5.0) * fps))
        views = await views_in(self._database, export.group or "")
        most = max(1, int(MAX_LENGTH_S * fps) // each)
        film.notes = {"views": 0, "empty_views": 0, "left_out_views": max(0, len(views) - most)}
        film.total = each * min(len(views), most)
        tick = 0
        for view in views[:most]:
            shown = 0
            span = Span(export.start, export.end)
            read = partial(_newest, view=view.id, span=span, limit=each)
            for picture in await self._database.read(read):
                jpeg = await film.reader.read(picture)
                if jpeg is not None:
                    caption = film.caption(picture.captured_at, view=view.settings)
                    yield Still(jpeg=jpeg, at=tick, caption=caption)
                    tick, shown = tick + 1, shown + 1
            name = "views" if shown else "empty_views"
            film.notes[name] = int(str(film.notes[name])) + 1


async def pictures_of(database: Database, view: TemplateId, span: Span) -> AsyncIterator[StoredPicture]:
    """Walk along the pictures of a view."""
    last: StoredPicture | None = None
    while True:
        some = await database.read(partial(_between, view=view, span=span, after=last))
        for picture in some:
            yield picture
        if len(some) < _BATCH:
            return
        last = some[-1]


async def views_in(database: Database, group: str) -> Sequence[Template]:
    """Give the views of a group in the order of their names."""
    found: list[Template] = []
    after: str | None = None
    while True:
        page = await database.read(partial(_templates, group=group, request=PageRequest(MAX_LIMIT, after)))
        found += page.items
        if page.next_cursor is None:
            return sorted(found, key=lambda one: (one.settings.name.casefold(), one.id))
        after = page.items[-1].id


def nothing_in(export: Export, seen: int) -> str:
    """Say to a person why there is no file, and what to do."""
    zone = zone_of(export.timezone)
    period = (
        f"{export.start.astimezone(zone):%Y-%m-%d %H:%M} to {export.end.astimezone(zone):%Y-%m-%d %H:%M %Z}"
    )
    if seen:
        return f"None of the {seen} pictures of {export.title} from {period} can be read: `fsck` tells more."
    return f"No pictures of {export.title} are kept from {period}: choose another time."


def _notes(film: _Film, video: EncodedVideo) -> dict[str, object]:
    tally = film.reader.tally
    return {
        **tally.as_result(),
        "pictures": tally.used - video.unreadable,
        "damaged": tally.damaged + video.unreadable,
        "frames": video.frames,
        "length_s": round(video.duration_s, 3),
        "codec": video.codec,
        **({"gaps": film.gaps} if film.export.kind == "timelapse" else {}),
        **film.notes,
    }


def _spec(export: Export) -> VideoSpec:
    options = export.options
    fps = options.fps or _NOMINAL_FPS
    subject = f"template {export.template_id}" if export.template_id else f"group {export.group}"
    period = f"{export.start:%Y-%m-%dT%H:%M:%SZ}/{export.end:%Y-%m-%dT%H:%M:%SZ}"
    return VideoSpec(
        title=export.title,
        comment=f"{export.kind} of {subject}, {period}",
        created_at=export.start,
        width_px=options.width_px,
        ticks_per_s=_MS if export.kind == "video" else fps,
        fps=fps,
    )


def _local(moment: datetime, timezone: str | None) -> datetime:
    return moment.astimezone(None if timezone is None else zone_of(timezone))


def _view_of(export: Export) -> TemplateId:
    assert export.template_id is not None  # so it was asked for
    return export.template_id


async def _pieces(path: Path) -> AsyncGenerator[bytes, None]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        while piece := await asyncio.to_thread(file.read, _PIECE_BYTES):
            yield piece
    finally:
        file.close()


def _evenly(tx: Transaction, *, view: TemplateId, span: Span, step: timedelta) -> Sequence[StoredPicture]:
    return tx.pictures.evenly(view, span, step=step, limit=_BATCH)


def _between(
    tx: Transaction, *, view: TemplateId, span: Span, after: StoredPicture | None
) -> Sequence[StoredPicture]:
    return tx.pictures.between(view, span, after=after, limit=_BATCH)


def _newest(tx: Transaction, *, view: TemplateId, span: Span, limit: int) -> Sequence[StoredPicture]:
    return tx.pictures.newest(view, span, limit=limit)


def _templates(tx: Transaction, *, group: str, request: PageRequest) -> Page[Template]:
    return tx.templates.list(TemplateFilter(group=group), request)
