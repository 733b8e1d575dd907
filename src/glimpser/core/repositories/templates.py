"""Templates, and what is known of the health of each."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Protocol

from glimpser.core.health import HealthRecord
from glimpser.core.ids import TemplateId
from glimpser.core.pages import Page, PageRequest
from glimpser.core.templates import Template, TemplateFilter, TemplateSettings


class Templates(Protocol):
    def add(self, template: Template) -> None: ...
    def get(self, template_id: TemplateId) -> Template:
        """Raises: NotFound."""
        ...

    def list(self, where: TemplateFilter, page: PageRequest) -> Page[Template]:
        """Oldest first."""
        ...

    def replace(
        self, template_id: TemplateId, settings: TemplateSettings, *, expected: int, now: datetime
    ) -> Template:
        """Raises: NotFound; Stale when the version is not `expected`."""
        ...

    def set_config(self, template_id: TemplateId, config: Mapping[str, object]) -> None:
        """Write a config as it is, where none edits it: the version stays. Raises: NotFound."""
        ...

    def remove(self, template_id: TemplateId, *, expected: int) -> None:
        """Raises: NotFound; Stale. What was captured stays until retention removes it."""
        ...

    def in_groups(self, groups: Sequence[str]) -> AbstractSet[TemplateId]:
        """Give the ids of all templates in any of these groups."""
        ...


class Healths(Protocol):
    """What is known of the health of views, one record each."""

    def put(self, record: HealthRecord) -> None:
        """Write a record in place of the one there was."""
        ...

    def remove(self, template_id: TemplateId) -> None:
        """Forget a view; one that is not known is ignored."""
        ...

    def after(self, template_id: TemplateId | None, limit: int) -> Sequence[HealthRecord]:
        """Give records in the order of their templates' ids, for walking all of them."""
        ...
