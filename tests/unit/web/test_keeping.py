"""How long things are kept, over HTTP."""

import pytest

from glimpser.core.accounts import Role
from glimpser.core.ids import JobId, new_id
from glimpser.services.retention import RETENTION
from tests.web_world import World

pytestmark = pytest.mark.anyio


async def test_a_view_says_how_long_its_pictures_are_kept(world: World) -> None:
    headers = await world.sign_in()
    wanted = {"max_age_days": 7, "thin_after_days": 2, "thin_to": "day"}

    made = (await world.add_template(headers, retention=wanted)).json()
    cleared = await world.client.patch(
        f"/api/templates/{made['id']}", json={"retention": None}, headers={**headers, "If-Match": '"1"'}
    )

    assert made["retention"] == {**wanted, "max_count": None, "max_bytes": None}
    assert cleared.json()["retention"] is None


@pytest.mark.parametrize(
    ("retention", "pointer"),
    [
        ({"max_age_days": 0}, "/retention/max_age_days"),
        ({"max_age_days": "7"}, "/retention/max_age_days"),
        ({"max_bytes": -1}, "/retention/max_bytes"),
        ({"max_count": True}, "/retention/max_count"),
        ({"thin_to": "week"}, "/retention/thin_to"),
        ({"keep": 1}, "/retention/keep"),
        ([], "/retention"),
    ],
)
async def test_what_is_no_limit_is_refused_by_its_field(
    world: World, retention: object, pointer: str
) -> None:
    headers = await world.sign_in()
    body = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://c/1"}, "retention": retention}

    answer = await world.client.post("/api/templates", json=body, headers=headers)

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_an_operator_pins_a_picture_and_lets_it_go(world: World) -> None:
    headers = await world.sign_in(Role.OPERATOR)
    path = f"/api/artifacts/{(await world.add_artifact(b'picture')).id}/pin"

    answers = [await world.client.put(path, headers=headers) for _ in range(2)]
    pinned = await world.client.get(path, headers=headers)
    gone = await world.client.delete(path, headers=headers)
    free = await world.client.get(path, headers=headers)

    assert [answer.status_code for answer in (*answers, gone)] == [204, 204, 204]
    assert (pinned.json(), free.json()) == ({"pinned": True}, {"pinned": False})


async def test_a_viewer_pins_nothing(world: World) -> None:
    path = f"/api/artifacts/{(await world.add_artifact(b'picture')).id}/pin"

    answer = await world.client.put(path, headers=await world.sign_in(Role.VIEWER))

    assert answer.status_code == 403


async def test_an_artifact_that_is_not_there_is_not_pinned(world: World) -> None:
    answer = await world.client.put(
        f"/api/artifacts/{new_id()}/pin", headers=await world.sign_in(Role.OPERATOR)
    )

    assert answer.status_code == 404


async def test_retention_on_demand_is_a_job(world: World) -> None:
    headers = await world.sign_in()

    answer = await world.client.post("/api/admin/retention", headers=headers)

    job_id = JobId(answer.json()["job_id"])
    job = await world.database.read(lambda tx: tx.jobs.get(job_id))
    assert (answer.status_code, job.kind) == (202, RETENTION)


async def test_a_viewer_is_told_how_the_program_is_and_an_admin_more(world: World) -> None:
    await world.add_artifact(b"picture")

    seen = (await world.client.get("/api/system", headers=await world.sign_in(Role.VIEWER))).json()
    all_of_it = (await world.client.get("/api/system", headers=await world.sign_in())).json()

    assert seen["version"] == "1.2.3"
    assert seen["counts"]["artifacts"] == 1
    assert seen["disk"] == {"state": "ok", "used_bytes": 500_000, "total_bytes": 1_000_000, "path": None}
    assert (seen["days_until_full"], seen["waiting_objects"]) == (None, None)
    assert (all_of_it["disk"]["path"], all_of_it["waiting_objects"]) == ("/data", 0)
