"""One picture from anything, without a running program: what `glimpser snapshot` does."""

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from glimpser.app.capture_settings import camera_policy
from glimpser.app.means import open_means_alone
from glimpser.app.registry import registry_of
from glimpser.app.settings import database_settings
from glimpser.capture.ffmpeg import through_proxy
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.still import take_picture
from glimpser.config import Config
from glimpser.core.clock import SystemClock
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Registry, kind_of
from glimpser.core.live import Located, MediaInput, Polled, Pushed
from glimpser.core.pages import MAX_LIMIT, PageRequest
from glimpser.core.sources import Shot
from glimpser.core.templates import TemplateFilter, TemplateSettings
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.egress.gate import Gate
from glimpser.egress.proxy import open_proxy
from glimpser.services.feeds import Feeds
from glimpser.services.guessing import Guesser
from glimpser.streaming.retouch import Retouch

Tell = Callable[[str], None]
"""Is told what is done now, in a few words."""
_EVERYWHERE = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))


@dataclass(frozen=True, slots=True)
class _View:
    """What a picture is taken of, and the configuration that holds for it."""

    settings: TemplateSettings
    config: Config


async def take_snapshot(config: Config, what: str, *, tell: Tell = lambda _step: None) -> Shot:
    """Take one picture of a URL, a file, or a template by id or name; `tell` is told of each step.

    Who names a URL or file on the command line may reach it anyway, so only what nobody may reach is
    refused; a template stays within the configured networks and folders.

    Raises:
        InvalidInput: `what` is nothing of this, or can never give a picture.
        Unavailable: there is no picture now.
    """
    if "://" in what:
        opened = _with_capture(config, {"egress_allow": _EVERYWHERE, "camera_cidrs": _EVERYWHERE})
        return await _of_address(opened, what, tell)
    path = await asyncio.to_thread(Path(what).resolve)
    if await asyncio.to_thread(path.exists):
        beside = _with_capture(config, {"file_roots": (path.parent,)})
        return await _of_address(beside, str(path), tell)
    tell("Looking for the template")
    view = _View(await _template(config, what), config)
    async with open_means_alone(config) as means:
        return await _taken(view, registry_of(config, means), tell)


async def _of_address(config: Config, what: str, tell: Tell) -> Shot:
    """Find out what it is, then take a picture of it."""
    async with open_means_alone(config) as means:
        registry = registry_of(config, means)
        tell("Looking what is there")
        guess = await Guesser(registry, means.sniffer).guess(what)
        settings = TemplateSettings(name="", kind=guess.kind.name, config=guess.kind.parse(guess.config))
        return await _taken(_View(settings, config), registry, tell)


async def _taken(view: _View, registry: Registry, tell: Tell) -> Shot:
    tell(f"Opening it: {kind_of(registry, view.settings.kind).title}")
    feeds = Feeds(registry, clock=SystemClock(), timezone=view.config.capture.timezone)
    return await _picture_of(view, feeds)


async def _picture_of(view: _View, feeds: Feeds) -> Shot:
    retouch = feeds.retouch_of(view.settings)
    match feed := feeds.of(view.settings):
        case Polled():
            return await feed.source.snapshot()
        case Pushed():
            raise InvalidInput("Pictures are sent to this view: it has none without the running program.")
        case Located():
            return await _decoded(view.config, (await feed.locate()).media, retouch)
        case MediaInput():
            return await _decoded(view.config, feed, retouch)


async def _decoded(config: Config, media: MediaInput, retouch: Retouch) -> Shot:
    gate = Gate(camera_policy(config, ()))
    section = config.capture
    opener = Opener(gate, file_roots=section.file_roots, stall_timeout_s=section.stall_timeout_s)
    async with open_proxy(gate, name="snapshot") as proxy:
        reached = media if media.proxy is not None else through_proxy(media, proxy.url)
        jpeg = await asyncio.to_thread(take_picture, opener, reached, retouch=retouch)
    return Shot(jpeg=jpeg.data, width=jpeg.width, height=jpeg.height)


def _with_capture(config: Config, changed: Mapping[str, object]) -> Config:
    return config.model_copy(update={"capture": config.capture.model_copy(update=changed)})


async def _template(config: Config, what: str) -> TemplateSettings:
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    async with open_database(settings) as database:
        page = await database.read(
            lambda tx: tx.templates.list(TemplateFilter(), PageRequest(limit=MAX_LIMIT))
        )
    for template in page.items:
        if what in (template.id, template.settings.name):
            return template.settings
    raise InvalidInput(f"{what!r} is no URL, no file, and no template of {config.data_dir}.")
