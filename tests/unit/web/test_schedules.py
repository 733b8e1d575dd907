"""Schedules over HTTP."""

from typing import Any

import pytest

from glimpser.core.accounts import Role
from tests.web_world import World

pytestmark = pytest.mark.anyio

SPARE = "01JDSPARE000000000000000A0"


async def ask(world: World, method: str, path: str, role: Role = Role.OPERATOR) -> Any:
    return await world.client.request(method, path, headers=await world.sign_in(role))


async def scheduled(world: World, **changes: object) -> str:
    answer = await world.add_template(
        await world.sign_in(), schedule="0 9 * * *", timezone="Europe/Berlin", **changes
    )
    return str(answer.json()["id"])


async def test_a_schedule_is_shown_paused_and_resumed(world: World) -> None:
    view = await scheduled(world, jitter_ms=250)
    path = f"/api/admin/schedules/{view}"

    shown = await ask(world, "GET", path)
    listed = await ask(world, "GET", "/api/admin/schedules?limit=1")
    paused = await ask(world, "POST", f"{path}/pause")
    resumed = await ask(world, "POST", f"{path}/resume")

    body = shown.json()
    assert body.pop("next_runs") == [f"2026-01-0{day}T08:00:00Z" for day in range(2, 7)]
    assert body == {
        "id": view,
        "template_id": view,
        "cron": "0 9 * * *",
        "timezone": "Europe/Berlin",
        "jitter_ms": 250,
        "action": "snapshot",
        "duration_s": None,
        "catch_up": "one",
        "enabled": True,
        "paused": False,
        "last_run": None,
        "last_job_id": None,
        "next_run": "2026-01-02T08:00:00Z",
        "in_words": "At 09:00 every day (Europe/Berlin)",
    }
    assert [item["id"] for item in listed.json()["items"]] == [view]
    assert (paused.json()["paused"], paused.json()["next_run"]) == (True, None)
    assert resumed.json()["paused"] is False


async def test_a_trigger_gives_a_job(world: World) -> None:
    view = await scheduled(world)

    answer = await ask(world, "POST", f"/api/admin/schedules/{view}/trigger")

    job = await ask(world, "GET", f"/api/admin/jobs/{answer.json()['job_id']}")
    assert (answer.status_code, job.json()["kind"], job.json()["template_id"]) == (202, "capture", view)


async def test_schedules_come_in_pages(world: World) -> None:
    views = [await scheduled(world) for _ in range(3)]

    first = (await ask(world, "GET", "/api/admin/schedules?limit=2")).json()
    second = (await ask(world, "GET", f"/api/admin/schedules?limit=2&cursor={first['next_cursor']}")).json()

    shown = [item["id"] for item in [*first["items"], *second["items"]]]
    assert (shown, second["next_cursor"]) == (sorted(views), None)


async def test_an_expression_is_explained(world: World) -> None:
    answer = await ask(world, "GET", "/api/schedule/preview?cron=0+*/6+*+*+*&timezone=UTC", Role.VIEWER)

    assert answer.json()["in_words"] == "At minute 0 past every sixth hour (UTC)"
    assert answer.json()["next_runs"][0] == "2026-01-01T18:00:00Z"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/api/admin/schedules/{SPARE}", 404),
        ("POST", f"/api/admin/schedules/{SPARE}/pause", 404),
        ("POST", "/api/admin/schedules/odd/trigger", 404),
        ("GET", "/api/schedule/preview?cron=61+*+*+*+*", 422),
        ("GET", "/api/schedule/preview?cron=@daily&timezone=../etc", 422),
        ("GET", "/api/schedule/preview", 422),
    ],
)
async def test_what_cannot_be_is_refused(world: World, method: str, path: str, status: int) -> None:
    assert (await ask(world, method, path)).status_code == status


@pytest.mark.parametrize(
    ("query", "pointer"), [("cron=61+*+*+*+*", "/cron"), ("cron=@daily&timezone=../etc", "/timezone")]
)
async def test_what_is_wrong_with_an_expression_is_said_of_its_parameter(
    world: World, query: str, pointer: str
) -> None:
    answer = await ask(world, "GET", f"/api/schedule/preview?{query}")

    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_schedules_are_for_operators(world: World) -> None:
    assert (await ask(world, "GET", "/api/admin/schedules", Role.VIEWER)).status_code == 403
