"""Artifacts, and the garbage that removed ones leave: rows go first, objects after."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    delete,
    exists,
    func,
    insert,
    or_,
    select,
    union_all,
    update,
)

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import NotFound
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId
from glimpser.db.queries.paging import AnyRow
from glimpser.db.queries.scoping import export_in_scope, in_scope
from glimpser.db.tables import artifacts, captures, events, exports, garbage, observations

_ADD = insert(artifacts)
_GET = select(artifacts).where(artifacts.c.id == bindparam("id"))
_NEWEST = select(artifacts).order_by(artifacts.c.id.desc()).limit(1)
_AFTER = select(artifacts).where(artifacts.c.id > bindparam("id")).order_by(artifacts.c.id)
_AFTER_URI = select(artifacts).where(artifacts.c.uri > bindparam("uri")).order_by(artifacts.c.uri)
_KNOWN = union_all(
    *(
        select(table.c.uri).where(table.c.uri.in_(bindparam("uris", expanding=True)))
        for table in (artifacts, garbage)
    )
)
_DISCARD = insert(garbage).from_select(
    ["uri"], select(artifacts.c.uri).where(artifacts.c.id == bindparam("id"))
)
_REMOVE = delete(artifacts).where(artifacts.c.id == bindparam("id"))
_UNLINK = update(captures).where(captures.c.text_artifact_id == bindparam("of")).values(text_artifact_id=None)
_CHANGE = update(artifacts).where(artifacts.c.id == bindparam("of"))
_EXPIRED = (
    select(artifacts.c.id)
    .where(artifacts.c.expires_at <= bindparam("now"), ~artifacts.c.pinned)
    .order_by(artifacts.c.expires_at)
)
_COUNT_GARBAGE = select(func.count()).select_from(garbage)
_GARBAGE = select(garbage.c.uri).order_by(garbage.c.uri)
_FORGET = delete(garbage).where(garbage.c.uri.in_(bindparam("uris", expanding=True)))


class SqlArtifacts:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, artifact: Artifact) -> None:
        self._connection.execute(
            _ADD,
            {
                "id": artifact.id,
                "uri": artifact.uri,
                "media_type": artifact.media_type,
                "size_bytes": artifact.size_bytes,
                "sha256": artifact.sha256,
                "width": artifact.width,
                "height": artifact.height,
                "created_at": artifact.created_at,
                "template_id": artifact.template_id,
                "expires_at": artifact.expires_at,
                "pinned": artifact.pinned,
            },
        )

    def get(self, artifact_id: ArtifactId) -> Artifact:
        """Within a scope: one that a capture, event, observation or export there names."""
        statement = _GET.where(*_used_in(self._scope))
        row = self._connection.execute(statement, {"id": artifact_id}).one_or_none()
        if row is None:
            raise NotFound("There is no artifact with this id.")
        return _artifact(row)

    def remove(self, artifact_id: ArtifactId) -> None:
        if self._connection.execute(_DISCARD, {"id": artifact_id}).rowcount == 0:
            raise NotFound("There is no artifact with this id.")
        self._connection.execute(_UNLINK, {"of": artifact_id})
        self._connection.execute(_REMOVE, {"id": artifact_id})

    def expire(self, artifact_id: ArtifactId, at: datetime) -> None:
        self._connection.execute(_CHANGE, {"of": artifact_id, "expires_at": at})

    def pin(self, artifact_id: ArtifactId, *, pinned: bool) -> None:
        if self._connection.execute(_CHANGE, {"of": artifact_id, "pinned": pinned}).rowcount == 0:
            raise NotFound("There is no artifact with this id.")

    def remove_expired(self, now: datetime, limit: int) -> int:
        expired = self._connection.scalars(_EXPIRED.limit(limit), {"now": now}).all()
        for artifact_id in expired:
            self.remove(artifact_id)
        return len(expired)

    def after(self, artifact_id: ArtifactId | None, limit: int) -> Sequence[Artifact]:
        rows = self._connection.execute(_AFTER.limit(limit), {"id": artifact_id or ""})
        return [_artifact(row) for row in rows]

    def after_uri(self, uri: str, limit: int) -> Sequence[Artifact]:
        return [_artifact(row) for row in self._connection.execute(_AFTER_URI.limit(limit), {"uri": uri})]

    def known(self, uris: Sequence[str]) -> AbstractSet[str]:
        return frozenset(self._connection.scalars(_KNOWN, {"uris": list(uris)}))

    def newest(self) -> Artifact | None:
        row = self._connection.execute(_NEWEST).one_or_none()
        return None if row is None else _artifact(row)

    def count_below(self, base_uri: str) -> int:
        below = artifacts.c.uri.between(base_uri, f"{base_uri}\U0010ffff")
        return self._connection.scalar(select(func.count()).select_from(artifacts).where(below)) or 0

    def set_uri(self, artifact_id: ArtifactId, uri: str) -> None:
        self._connection.execute(_CHANGE, {"of": artifact_id, "uri": uri})

    def relocate(self, artifact_id: ArtifactId, uri: str, moved_to: str) -> None:
        here = (artifacts.c.id == artifact_id) & (artifacts.c.uri == uri)
        moved = self._connection.execute(update(artifacts).where(here).values(uri=moved_to)).rowcount
        self._connection.execute(insert(garbage), {"uri": uri if moved else moved_to})


class SqlGarbage:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self) -> int:
        return self._connection.scalar(_COUNT_GARBAGE) or 0

    def list(self, limit: int) -> Sequence[str]:
        return self._connection.scalars(_GARBAGE.limit(limit)).all()

    def forget(self, uris: Sequence[str]) -> None:
        self._connection.execute(_FORGET, {"uris": list(uris)})


def _used_in(scope: Scope) -> Iterator[ColumnElement[bool]]:
    if scope.groups is not None:
        exported = exists().where(exports.c.artifact_id == artifacts.c.id, *export_in_scope(scope))
        yield or_(
            exported,
            *(
                exists().where(table.c.artifact_id == artifacts.c.id, *in_scope(table.c.template_id, scope))
                for table in (events, captures, observations)
            ),
        )


def _artifact(row: AnyRow) -> Artifact:
    return Artifact(
        id=row.id,
        uri=row.uri,
        media_type=row.media_type,
        size_bytes=row.size_bytes,
        sha256=row.sha256,
        width=row.width,
        height=row.height,
        created_at=row.created_at,
        template_id=row.template_id,
        expires_at=row.expires_at,
        pinned=row.pinned,
    )
