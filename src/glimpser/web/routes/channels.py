"""Channels: the configured ways to tell people."""

from fastapi import Request, Response

from glimpser.core.alerts import Channel
from glimpser.web.alert_forms import ChannelForm
from glimpser.web.conditions import strong_tag, version_match
from glimpser.web.routes.paging import ChannelPage
from glimpser.web.routes.parameters import IfMatch, ThisChannel
from glimpser.web.shapes import KindView, Listing, Reply, channel_test_view, channel_view
from glimpser.web.wiring import By, Services, Wired


async def kinds(services: Wired) -> Response:
    """List the kinds of channels there are, each with the JSON Schema of its config."""
    return Reply(
        [
            KindView(kind=kind.name, title=kind.title, description=kind.description, schema=kind.schema)
            for kind in services.channels.kinds()
        ]
    )


async def listing(services: Wired, page: ChannelPage) -> Response:
    """List channels, oldest first, without their secrets."""
    found = await services.channels.list(page)
    items = [channel_view(services.channels.shown(channel)) for channel in found.items]
    return Reply(Listing(items=items, next_cursor=found.next_cursor))


async def create(form: ChannelForm, services: Wired, by: By, request: Request) -> Response:
    """Add a channel."""
    channel = await services.channels.create(form.draft(), by=by)
    reply = _reply(channel, services, status=201)
    reply.headers["Location"] = f"{request.url.path}/{channel.id}"
    return reply


async def read(channel_id: ThisChannel, services: Wired) -> Response:
    """Read one. The ETag names the version of what people set; `last_result` changes without it."""
    return _reply(await services.channels.get(channel_id), services)


async def replace(
    channel_id: ThisChannel, form: ChannelForm, services: Wired, by: By, if_match: IfMatch = None
) -> Response:
    """Replace all of it; secrets that are absent, and `***` in URLs, stay as they are."""
    expected = version_match(if_match)
    return _reply(
        await services.channels.replace(channel_id, form.draft(), expected=expected, by=by), services
    )


async def remove(channel_id: ThisChannel, services: Wired, by: By, if_match: IfMatch = None) -> Response:
    """Remove a channel. What waits to be sent through it is given up."""
    await services.channels.remove(channel_id, expected=version_match(if_match), by=by)
    return Response(status_code=204)


async def send_test(channel_id: ThisChannel, services: Wired, by: By) -> Response:
    """Send a message through this channel at once, also if it is switched off, and tell what it came to."""
    await services.channels.get(channel_id)
    [result] = await services.channels.test([channel_id], by=by)
    return Reply(channel_test_view(result))


def _reply(channel: Channel, services: Services, *, status: int = 200) -> Response:
    view = channel_view(services.channels.shown(channel))
    return Reply(view, status_code=status, headers={"ETag": strong_tag(channel.version)})
