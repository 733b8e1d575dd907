"""Templates: one JSON document each, beside the columns that lists are narrowed by."""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, delete, insert, or_, select, update

from glimpser.core.accounts import EVERYTHING, Scope
from glimpser.core.errors import GlimpserError, NotFound, Stale
from glimpser.core.ids import TemplateId
from glimpser.core.orders import TEMPLATE_ORDERS
from glimpser.core.pages import Page, PageRequest
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.db.queries.paging import AnyRow, fetch_page, oldest_first
from glimpser.db.queries.scoping import in_scope
from glimpser.db.tables import template_groups, templates

_COLUMNS = select(
    templates.c.id, templates.c.document, templates.c.version, templates.c.created_at, templates.c.updated_at
)
_GET = _COLUMNS.where(templates.c.id == bindparam("id"))
_IN_GROUPS = select(template_groups.c.template_id).where(
    template_groups.c.name.in_(bindparam("names", expanding=True))
)
_TIMES = ("start", "end")
_KNOWN = msgspec.json.Decoder(TemplateSettings)
"""Has msgspec learn the class while this is imported, by one thread.

It learns a class at its first use, and remembers it before it has learned all: when two of our readers met
there, the second read what was not written yet, and the whole process died (0.22.0).
"""

_Document = dict[str, Any]
"""Settings as JSON."""


class SqlTemplates:
    def __init__(self, connection: Connection, scope: Scope = EVERYTHING) -> None:
        self._connection = connection
        self._scope = scope

    def add(self, template: Template) -> None:
        identity = {
            "id": template.id,
            "version": template.version,
            "created_at": template.created_at,
            "updated_at": template.updated_at,
        }
        self._connection.execute(insert(templates), identity | _columns(template.settings))
        self._set_groups(template.id, template.settings.groups)

    def get(self, template_id: TemplateId) -> Template:
        statement = _GET.where(*in_scope(templates.c.id, self._scope))
        row = self._connection.execute(statement, {"id": template_id}).one_or_none()
        if row is None:
            raise NotFound("There is no template with this id.")
        return _template(row)

    def list(self, where: TemplateFilter, page: PageRequest) -> Page[Template]:
        statement = _COLUMNS.where(*_conditions(where), *in_scope(templates.c.id, self._scope))
        columns = {"name": templates.c.name_key, "updated_at": templates.c.updated_at}
        ordered = oldest_first(statement, page, columns)
        return fetch_page(self._connection, ordered, page, TEMPLATE_ORDERS, make=_template)

    def replace(
        self, template_id: TemplateId, settings: TemplateSettings, *, expected: int, now: datetime
    ) -> Template:
        changes = _columns(settings) | {"version": expected + 1, "updated_at": now}
        statement = update(templates).where(_is_version(template_id, expected)).values(changes)
        if self._connection.execute(statement).rowcount == 0:
            raise self._why_not(template_id)
        self._set_groups(template_id, settings.groups)
        return self.get(template_id)

    def set_config(self, template_id: TemplateId, config: Mapping[str, object]) -> None:
        columns = _columns(replace(self.get(template_id).settings, config=config))
        self._connection.execute(update(templates).where(templates.c.id == template_id).values(columns))

    def remove(self, template_id: TemplateId, *, expected: int) -> None:
        statement = delete(templates).where(_is_version(template_id, expected))
        if self._connection.execute(statement).rowcount == 0:
            raise self._why_not(template_id)

    def in_groups(self, groups: Sequence[str]) -> AbstractSet[TemplateId]:
        found = self._connection.scalars(_IN_GROUPS, {"names": list(groups)})
        return frozenset(map(TemplateId, found))

    def _why_not(self, template_id: TemplateId) -> GlimpserError:
        version = self.get(template_id).version
        return Stale(f"The template has been changed: it is at version {version} now.")

    def _set_groups(self, template_id: TemplateId, names: tuple[str, ...]) -> None:
        self._connection.execute(delete(template_groups).where(template_groups.c.template_id == template_id))
        rows = [{"template_id": template_id, "name": name} for name in sorted(set(names))]
        if rows:
            self._connection.execute(insert(template_groups), rows)


def _columns(settings: TemplateSettings) -> dict[str, object]:
    return {
        "name": settings.name,
        "name_key": settings.name.casefold(),
        "kind": settings.kind,
        "enabled": settings.enabled,
        "live": settings.live,
        "notes": settings.notes,
        "document": _document(settings),
    }


def _is_version(template_id: TemplateId, version: int) -> ColumnElement[bool]:
    return (templates.c.id == template_id) & (templates.c.version == version)


def _conditions(where: TemplateFilter) -> Iterator[ColumnElement[bool]]:
    if where.kind is not None:
        yield templates.c.kind == where.kind
    if where.enabled is not None:
        yield templates.c.enabled == where.enabled
    if where.group is not None:
        yield from in_scope(templates.c.id, Scope((where.group,)))
    if where.text is not None:
        columns = (templates.c.name, templates.c.notes)
        yield or_(*(column.icontains(where.text, autoescape=True) for column in columns))


def _document(settings: TemplateSettings) -> _Document:
    """Write times of the day as people do: "22:00"; seconds only where there are some."""
    document: _Document = msgspec.to_builtins(settings)
    for hours in _hours(document):
        hours |= {name: hours[name].removesuffix(":00") for name in _TIMES}
    return document


def _settings(document: _Document) -> TemplateSettings:
    """A field that an older version did not write has its default; one that is gone is left out."""
    for hours in _hours(document):
        hours |= {name: _with_seconds(hours[name]) for name in _TIMES}
    return msgspec.convert(document, TemplateSettings)


def _hours(document: _Document) -> Iterator[dict[str, str]]:
    yield from document.get("schedule_windows", ())
    for rule in document.get("rules", ()):
        yield from rule.get("quiet_hours", ())


def _with_seconds(time: str) -> str:
    """Give the form of RFC 3339."""
    return f"{time}:00" if len(time) == len("HH:MM") else time


def _template(row: AnyRow) -> Template:
    return Template(
        id=row.id,
        settings=_settings(row.document),
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
