"""The pictures of one view, found through the index by view and time."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, exists, func, select, tuple_

from glimpser.core.exports import Span, StoredPicture
from glimpser.core.ids import ArtifactId, TemplateId
from glimpser.db.queries.paging import AnyRow
from glimpser.db.tables import artifacts, captures
from glimpser.db.types import Id, Instant

_COLUMNS = ("id", "uri", "size_bytes", "sha256", "width", "height", "created_at")
_ORDER = (artifacts.c.created_at, artifacts.c.id)
_OF_VIEW = (
    artifacts.c.template_id == bindparam("view"),
    artifacts.c.created_at >= bindparam("start"),
    artifacts.c.created_at < bindparam("end"),
)
_SHOWS_SOMETHING_ELSE = (
    exists().where(captures.c.artifact_id == artifacts.c.id, captures.c.status == "failure")
).correlate(artifacts)
_PICTURES = (
    select(*(artifacts.c[name] for name in _COLUMNS))
    .where(*_OF_VIEW, artifacts.c.media_type == "image/jpeg")
    .where(artifacts.c.expires_at.is_(None), ~_SHOWS_SOMETHING_ELSE)
    .limit(bindparam("limit"))
)
_OLDEST = _PICTURES.order_by(*_ORDER)
_AFTER = _OLDEST.where(
    tuple_(*_ORDER) > tuple_(bindparam("last_at", type_=Instant()), bindparam("last", type_=Id))
)
_NEWEST = _PICTURES.order_by(*(column.desc() for column in _ORDER))
_SOME = select(artifacts.c.id).where(*_OF_VIEW).order_by(*_ORDER).limit(bindparam("limit")).subquery()
_COUNT = select(func.count()).select_from(_SOME)


class SqlPictures:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def bounds(self, template_id: TemplateId, span: Span) -> tuple[datetime, datetime] | None:
        wanted = _values(template_id, span, 1)
        first = self._connection.execute(_OLDEST, wanted).one_or_none()
        last = self._connection.execute(_NEWEST, wanted).one_or_none()
        return (first.created_at, last.created_at) if first and last else None

    def count(self, template_id: TemplateId, span: Span, *, at_most: int) -> int:
        return self._connection.scalar(_COUNT, _values(template_id, span, at_most)) or 0

    def evenly(
        self, template_id: TemplateId, span: Span, *, step: timedelta, limit: int
    ) -> Sequence[StoredPicture]:
        """One search for each that is given: steps without a picture are leapt over."""
        found: list[StoredPicture] = []
        start = span.start
        while len(found) < limit and start < span.end:
            wanted = _values(template_id, Span(start, span.end), 1)
            row = self._connection.execute(_OLDEST, wanted).one_or_none()
            if row is None:
                break
            found.append(_picture(row))
            start = span.start + ((row.created_at - span.start) // step + 1) * step
        return found

    def between(
        self, template_id: TemplateId, span: Span, *, after: StoredPicture | None, limit: int
    ) -> Sequence[StoredPicture]:
        wanted = _values(template_id, span, limit)
        if after is None:
            return [_picture(row) for row in self._connection.execute(_OLDEST, wanted)]
        wanted |= {"start": after.captured_at, "last_at": after.captured_at, "last": after.id}
        return [_picture(row) for row in self._connection.execute(_AFTER, wanted)]

    def newest(self, template_id: TemplateId, span: Span, *, limit: int) -> Sequence[StoredPicture]:
        rows = self._connection.execute(_NEWEST, _values(template_id, span, limit)).all()
        return [_picture(row) for row in reversed(rows)]


def _values(template_id: TemplateId, span: Span, limit: int) -> dict[str, object]:
    return {"view": template_id, "start": span.start, "end": span.end, "limit": limit}


def _picture(row: AnyRow) -> StoredPicture:
    return StoredPicture(
        id=ArtifactId(row.id),
        uri=row.uri,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        captured_at=row.created_at,
    )
