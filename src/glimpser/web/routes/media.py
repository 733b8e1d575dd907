"""Pictures: the newest of a view, its stream, and what is stored."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Annotated, Literal

from fastapi import Header, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from glimpser.core.accounts import Principal
from glimpser.core.clock import Clock
from glimpser.core.errors import InvalidInput
from glimpser.core.events import Artifact
from glimpser.core.frames import Frame, shared_width
from glimpser.core.ids import TemplateId
from glimpser.streaming.mjpeg import MjpegResponse
from glimpser.web.conditions import ByteRange, Unsatisfiable, none_match, requested_range, strong_tag
from glimpser.web.problems import problem
from glimpser.web.routes.paging import TicketPage
from glimpser.web.routes.parameters import (
    IfNoneMatch,
    Rate,
    ThisArtifact,
    ThisStreamTicket,
    ThisTemplate,
    Width,
)
from glimpser.web.session_forms import StreamTicketForm
from glimpser.web.shapes import Listing, Reply, StreamTicketView, made_ticket_view
from glimpser.web.sight import still_visible
from glimpser.web.wiring import By, Caller, Seen, Services, Settings, Wired, viewer_of

INLINE_TYPES: Mapping[str, str] = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "video/mp4": "mp4",
    "video/webm": "webm",
}
"""What a browser may show, with the ending of its file name. Not SVG: it can hold scripts."""
MEDIA_TYPES = (*INLINE_TYPES, "application/octet-stream")
"""What stored objects are given as."""
PUSHED_TYPES = ("image/jpeg", "image/png", "image/webp")
"""What pictures are sent as. What they are is told by their bytes."""
MAX_PUSHED_BYTES = 32 * 1024 * 1024
INERT: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, max-age=3600, immutable",
    "Accept-Ranges": "bytes",
}


async def snapshot(
    template_id: ThisTemplate,
    services: Wired,
    seen: Seen,
    *,
    w: Width | None = None,
    stale: Annotated[Literal["ok"] | None, Query(description="An old picture is better than none.")] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Give the newest picture. While the view is down: 503, or its last picture with `stale=ok`."""
    template = await services.templates.get(template_id, within=seen)
    frame = await services.live.snapshot(template, width=_width(w), allow_stale=stale is not None)
    headers = _frame_headers(frame, services.clock)
    if none_match(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(frame.jpeg, headers=headers, media_type="image/jpeg")


async def mjpeg(
    template_id: ThisTemplate,
    services: Wired,
    caller: Caller,
    request: Request,
    *,
    w: Width | None = None,
    fps: Rate | None = None,
) -> Response:
    """Stream pictures as `multipart/x-mixed-replace`, each the newest there is, until the viewer leaves."""
    template = await services.templates.get(template_id, within=caller.scope)
    return MjpegResponse(
        services.live.watch(
            template, width=_width(w), fps=fps, client=viewer_of(caller, request.state.client_ip)
        ),
        still_allowed=_still_allowed(request, services, caller, template_id),
        ending=services.ending,
        fast=services.fast_streams,
    )


async def push(template_id: ThisTemplate, services: Wired, caller: Caller, request: Request) -> Response:
    """Show a picture of a thing that can only send. The body is the picture itself: JPEG, PNG or WebP."""
    sent = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if sent not in PUSHED_TYPES:
        raise HTTPException(415, f"Send a picture, as {', '.join(PUSHED_TYPES)}.")
    template = await services.templates.get(template_id, within=caller.scope)
    await services.pushes.push(template, await request.body())
    return Response(status_code=202)


def _still_allowed(
    request: Request, services: Services, caller: Principal, template_id: TemplateId
) -> Callable[[], Awaitable[bool]]:
    ticket = getattr(request.state, "stream_ticket", None)
    if ticket is not None:
        return partial(services.stream_tickets.still_open, ticket)
    return partial(still_visible, services, caller, template_id)


async def create_ticket(
    template_id: ThisTemplate,
    form: StreamTicketForm,
    services: Wired,
    caller: Caller,
    by: By,
    *,
    settings: Settings,
    request: Request,
) -> Response:
    """Make a link for a player that can send neither headers nor cookies. It opens this one stream.

    It works until it ends or is revoked, as long as whoever made it may see the view.
    """
    ticket = await services.stream_tickets.create(template_id, form.kind, form.ttl_s, maker=caller, by=by)
    origin = settings.public_url or str(request.base_url).rstrip("/")
    url = f"{origin}{ticket.path}?ticket={services.stream_tickets.text(ticket)}"
    return Reply(StreamTicketView(id=ticket.id, url=url, expires_at=ticket.expires_at), status_code=201)


async def tickets(template_id: ThisTemplate, services: Wired, caller: Caller, page: TicketPage) -> Response:
    """List the links to a view that are not over, oldest first: one's own, for an admin everybody's."""
    found = await services.stream_tickets.list(template_id, page, caller=caller)
    items = [made_ticket_view(listed) for listed in found.items]
    return Reply(Listing(items=items, next_cursor=found.next_cursor))


async def revoke_ticket(
    template_id: ThisTemplate, ticket_id: ThisStreamTicket, services: Wired, caller: Caller, by: By
) -> Response:
    """End a ticket before its time: one's own, or as an admin anybody's. Open streams end in seconds."""
    await services.stream_tickets.revoke(template_id, ticket_id, caller=caller, by=by)
    return Response(status_code=204)


async def artifact(
    artifact_id: ThisArtifact,
    services: Wired,
    seen: Seen,
    request: Request,
    *,
    if_none_match: IfNoneMatch = None,
    wanted: Annotated[str | None, Header(alias="range", description="One range of bytes.")] = None,
    if_range: Annotated[str | None, Header(description="The ETag of what there is a part of.")] = None,
    w: Width | None = None,
) -> Response:
    """Give the bytes of a stored object. Takes one `Range`; the ETag is the content's SHA-256.

    With `w` a picture comes as JPEG and no wider, whole, without regard to ranges.
    """
    found = await services.history.artifact(artifact_id, within=seen)
    if width := _width(w):
        return await _narrowed(services, found, width, if_none_match)
    return await send_object(
        request,
        services,
        found,
        headers=_artifact_headers(found),
        if_none_match=if_none_match,
        wanted=wanted,
        if_range=if_range,
    )


async def send_object(
    request: Request,
    services: Services,
    found: Artifact,
    *,
    headers: Mapping[str, str],
    if_none_match: str | None,
    wanted: str | None,
    if_range: str | None,
) -> Response:
    """Answer with a stored object, or the part of it that is `wanted` by a `Range`; adds its ETag."""
    headers = {**headers, "ETag": strong_tag(found.sha256)}
    if none_match(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers={**INERT, "ETag": headers["ETag"]})
    # A range of another content than this is left out of account (RFC 9110, section 13.1.5).
    of_this = if_range in (None, headers["ETag"])
    try:
        part = requested_range(wanted if of_this else None, found.size_bytes)
    except Unsatisfiable:
        beyond = {"Content-Range": f"bytes */{found.size_bytes}"}
        return problem(request.scope, 416, detail="The range lies behind the end.", headers=beyond)
    sent = part or ByteRange(0, found.size_bytes)
    headers["Content-Length"] = str(sent.end - sent.start)
    if part:
        headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{found.size_bytes}"
    status = 206 if part else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return await _content(services, found, sent, status=status, headers=headers)


async def _narrowed(services: Services, found: Artifact, width: int, known: str | None) -> Response:
    """Give a picture as JPEG, at most so many pixels wide."""
    etag = strong_tag(f"{found.sha256}-{width}")
    headers = {**INERT, "Accept-Ranges": "none", "ETag": etag}
    if none_match(known, etag):
        return Response(status_code=304, headers=headers)
    try:
        jpeg = await services.thumbnails.get(found, width)
    except InvalidInput as error:
        raise InvalidInput.field("/w", error.detail) from error
    named = f'inline; filename="{found.id}-{width}.jpg"'
    return Response(jpeg, headers={**headers, "Content-Disposition": named}, media_type="image/jpeg")


async def _content(
    services: Services, found: Artifact, sent: ByteRange, *, status: int, headers: Mapping[str, str]
) -> Response:
    pieces = services.history.content(found, start=sent.start, end=sent.end)
    # The first piece is read before the headers leave: a lost object is then an honest 404.
    first = await anext(pieces, b"")
    return StreamingResponse(_rest(first, pieces), status, headers=headers)


async def _rest(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


def _frame_headers(frame: Frame, clock: Clock) -> dict[str, str]:
    age_s = max(0.0, (clock.now() - frame.captured_at).total_seconds())
    captured_us = int(frame.captured_at.timestamp() * 1_000_000)
    return {
        "ETag": strong_tag(f"{captured_us:x}-{frame.width}x{frame.height}"),
        "X-Captured-At": frame.captured_at.isoformat().replace("+00:00", "Z"),
        "X-Frame-Age": f"{age_s:.3f}",
        "Cache-Control": "no-store, private",
    }


def _artifact_headers(found: Artifact) -> dict[str, str]:
    ending = INLINE_TYPES.get(found.media_type)
    shown = ending is not None
    disposition = "inline" if shown else "attachment"
    return {
        **INERT,
        "Content-Type": found.media_type if shown else "application/octet-stream",
        "Content-Disposition": f'{disposition}; filename="{found.id}.{ending or "bin"}"',
    }


def _width(wanted_px: int | None) -> int | None:
    return shared_width(wanted_px) or None
