"""Templates: list, read, create, change, remove. Every change is validated, audited, and announced."""

from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, replace

from glimpser.core.accounts import Scope
from glimpser.core.clock import Clock
from glimpser.core.errors import Stale
from glimpser.core.ids import TemplateId, new_id
from glimpser.core.kinds import Config, Kind, Registry, kind_of
from glimpser.core.orders import TEMPLATE_ORDERS
from glimpser.core.pages import DEFAULT_LIMIT, Page, PageRequest
from glimpser.core.ports import Database
from glimpser.core.repositories import Transaction
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings
from glimpser.services.audit import Actor, entry
from glimpser.services.config_secrets import hide, restore

Match = Callable[[int], bool]
"""Tells whether the caller meant this version."""
Edit = Callable[[TemplateSettings], TemplateSettings]
"""Makes new settings of those that are shown, in which secrets are hidden."""
Keep = Callable[[Template], bool]
Check = Callable[[TemplateSettings], None]
"""Raises InvalidInput for settings that the rest of the program cannot run, such as an unknown detector."""


class Templates:
    """The verbs on templates. `changed` is called on the loop's thread after each commit."""

    def __init__(
        self,
        database: Database,
        registry: Registry,
        *,
        clock: Clock,
        changed: Callable[[TemplateId], None],
        check: Check = lambda _settings: None,
    ) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._changed = changed
        self._check = check

    def kinds(self) -> Sequence[Kind]:
        return sorted(self._registry.values(), key=lambda kind: kind.name)

    async def get(self, template_id: TemplateId, *, within: Scope) -> Template:
        """Read one as it is stored, secrets included: for the program's own use.

        Raises:
            NotFound: there is none in this scope.
        """
        return await self._database.read(lambda tx: tx.within(within).templates.get(template_id))

    async def visible(self, within: Scope) -> AbstractSet[TemplateId] | None:
        """Give the ids of all templates in a scope; None for every one there is or will be."""
        groups = within.groups
        if groups is None:
            return None
        return await self._database.read(lambda tx: tx.templates.in_groups(groups))

    async def list(
        self, where: TemplateFilter, page: PageRequest, *, within: Scope, keep: Keep | None = None
    ) -> Page[Template]:
        """Give a page, oldest first; `keep` narrows it by what the database does not know."""
        if keep is None:
            return await self._database.read(lambda tx: tx.within(within).templates.list(where, page))
        return await self._sift(where, page, within=within, keep=keep)

    def shown(self, settings: TemplateSettings) -> TemplateSettings:
        """Give settings as an admin may see them. A kind that is no longer known shows no config."""
        kind = self._registry.get(settings.kind)
        return replace(settings, config=hide(settings.config, kind.secrets) if kind else {})

    def secrets_of(self, settings: TemplateSettings) -> Sequence[str]:
        """Name the fields of a config that are set and never shown."""
        kind = self._registry.get(settings.kind)
        return sorted(name for name in (kind.secrets if kind else ()) if settings.config.get(name))

    def completed(self, config: Config, kind: str | None, stored: TemplateSettings) -> Config:
        """Give a config with the secrets that are stored and that it leaves out.

        Raises:
            InvalidInput: there is no such kind, or a `***` stands for nothing that is stored.
        """
        known = kind_of(self._registry, kind or stored.kind)
        kept = stored.config if known.name == stored.kind else {}
        return restore(config, kept, known.secrets)

    def checked(self, settings: TemplateSettings, *, instead_of: Template | None) -> TemplateSettings:
        """Say what settings would become if they were saved, in the place of a template or as a new one.

        Raises:
            InvalidInput: a field cannot be used.
        """
        same_kind = instead_of is not None and instead_of.settings.kind == settings.kind
        return self._checked(settings, stored=instead_of.settings.config if instead_of and same_kind else {})

    async def create(self, settings: TemplateSettings, *, by: Actor) -> Template:
        """Make a template from settings whose config is as the client sent it.

        Raises:
            InvalidInput: a field cannot be used.
        """
        now = self._clock.now()
        template = Template(
            id=TemplateId(new_id()),
            settings=self._checked(settings, stored={}),
            version=1,
            created_at=now,
            updated_at=now,
        )
        made = entry(by, "template.created", template.id, clock=self._clock, detail=settings.name)

        def add(tx: Transaction) -> None:
            tx.templates.add(template)
            tx.audit.add(made)

        await self._database.write(add)
        self._changed(template.id)
        return template

    async def replace(
        self, template_id: TemplateId, settings: TemplateSettings, *, expected: Match, by: Actor
    ) -> Template:
        """Put other settings in place; secrets they do not name are kept.

        Raises:
            NotFound: there is none.
            Stale: it is not in the expected version.
            InvalidInput: a field cannot be used.
        """
        return await self.edit(template_id, lambda _shown: settings, expected=expected, by=by)

    async def edit(self, template_id: TemplateId, edit: Edit, *, expected: Match, by: Actor) -> Template:
        """Change what is shown of the settings. Raises as `replace` does."""
        stored = await self._expected(template_id, expected, by)
        asked = edit(self.shown(stored.settings))
        same_kind = asked.kind == stored.settings.kind
        settings = self._checked(asked, stored=stored.settings.config if same_kind else {})
        now = self._clock.now()
        detail = ", ".join(_changes(stored.settings, settings))
        made = entry(by, "template.changed", template_id, clock=self._clock, detail=detail)

        def put(tx: Transaction) -> Template:
            changed = tx.templates.replace(template_id, settings, expected=stored.version, now=now)
            tx.audit.add(made)
            return changed

        template = await self._database.write(put)
        self._changed(template_id)
        return template

    async def remove(self, template_id: TemplateId, *, expected: Match, by: Actor) -> None:
        """Remove a template; what it captured stays.

        Raises:
            NotFound: there is none.
            Stale: it is not in the expected version.
        """
        stored = await self._expected(template_id, expected, by)
        made = entry(by, "template.removed", template_id, clock=self._clock, detail=stored.settings.name)

        def remove(tx: Transaction) -> None:
            tx.templates.remove(template_id, expected=stored.version)
            tx.audit.add(made)

        await self._database.write(remove)
        self._changed(template_id)

    async def _expected(self, template_id: TemplateId, expected: Match, by: Actor) -> Template:
        stored = await self.get(template_id, within=by.scope)
        if not expected(stored.version):
            raise Stale(f"The template is in version {stored.version} now: read it again, then write.")
        return stored

    def _checked(self, settings: TemplateSettings, *, stored: Config) -> TemplateSettings:
        kind = kind_of(self._registry, settings.kind)
        self._check(settings)
        return replace(settings, config=kind.parse(restore(settings.config, stored, kind.secrets)))

    async def _sift(
        self, where: TemplateFilter, page: PageRequest, *, within: Scope, keep: Keep
    ) -> Page[Template]:
        found: list[Template] = []
        request = replace(page, limit=DEFAULT_LIMIT)
        while len(found) <= page.limit:
            rows = await self.list(where, request, within=within)
            found.extend(row for row in rows.items if keep(row))
            if rows.next_cursor is None:
                break
            request = TEMPLATE_ORDERS.following(request, rows.next_cursor)
        return TEMPLATE_ORDERS.cut(found, page)


def _changes(old: TemplateSettings, new: TemplateSettings) -> list[str]:
    """Name the fields that differ: never what they hold."""
    names = (field.name for field in fields(TemplateSettings))
    return [name for name in names if getattr(old, name) != getattr(new, name)]
