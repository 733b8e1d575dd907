"""Exports: films and archives of stored pictures, made as jobs, kept for a while."""

from typing import Annotated

from fastapi import Header, Request, Response

from glimpser.services.exports import file_name
from glimpser.web.export_forms import ExportForm
from glimpser.web.routes.media import INERT, send_object
from glimpser.web.routes.paging import ExportPage
from glimpser.web.routes.parameters import IfNoneMatch, ThisExport
from glimpser.web.shapes import Listing, Reply, export_view
from glimpser.web.wiring import By, Seen, Wired

MEDIA_TYPES = ("video/mp4", "application/zip")


async def listing(services: Wired, page: ExportPage, seen: Seen) -> Response:
    """List exports, newest first."""
    found = await services.exports.list(page, within=seen)
    return Reply(Listing(items=[export_view(one) for one in found.items], next_cursor=found.next_cursor))


async def create(form: ExportForm, services: Wired, by: By) -> Response:
    """Have a film or an archive made of stored pictures. Read it again to see how far it has come."""
    found = await services.exports.create(form.ask(), by=by)
    headers = {"Location": f"/api/exports/{found.export.id}"}
    return Reply(export_view(found), status_code=202, headers=headers)


async def read(export_id: ThisExport, services: Wired, seen: Seen) -> Response:
    """Read one export."""
    return Reply(export_view(await services.exports.get(export_id, within=seen)))


async def remove(export_id: ThisExport, services: Wired, by: By) -> Response:
    """Delete an export and its file. One that is being made is broken off."""
    await services.exports.remove(export_id, by=by)
    return Response(status_code=204)


async def file(
    export_id: ThisExport,
    services: Wired,
    seen: Seen,
    request: Request,
    *,
    if_none_match: IfNoneMatch = None,
    wanted: Annotated[str | None, Header(alias="range", description="One range of bytes.")] = None,
    if_range: Annotated[str | None, Header(description="The ETag of what there is a part of.")] = None,
) -> Response:
    """Give the file, under a name that says what it is. Takes one `Range`."""
    export, found = await services.exports.file(export_id, within=seen)
    headers = {
        **INERT,
        "Content-Type": found.media_type,
        "Content-Disposition": f'attachment; filename="{file_name(export)}"',
    }
    return await send_object(
        request,
        services,
        found,
        headers=headers,
        if_none_match=if_none_match,
        wanted=wanted,
        if_range=if_range,
    )
