"""What is kept, and for how long."""

from fastapi import Response

from glimpser.web.routes.parameters import ThisArtifact
from glimpser.web.shapes import JobStarted, PinView, Reply
from glimpser.web.wiring import By, Seen, Wired


async def pin_state(artifact_id: ThisArtifact, services: Wired, seen: Seen) -> Response:
    """Tell whether a stored object is kept whatever its age."""
    return Reply(PinView(pinned=await services.keeping.is_pinned(artifact_id, within=seen)))


async def pin(artifact_id: ThisArtifact, services: Wired, by: By) -> Response:
    """Keep a stored object, and the events and captures that show it, whatever its age."""
    await services.keeping.pin(artifact_id, pinned=True, by=by)
    return Response(status_code=204)


async def unpin(artifact_id: ThisArtifact, services: Wired, by: By) -> Response:
    """Let a stored object go when its time comes."""
    await services.keeping.pin(artifact_id, pinned=False, by=by)
    return Response(status_code=204)


async def remove_old(services: Wired, by: By) -> Response:
    """Remove now, as a job, what retention would remove tonight."""
    return Reply(JobStarted(job_id=await services.keeping.remove_old(by=by)), status_code=202)
