"""What somebody who watches for long may still see: asked again and again while they watch."""

from collections.abc import Set as AbstractSet

import structlog

from glimpser.core.accounts import Principal, Role
from glimpser.core.errors import Unavailable
from glimpser.core.ids import TemplateId
from glimpser.core.templates import Template
from glimpser.services.notices import (
    AlertNotice,
    EventNotice,
    HealthNotice,
    JobNotice,
    Notice,
    StreamNotice,
    SystemNotice,
)
from glimpser.web.wiring import Services

log = structlog.get_logger(__name__)


async def still_visible(services: Services, viewer: Principal, template_id: TemplateId) -> bool:
    """Tell whether an open stream of a template may go on. A database that cannot answer ends none."""
    principal = await services.accounts.renewed(viewer)
    if principal is None:
        return False
    try:
        visible = await services.templates.visible(principal.scope)
    except Unavailable:
        return True
    return visible is None or template_id in visible


class Sight:
    """What the viewer behind one socket may see, as of the last look. Sees nothing before the first."""

    def __init__(self, services: Services, principal: Principal) -> None:
        self._services = services
        self.viewer = principal
        self._visible: AbstractSet[TemplateId] | None = frozenset()

    async def look(self) -> bool:
        """Ask anew; False when the viewer may see nothing any more, by whatever right.

        A database that cannot answer changes nothing.
        """
        principal = await self._services.accounts.renewed(self.viewer)
        if principal is None:
            return False
        self.viewer = principal
        try:
            self._visible = await self._services.templates.visible(principal.scope)
        except Unavailable as error:
            log.warning("sight.unknown", reason=error.detail)
        return True

    async def find(self, template_id: TemplateId) -> Template:
        """Read a template in sight; one that has come into it since the last look is from now on.

        Raises:
            NotFound: there is none in sight.
        """
        template = await self._services.templates.get(template_id, within=self.viewer.scope)
        if self._visible is not None:
            self._visible = self._visible | {template_id}
        return template

    def includes(self, template_id: TemplateId | None) -> bool:
        return self._visible is None or template_id in self._visible

    def includes_notice(self, notice: Notice) -> bool:
        """Tell whether a notice is of a template in sight; one of none at all is for those who see all.

        Jobs are for operators.
        """
        match notice:
            case StreamNotice(template_id) | HealthNotice(template_id):
                return self.includes(template_id)
            case EventNotice(event):
                return self.includes(event.template_id)
            case AlertNotice(alert):
                return self.includes(alert.template_id)
            case SystemNotice():
                return True
            case JobNotice(job):
                return self.viewer.role >= Role.OPERATOR and self.includes(job.template_id)
