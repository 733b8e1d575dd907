"""Small parts that the program is wired with."""

import asyncio
from collections.abc import Callable

from glimpser.core.clock import Clock
from glimpser.core.ids import TemplateId
from glimpser.core.ports import Database
from glimpser.core.templates import TemplateSettings
from glimpser.db.foreign import read_original_bytes
from glimpser.observability.health import CheckResult, Health
from glimpser.services.disk import DiskGuard
from glimpser.services.moving import Moving
from glimpser.services.templates import Templates
from glimpser.streaming import banner
from glimpser.vision.motion.registry import build_detector
from glimpser.web.shapes.templates import settings_json
from glimpser.web.template_forms import parse_template


def each(*listeners: Callable[[TemplateId], None]) -> Callable[[TemplateId], None]:
    """Make one of several who are to be told that a template changed."""

    def tell(template_id: TemplateId) -> None:
        for listener in listeners:
            listener(template_id)

    return tell


def check_settings(settings: TemplateSettings) -> None:
    """Refuse settings an ingest worker could not run.

    Raises:
        InvalidInput: as `build_detector`.
    """
    zones = [zone.points for zone in settings.zones]
    build_detector(settings.motion, zones=zones, masks=settings.motion_masks)


def health_of(clock: Clock, database: Database, disk: DiskGuard) -> Health:
    health = Health(clock)

    async def database_answers() -> CheckResult:
        await database.read(lambda tx: tx.settings.get("first_start_at"))
        return CheckResult(ok=True, detail="answers")

    async def disk_has_room() -> CheckResult:
        return CheckResult(ok=disk.has_room, detail=disk.detail())

    health.add("database", database_answers)
    health.add("disk", disk_has_room)
    return health


async def paint(jpeg: bytes | None, text: str, width: int) -> bytes:
    return await asyncio.to_thread(banner.burn, jpeg, text, width)


def moving_of(templates: Templates) -> Moving:
    """Read and write files of views as the API takes and shows them."""
    return Moving(templates, parse=parse_template, show=settings_json, read=read_original_bytes)
