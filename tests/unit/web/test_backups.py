"""Backups over HTTP: ordered and taken away by admins, and by nobody else."""

import pytest

from glimpser.core.accounts import Role
from glimpser.core.backups import BACKUP, BACKUP_TYPE
from glimpser.core.errors import InvalidInput
from glimpser.core.events import Artifact
from glimpser.core.ids import ArtifactId, JobId, new_id
from glimpser.core.jobs import Job
from glimpser.services.retention import SilentProgress
from tests.web_world import World

pytestmark = pytest.mark.anyio

PASSPHRASE = "seven lean cows of the Nile"


async def order(world: World, headers: dict[str, str], **body: object) -> Job:
    answer = await world.client.post("/api/admin/backup", json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    job_id = JobId(answer.json()["job_id"])
    return await world.database.read(lambda tx: tx.jobs.get(job_id))


async def made(world: World, headers: dict[str, str], **body: object) -> Artifact:
    """Order a backup and do its job, as the job runner does."""
    result = await world.services.backups.kind.run(await order(world, headers, **body), SilentProgress())
    found = ArtifactId(str(result["artifact_id"]))
    return await world.database.read(lambda tx: tx.artifacts.get(found))


async def test_an_admin_orders_a_backup_and_takes_it_away(world: World) -> None:
    headers = await world.sign_in()
    backup = await made(world, headers)

    answer = await world.client.get(f"/api/admin/backup/{backup.id}", headers=headers)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == BACKUP_TYPE
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="glimpser-backup-')
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert len(answer.content) == backup.size_bytes


async def test_part_of_a_backup_is_given_to_a_download_that_goes_on(world: World) -> None:
    headers = await world.sign_in()
    backup = await made(world, headers)

    answer = await world.client.get(
        f"/api/admin/backup/{backup.id}", headers={**headers, "Range": "bytes=0-12"}
    )

    assert (answer.status_code, answer.content) == (206, b"glimpser.json")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.OPERATOR])
async def test_nobody_but_admins_orders_reads_or_removes_a_backup(world: World, role: Role) -> None:
    backup = await made(world, await world.sign_in())
    headers = await world.sign_in(role)
    path = f"/api/admin/backup/{backup.id}"

    answers = [
        await world.client.post("/api/admin/backup", json={}, headers=headers),
        await world.client.get(path, headers=headers),
        await world.client.delete(path, headers=headers),
    ]

    assert [answer.status_code for answer in answers] == [403, 403, 403]


@pytest.mark.parametrize("role", list(Role))
async def test_a_backup_is_no_artifact_to_be_read_or_pinned(world: World, role: Role) -> None:
    backup = await made(world, await world.sign_in())
    picture = await world.add_artifact(b"picture")
    headers = await world.sign_in(role)

    refused = [
        await world.client.get(f"/api/artifacts/{backup.id}", headers=headers),
        await world.client.get(f"/api/artifacts/{backup.id}/pin", headers=headers),
        *(
            [await world.client.put(f"/api/artifacts/{backup.id}/pin", headers=headers)]
            if role >= Role.OPERATOR
            else []
        ),
    ]
    allowed = await world.client.get(f"/api/artifacts/{picture.id}", headers=headers)

    assert {answer.status_code for answer in refused} == {404}
    assert allowed.status_code == 200


async def test_a_picture_is_no_backup(world: World) -> None:
    picture = await world.add_artifact(b"picture")

    answer = await world.client.get(f"/api/admin/backup/{picture.id}", headers=await world.sign_in())

    assert answer.status_code == 404


async def test_an_admin_removes_a_backup_before_its_day_is_over(world: World) -> None:
    headers = await world.sign_in()
    path = f"/api/admin/backup/{(await made(world, headers)).id}"

    removed = await world.client.delete(path, headers=headers)

    assert removed.status_code == 204
    assert (await world.client.get(path, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"passphrase": "too short"}, "/passphrase"),
        ({"passphrase": 123456789012}, "/passphrase"),
        ({"with_artifacts": "yes"}, "/with_artifacts"),
        ({"with": True}, "/with"),
    ],
    ids=["short", "number", "text", "unknown"],
)
async def test_what_no_backup_can_hold_is_refused_by_its_field(
    world: World, body: dict[str, object], pointer: str
) -> None:
    answer = await world.client.post("/api/admin/backup", json=body, headers=await world.sign_in())

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_a_passphrase_is_neither_in_the_job_nor_in_the_audit_log(world: World) -> None:
    job = await order(world, await world.sign_in(), passphrase=PASSPHRASE)

    rows = await world.client.get("/api/admin/audit", headers=await world.sign_in())

    assert PASSPHRASE not in repr(job)
    assert PASSPHRASE not in rows.text
    assert "backup.asked" in rows.text


async def test_who_took_a_backup_away_is_in_the_audit_log(world: World) -> None:
    headers = await world.sign_in()
    backup = await made(world, headers)
    await world.client.get(f"/api/admin/backup/{backup.id}", headers=headers)

    rows = (await world.client.get("/api/admin/audit", headers=headers)).json()["items"]

    assert ("backup.downloaded", backup.id) in {(row["action"], row["subject"]) for row in rows}


async def test_an_order_does_not_outlive_the_program(world: World) -> None:
    forgotten = world.services.jobs.make(BACKUP, {"order": new_id()})

    with pytest.raises(InvalidInput, match="started anew"):
        await world.services.backups.kind.run(forgotten, SilentProgress())
