"""Views as a file: written, and read again here or elsewhere, after a look at what would change."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Literal

from glimpser.core.accounts import Scope
from glimpser.core.errors import FieldError, GlimpserError, InvalidInput
from glimpser.core.ids import TemplateId
from glimpser.core.pages import MAX_LIMIT, PageRequest, decode_cursor
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.services.audit import Actor
from glimpser.services.former_programs import Carried, from_original, from_rust
from glimpser.services.templates import Templates
from glimpser.services.yaml_text import parse_yaml, write_yaml

FORMAT = 1
MAX_TEMPLATES = 10_000
_HEADING = """\
Views of Glimpser. Read them again with: glimpser template import FILE
Secrets are left out, and named under `secrets`: an import keeps those that are stored already."""
_READ_ONLY = ("health", "stream", "paused", "version", "created_at", "updated_at")
_SQLITE = b"SQLite format 3\0"
"""How a database begins (https://sqlite.org/fileformat.html, section 1.3)."""

ParseDocument = Callable[[Mapping[str, object]], TemplateSettings]
"""Makes settings of a document as the API takes it. Raises: InvalidInput."""
ReadDatabase = Callable[[bytes], Sequence[Mapping[str, object]]]
"""Gives the rows of an original `glimpser.db`. Blocks. Raises: InvalidInput."""
ShowSettings = Callable[[TemplateSettings], Mapping[str, object]]
Action = Literal["add", "change", "same", "refused"]


@dataclass(slots=True, kw_only=True)
class Change:
    """What becomes of one view of a file. `fields` are those that change; never what they hold."""

    name: str
    action: Action
    id: str | None = None
    fields: Sequence[str] = ()
    errors: Sequence[FieldError] = ()
    missing_secrets: Sequence[str] = ()
    left: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    carried: Carried
    document: Mapping[str, object] = field(repr=False)
    secrets: Sequence[str] = ()


class Moving:
    """Event loop's thread."""

    def __init__(
        self, templates: Templates, *, parse: ParseDocument, show: ShowSettings, read: ReadDatabase
    ) -> None:
        self._templates = templates
        self._read = read
        self._parse = parse
        self._show = show

    async def export(self, *, within: Scope) -> str:
        """Write all views as YAML, without their secrets."""
        found = await self.all(within=within)
        return await asyncio.to_thread(self._written, found)

    def _written(self, templates: Sequence[Template]) -> str:
        documents = [self._document(template) for template in templates]
        return write_yaml({"format": FORMAT, "templates": documents}, heading=_HEADING)

    def _document(self, template: Template) -> Mapping[str, object]:
        document: dict[str, object] = {"id": str(template.id)}
        document |= self._show(self._templates.shown(template.settings))
        secrets = self._templates.secrets_of(template.settings)
        return document | ({"secrets": secrets} if secrets else {})

    async def bring_in(self, data: bytes, *, by: Actor, apply: bool) -> Sequence[Change]:
        """Read views from YAML or JSON, of this program or of glimpser-rs, or from an original `glimpser.db`.

        Nothing is changed unless `apply`.

        A view is known again by its id, else by its name: reading a file twice adds nothing. What cannot be
        used is refused by itself; the others go on.

        Raises:
            InvalidInput: it is no such file.
        """
        if data.startswith(_SQLITE):
            rows = await asyncio.to_thread(self._read, data)
            return await self.bring_in_rows(rows, by=by, apply=apply)
        drafts = await asyncio.to_thread(_drafts_of, data)
        return await self._bring_in(drafts, by=by, apply=apply)

    async def bring_in_rows(
        self, rows: Sequence[Mapping[str, object]], *, by: Actor, apply: bool
    ) -> Sequence[Change]:
        """Take views from the rows of an original `glimpser.db`, as `bring_in`."""
        return await self._bring_in([_carried(from_original(row)) for row in rows], by=by, apply=apply)

    async def _bring_in(self, drafts: Sequence[_Draft], *, by: Actor, apply: bool) -> Sequence[Change]:
        known = await self.all(within=by.scope)
        by_id = {str(template.id): template for template in known}
        by_name: dict[str, Template] = {}
        for template in known:
            by_name.setdefault(template.settings.name, template)
        taken: set[str] = set()
        changes: list[Change] = []
        for draft in drafts:
            name = str(draft.document.get("name", ""))
            stored = by_id.get(str(draft.document.get("id"))) or by_name.get(name)
            change = Change(name=name, action="refused", left=draft.carried.left, notes=draft.carried.notes)
            changes.append(change)
            key = str(stored.id) if stored else name
            try:
                if key in taken:
                    raise InvalidInput.field(
                        "/name", "This view is in the file twice: give each its own name."
                    )
                taken.add(key)
                await self._one(draft, stored, change, by=by, apply=apply)
            except InvalidInput as error:
                change.action = "refused"
                change.errors = error.errors or (FieldError("", error.detail),)
            except GlimpserError as error:
                change.action, change.errors = "refused", (FieldError("", error.detail),)
        return changes

    async def _one(
        self, draft: _Draft, stored: Template | None, change: Change, *, by: Actor, apply: bool
    ) -> None:
        settings = self._parse(draft.document)
        checked = self._templates.checked(settings, instead_of=stored)
        change.missing_secrets = [name for name in draft.secrets if name not in checked.config]
        if stored is None:
            change.action = "add"
            if apply:
                change.id = str((await self._templates.create(settings, by=by)).id)
            return
        change.id = str(stored.id)
        change.fields = _different(stored.settings, checked)
        change.action = "change" if change.fields else "same"
        if apply and change.fields:
            version = stored.version
            await self._templates.replace(
                TemplateId(stored.id), settings, expected=lambda now: now == version, by=by
            )

    async def all(self, *, within: Scope) -> Sequence[Template]:
        """Give all views, secrets included: for the program's own use."""
        found: list[Template] = []
        after: str | None = None
        while True:
            request = PageRequest(MAX_LIMIT, after)
            page = await self._templates.list(TemplateFilter(), request, within=within)
            found.extend(page.items)
            if page.next_cursor is None:
                return found
            after = decode_cursor(page.next_cursor)


def _different(old: TemplateSettings, new: TemplateSettings) -> list[str]:
    names = (one.name for one in fields(TemplateSettings))
    return [name for name in names if getattr(old, name) != getattr(new, name)]


def _drafts_of(data: bytes) -> Sequence[_Draft]:
    value = parse_yaml(data)
    if isinstance(value, Mapping) and "streams" not in value and isinstance(value.get("data"), Mapping):
        value = value["data"]  # as the API of glimpser-rs wraps its answers
    if not isinstance(value, Mapping) or not {"templates", "streams"} & value.keys():
        raise InvalidInput("The file holds no views: a list `templates` or `streams` is looked for.")
    is_ours = "templates" in value
    if is_ours and value.get("format", FORMAT) != FORMAT:
        raise InvalidInput(
            "The file was written by a later version of the program: its format is not known here."
        )
    found = value["templates" if is_ours else "streams"]
    if not isinstance(found, list) or not all(isinstance(one, Mapping) for one in found):
        raise InvalidInput("Each view in the file is a mapping of names to values.")
    if len(found) > MAX_TEMPLATES:
        raise InvalidInput(f"The file holds more than {MAX_TEMPLATES} views.")
    return [_ours(one) if is_ours else _carried(from_rust(one)) for one in found]


def _ours(document: Mapping[str, object]) -> _Draft:
    rest = {str(name): value for name, value in document.items() if name not in (*_READ_ONLY, "secrets")}
    secrets = document.get("secrets")
    named = [str(name) for name in secrets] if isinstance(secrets, list) else []
    return _Draft(Carried({}), rest, named)


def _carried(carried: Carried) -> _Draft:
    return _Draft(carried, carried.document)
