"""Jobs over HTTP."""

from typing import Any

import pytest

from glimpser.core.accounts import Role
from tests.web_world import World

pytestmark = pytest.mark.anyio


async def ask(world: World, method: str, path: str, role: Role = Role.OPERATOR) -> Any:
    return await world.client.request(method, path, headers=await world.sign_in(role))


async def test_a_job_is_shown_listed_cancelled_and_tried_again(world: World) -> None:
    job_id = await world.services.jobs.submit("work", {"secret": "hunter2"})

    shown = await ask(world, "GET", f"/api/admin/jobs/{job_id}")
    listed = await ask(world, "GET", "/api/admin/jobs?kind=work&status=pending")
    cancelled = await ask(world, "POST", f"/api/admin/jobs/{job_id}/cancel")
    retried = await ask(world, "POST", f"/api/admin/jobs/{job_id}/retry")

    assert shown.json() == {
        "id": job_id,
        "kind": "work",
        "status": "pending",
        "scheduled_for": "2026-01-01T12:00:00Z",
        "created_at": "2026-01-01T12:00:00Z",
        "started_at": None,
        "ended_at": None,
        "progress": None,
        "step": None,
        "error": None,
        "attempts": 0,
        "max_attempts": 12,
        "result": None,
        "template_id": None,
        "cancel_requested": False,
    }
    assert listed.json() == {"items": [shown.json()], "next_cursor": None}
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert (retried.status_code, retried.json()["status"]) == (200, "pending")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/admin/jobs?status=odd", 422),
        ("GET", "/api/admin/jobs?template_id=odd", 422),
        ("GET", "/api/admin/jobs?cursor=odd", 422),
        ("GET", "/api/admin/jobs/odd", 404),
        ("POST", "/api/admin/jobs/01JDSPARE000000000000000A0/cancel", 404),
        ("POST", "/api/admin/jobs/01JDSPARE000000000000000A0/retry", 404),
    ],
)
async def test_what_cannot_be_is_refused(world: World, method: str, path: str, status: int) -> None:
    answer = await ask(world, method, path)

    assert answer.status_code == status


async def test_jobs_are_for_operators(world: World) -> None:
    answer = await ask(world, "GET", "/api/admin/jobs", Role.VIEWER)

    assert answer.status_code == 403


async def test_a_job_that_has_ended_is_not_cancelled(world: World) -> None:
    job_id = await world.services.jobs.submit("work", {})
    now = world.clock.now()

    def finish(tx: Any) -> None:
        [job] = tx.jobs.claim(["work"], limit=1, now=now, lease_until=now)
        tx.jobs.finish(_done(job), fence=job.fence)

    await world.database.write(finish)

    answer = await ask(world, "POST", f"/api/admin/jobs/{job_id}/cancel")

    assert (answer.status_code, answer.json()["detail"]) == (409, "The job has ended already: success.")


def _done(job: Any) -> Any:
    from dataclasses import replace

    return replace(job, status="success", ended_at=job.started_at)
