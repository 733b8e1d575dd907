"""Pictures over HTTP: the newest, and the stored."""

import pytest

from glimpser.core.ids import TemplateId
from tests.web_world import World

pytestmark = pytest.mark.anyio

CONTENT = bytes(range(256)) * 1000


async def a_view(world: World) -> tuple[str, dict[str, str]]:
    headers = await world.sign_in()
    template_id = (await world.add_template(headers)).json()["id"]
    return template_id, headers


async def test_a_snapshot_tells_its_age(world: World) -> None:
    template_id, headers = await a_view(world)
    world.live.frames[TemplateId(template_id)] = world.frame(template_id)
    world.clock.advance(1.5)

    answer = await world.client.get(f"/api/stream/{template_id}/snapshot", headers=headers)

    assert answer.status_code == 200
    assert answer.content == b"\xff\xd8picture\xff\xd9"
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-captured-at"] == "2026-01-01T12:00:00Z"
    assert answer.headers["x-frame-age"] == "1.500"
    assert answer.headers["cache-control"] == "no-store, private"


async def test_a_clock_set_back_gives_no_negative_age(world: World) -> None:
    template_id, headers = await a_view(world)
    world.live.frames[TemplateId(template_id)] = world.frame(template_id)
    world.clock.jump(-3600)

    answer = await world.client.get(f"/api/stream/{template_id}/snapshot", headers=headers)

    assert answer.headers["x-frame-age"] == "0.000"


async def test_a_picture_that_is_known_already_is_not_sent_again(world: World) -> None:
    template_id, headers = await a_view(world)
    path = f"/api/stream/{template_id}/snapshot"
    world.live.frames[TemplateId(template_id)] = world.frame(template_id)
    etag = (await world.client.get(path, headers=headers)).headers["etag"]

    same = await world.client.get(path, headers=headers | {"If-None-Match": etag})
    world.clock.advance(0.2)
    world.live.frames[TemplateId(template_id)] = world.frame(template_id)
    newer = await world.client.get(path, headers=headers | {"If-None-Match": etag})

    assert (same.status_code, same.content) == (304, b"")
    assert newer.status_code == 200
    assert newer.headers["etag"] != etag


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("", (None, False)),
        ("?w=320", (320, False)),
        ("?w=321", (640, False)),
        ("?w=1280&stale=ok", (1280, True)),
        ("?w=5000", (None, False)),
    ],
)
async def test_widths_are_shared_ones(world: World, query: str, asked: tuple[int | None, bool]) -> None:
    template_id, headers = await a_view(world)

    await world.client.get(f"/api/stream/{template_id}/snapshot{query}", headers=headers)

    assert world.live.asked == [asked]


@pytest.mark.parametrize("query", ["w=0", "w=-1", "w=wide", "w=99999", "stale=yes", "w=1e3"])
async def test_a_wrong_width_is_refused(world: World, query: str) -> None:
    template_id, headers = await a_view(world)

    answer = await world.client.get(f"/api/stream/{template_id}/snapshot?{query}", headers=headers)

    assert answer.status_code == 422


@pytest.mark.parametrize("query", ["fps=0", "fps=-1", "fps=nan", "fps=inf", "fps=61", "fps=fast"])
async def test_a_wrong_rate_is_refused(world: World, query: str) -> None:
    template_id, headers = await a_view(world)

    answer = await world.client.get(f"/api/stream/{template_id}/mjpeg?{query}", headers=headers)

    assert answer.status_code == 422


async def test_an_artifact_is_given_whole_and_inert(world: World) -> None:
    artifact = await world.add_artifact(CONTENT)

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=await world.sign_in())

    assert answer.content == CONTENT
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(len(CONTENT))
    assert answer.headers["etag"] == f'"{artifact.sha256}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-disposition"] == f'inline; filename="{artifact.id}.jpg"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")


@pytest.mark.parametrize(
    "media_type", ["text/html", "image/svg+xml", "application/javascript", "IMAGE/JPEG", ""]
)
async def test_what_a_browser_could_run_is_only_ever_saved(world: World, media_type: str) -> None:
    artifact = await world.add_artifact(b"<script>alert(1)</script>", media_type)

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=await world.sign_in())

    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == f'attachment; filename="{artifact.id}.bin"'


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [("bytes=0-9", 0, 10), ("bytes=255990-", 255_990, 256_000), ("bytes=-10", 255_990, 256_000)],
)
async def test_a_range_is_given(world: World, asked: str, start: int, end: int) -> None:
    artifact = await world.add_artifact(CONTENT)
    headers = await world.sign_in()

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=headers | {"Range": asked})

    assert answer.status_code == 206
    assert answer.content == CONTENT[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/256000"
    assert answer.headers["content-length"] == str(end - start)


async def test_a_range_behind_the_end_is_refused(world: World) -> None:
    artifact = await world.add_artifact(CONTENT)
    headers = await world.sign_in()

    answer = await world.client.get(
        f"/api/artifacts/{artifact.id}", headers=headers | {"Range": "bytes=256000-"}
    )

    assert answer.status_code == 416
    assert answer.headers["content-range"] == "bytes */256000"


@pytest.mark.parametrize(("same", "status"), [(True, 206), (False, 200)])
async def test_a_range_of_another_content_becomes_the_whole(world: World, *, same: bool, status: int) -> None:
    artifact = await world.add_artifact(CONTENT)
    tag = f'"{artifact.sha256}"' if same else '"other"'
    headers = await world.sign_in() | {"Range": "bytes=0-9", "If-Range": tag}

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=headers)

    assert answer.status_code == status


async def test_an_artifact_that_is_known_already_is_not_sent_again(world: World) -> None:
    artifact = await world.add_artifact(CONTENT)
    headers = await world.sign_in() | {"If-None-Match": f'"{artifact.sha256}"'}

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=headers)

    assert (answer.status_code, answer.content) == (304, b"")


async def test_an_object_that_is_lost_is_not_found_before_a_byte_is_promised(world: World) -> None:
    artifact = await world.add_artifact(CONTENT)
    world.store.objects.clear()

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=await world.sign_in())

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_empty_artifact_is_empty(world: World) -> None:
    artifact = await world.add_artifact(b"")

    answer = await world.client.get(f"/api/artifacts/{artifact.id}", headers=await world.sign_in())

    assert (answer.status_code, answer.content, answer.headers["content-length"]) == (200, b"", "0")


async def test_head_tells_the_length_without_the_bytes(world: World) -> None:
    artifact = await world.add_artifact(CONTENT)
    world.store.objects.clear()  # nothing is read for it

    answer = await world.client.head(f"/api/artifacts/{artifact.id}", headers=await world.sign_in())

    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-length"] == "256000"
