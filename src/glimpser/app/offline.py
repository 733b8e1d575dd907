"""The commands that need no running program."""

import asyncio
import ipaddress
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path

from glimpser.app.means import Means, open_means_alone
from glimpser.app.registry import registry_of
from glimpser.app.settings import camera_policy, database_settings, store_settings
from glimpser.capture.ffmpeg import camera_kind, through_proxy
from glimpser.capture.ingest.opening import Opener
from glimpser.capture.ingest.picture import Jpeg
from glimpser.capture.still import take_picture
from glimpser.config import Config
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind, kind_of
from glimpser.core.live import Located, MediaInput
from glimpser.core.pages import MAX_LIMIT, PageRequest
from glimpser.core.templates import TemplateFilter
from glimpser.db.engine import open_database
from glimpser.db.migrate import migrate
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.egress.proxy import open_proxy
from glimpser.process.instance import sole_instance
from glimpser.services.feeds import caption_of
from glimpser.services.integrity import CheckLevel, Report, check
from glimpser.storage.objects import open_store
from glimpser.streaming.retouch import AS_IT_IS, Retouch, retouch_of

_SETTLE_S = 3.0


def migrate_database(config: Config) -> str:
    """Bring the database to this version; gives its revision."""
    with sole_instance(config.data_dir):
        return migrate(database_settings(config))


async def check_integrity(config: Config, *, level: CheckLevel, repair: bool) -> Report:
    """Compare rows and objects; to repair, no program may run on this data directory.

    Raises:
        Misconfigured: one does.
    """
    with sole_instance(config.data_dir) if repair else nullcontext():
        async with (
            open_database(database_settings(config)) as database,
            open_store(store_settings(config), is_sending=False) as opened,
        ):
            return await check(database, opened.store, level, repair=repair, settle=_settle)


async def _settle() -> None:
    """Wait as long as a program that runs may need from storing a picture to committing its row."""
    await asyncio.sleep(_SETTLE_S)


async def take_snapshot(config: Config, what: str) -> Jpeg:
    """Take one picture of a URL, a file, or a template by id or name.

    Who names a URL or file on the command line may reach it anyway, so only what nobody may reach is
    refused; a template stays within the configured networks and folders.

    Raises:
        InvalidInput: `what` is nothing of this, or can never give a picture.
        Unavailable: there is no picture now.
    """
    named = await asyncio.to_thread(_outside, what)
    if named is not None:
        opener = _opener(config, named.policy, named.roots)
        return await _picture(opener, named.policy, named.media)
    policy = camera_policy(config, ())
    opener = _opener(config, policy, config.capture.file_roots)
    async with open_means_alone(config) as means:
        media, retouch = await _template_media(config, means, what)
        return await _picture(opener, policy, media, retouch=retouch)


def _opener(config: Config, policy: GatePolicy, roots: Sequence[Path]) -> Opener:
    return Opener(Gate(policy), file_roots=roots, stall_timeout_s=config.capture.stall_timeout_s)


async def _picture(
    opener: Opener, policy: GatePolicy, media: MediaInput, *, retouch: Retouch = AS_IT_IS
) -> Jpeg:
    if media.proxy is not None:
        return await asyncio.to_thread(take_picture, opener, media, retouch=retouch)
    async with open_proxy(Gate(policy), name="snapshot") as proxy:
        reached = through_proxy(media, proxy.url)
        return await asyncio.to_thread(take_picture, opener, reached, retouch=retouch)


@dataclass(frozen=True, slots=True)
class _Outside:
    """Something named on the command line that is no template, and what its opening may touch."""

    media: MediaInput
    policy: GatePolicy
    roots: tuple[Path, ...] = ()


def _outside(what: str) -> _Outside | None:
    if "://" in what:
        everywhere = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
        return _Outside(_stream(camera_kind(None), {"url": what}), GatePolicy(everywhere))
    path = Path(what).resolve()
    if path.exists():
        return _Outside(MediaInput(address=str(path), is_file=True), GatePolicy(), (path.parent,))
    return None


async def _template_media(config: Config, means: Means, what: str) -> tuple[MediaInput, Retouch]:
    settings = database_settings(config)
    await asyncio.to_thread(migrate, settings)
    async with open_database(settings) as database:
        page = await database.read(
            lambda tx: tx.templates.list(TemplateFilter(), PageRequest(limit=MAX_LIMIT))
        )
    for template in page.items:
        if what in (template.id, template.settings.name):
            kind = kind_of(registry_of(config, means), template.settings.kind)
            retouch = retouch_of(template.settings.privacy_masks, caption_of(template.settings))
            return await _located(kind, template.settings.config), retouch
    raise InvalidInput(f"{what!r} is no URL, no file, and no template of {config.data_dir}.")


async def _located(kind: Kind, config: Mapping[str, object]) -> MediaInput:
    """Give what there is to open, looked up where that must be."""
    feed = kind.feed(config)
    if isinstance(feed, Located):
        return (await feed.locate()).media
    return _stream(kind, config)


def _stream(kind: Kind, config: Mapping[str, object]) -> MediaInput:
    feed = kind.feed(config)
    if not isinstance(feed, MediaInput):
        raise InvalidInput(f"A view of kind {kind.name} gives no single pictures yet.")
    return feed
