"""Views for somebody who has no camera at hand yet."""

from collections.abc import Mapping
from pathlib import Path

from glimpser.core.accounts import EVERYTHING
from glimpser.core.pages import MAX_LIMIT, PageRequest
from glimpser.core.templates import TemplateFilter, TemplateSettings
from glimpser.services.audit import Actor
from glimpser.services.templates import Templates

GROUP = "samples"


async def add_samples(templates: Templates, files: Mapping[str, Path], *, kind: str) -> int:
    """Add a view of each file (name → path) that has none under this name; gives how many it added."""
    page = await templates.list(TemplateFilter(group=GROUP), PageRequest(limit=MAX_LIMIT), within=EVERYTHING)
    known = {template.settings.name for template in page.items}
    missing = [name for name in files if name not in known]
    for name in missing:
        config = {"path": str(files[name]), "loop": True}
        settings = TemplateSettings(name=name, kind=kind, config=config, groups=(GROUP,))
        await templates.create(settings, by=Actor("system"))
    return len(missing)
