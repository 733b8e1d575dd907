"""Backups: ordered by admins, taken away by admins."""

from typing import Annotated

from fastapi import Header, Request, Response

from glimpser.core.backups import BACKUP_TYPE
from glimpser.core.events import Artifact
from glimpser.services.backing_up import Wanted
from glimpser.web.backup_forms import BackupForm
from glimpser.web.routes.media import INERT, send_object
from glimpser.web.routes.parameters import IfNoneMatch, ThisArtifact
from glimpser.web.shapes import JobStarted, Reply
from glimpser.web.wiring import By, Wired


async def make(form: BackupForm, services: Wired, by: By) -> Response:
    """Make a backup, as a job. Its result names where to take it from, within a day."""
    wanted = Wanted(with_artifacts=form.with_artifacts, passphrase=form.passphrase)
    job_id = await services.backups.submit(wanted, by=by)
    headers = {"Location": f"/api/admin/jobs/{job_id}"}
    return Reply(JobStarted(job_id=job_id), status_code=202, headers=headers)


async def download(
    artifact_id: ThisArtifact,
    services: Wired,
    by: By,
    request: Request,
    *,
    if_none_match: IfNoneMatch = None,
    wanted: Annotated[str | None, Header(alias="range", description="One range of bytes.")] = None,
    if_range: Annotated[str | None, Header(description="The ETag of what there is a part of.")] = None,
) -> Response:
    """Give the bytes of a backup that was made. Takes one `Range`; the ETag is the file's SHA-256."""
    found = await services.backups.find(artifact_id)
    if request.method == "GET":
        await services.backups.note_download(found, by=by)
    return await send_object(
        request,
        services,
        found,
        headers=_headers(found),
        if_none_match=if_none_match,
        wanted=wanted,
        if_range=if_range,
    )


async def remove(artifact_id: ThisArtifact, services: Wired, by: By) -> Response:
    """Remove a backup before its day is over."""
    await services.backups.remove(artifact_id, by=by)
    return Response(status_code=204)


def _headers(found: Artifact) -> dict[str, str]:
    name = f"glimpser-backup-{found.created_at:%Y%m%dT%H%M%SZ}.tar"
    return {
        **INERT,
        "Cache-Control": "no-store, private",
        "Content-Type": BACKUP_TYPE,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
