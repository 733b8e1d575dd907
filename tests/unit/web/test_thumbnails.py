"""Stored pictures over HTTP in smaller widths."""

import io
from functools import cache

import pytest
from PIL import Image

from glimpser.core.errors import Unavailable
from tests.web_world import World

pytestmark = pytest.mark.anyio


@cache
def a_picture(kind: str = "JPEG", width: int = 1920, height: int = 1080) -> bytes:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((width, height)).convert("RGB").save(file, kind)
    return file.getvalue()


def size_of(content: bytes) -> tuple[str | None, tuple[int, int]]:
    image = Image.open(io.BytesIO(content))
    return image.format, image.size


@pytest.mark.parametrize(
    ("query", "size"),
    [("w=320", (320, 180)), ("w=640", (640, 360)), ("w=1280", (1280, 720)), ("w=321", (640, 360))],
)
async def test_a_picture_comes_in_the_width_that_is_asked_for(
    world: World, query: str, size: tuple[int, int]
) -> None:
    artifact = await world.add_artifact(a_picture())

    answer = await world.client.get(f"/api/artifacts/{artifact.id}?{query}", headers=await world.sign_in())

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert size_of(answer.content) == ("JPEG", size)
    assert len(answer.content) < len(a_picture())


@pytest.mark.parametrize(("kind", "media_type"), [("PNG", "image/png"), ("WEBP", "image/webp")])
async def test_pictures_of_other_kinds_become_jpeg(world: World, kind: str, media_type: str) -> None:
    artifact = await world.add_artifact(a_picture(kind, 800, 600), media_type)

    answer = await world.client.get(f"/api/artifacts/{artifact.id}?w=320", headers=await world.sign_in())

    assert size_of(answer.content) == ("JPEG", (320, 240))


async def test_a_picture_is_never_made_wider(world: World) -> None:
    artifact = await world.add_artifact(a_picture("JPEG", 200, 100))

    answer = await world.client.get(f"/api/artifacts/{artifact.id}?w=320", headers=await world.sign_in())

    assert size_of(answer.content) == ("JPEG", (200, 100))


async def test_a_width_beyond_all_gives_what_is_stored(world: World) -> None:
    artifact = await world.add_artifact(a_picture())

    answer = await world.client.get(f"/api/artifacts/{artifact.id}?w=5000", headers=await world.sign_in())

    assert answer.content == a_picture()
    assert answer.headers["etag"] == f'"{artifact.sha256}"'


async def test_a_smaller_picture_is_as_inert_as_what_is_stored(world: World) -> None:
    artifact = await world.add_artifact(a_picture())

    answer = await world.client.get(
        f"/api/artifacts/{artifact.id}?w=320", headers=await world.sign_in() | {"Range": "bytes=0-9"}
    )

    assert answer.status_code == 200  # a range of what was made for this answer is left out of account
    assert answer.headers["accept-ranges"] == "none"
    assert answer.headers["etag"] == f'"{artifact.sha256}-320"'
    assert answer.headers["content-disposition"] == f'inline; filename="{artifact.id}-320.jpg"'
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"].startswith("private")


async def test_a_smaller_picture_that_is_known_already_is_neither_made_nor_sent(world: World) -> None:
    artifact = await world.add_artifact(a_picture())
    world.store.objects.clear()
    headers = await world.sign_in()
    path = f"/api/artifacts/{artifact.id}?w=320"

    known = await world.client.get(path, headers=headers | {"If-None-Match": f'"{artifact.sha256}-320"'})
    other = await world.client.get(path, headers=headers | {"If-None-Match": f'"{artifact.sha256}-640"'})

    assert (known.status_code, known.content) == (304, b"")
    assert other.status_code == 404


async def test_what_was_made_once_needs_the_store_no_more(world: World) -> None:
    artifact = await world.add_artifact(a_picture())
    headers = await world.sign_in()
    path = f"/api/artifacts/{artifact.id}?w=320"
    first = await world.client.get(path, headers=headers)
    world.store.failure = Unavailable("away")

    again = await world.client.get(path, headers=headers)
    another = await world.client.get(path.replace("320", "640"), headers=headers)

    assert again.content == first.content
    assert another.status_code == 503


@pytest.mark.parametrize("query", ["w=0", "w=-1", "w=wide", "w=99999", "w=", "w=1e3", "w=320&w=x"])
async def test_a_wrong_width_is_refused_by_name(world: World, query: str) -> None:
    artifact = await world.add_artifact(a_picture())

    answer = await world.client.get(f"/api/artifacts/{artifact.id}?{query}", headers=await world.sign_in())

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/w"]


@pytest.mark.parametrize(
    ("content", "media_type", "message"),
    [
        (a_picture()[:9000], "image/jpeg", "cut off"),
        (b"\xff\xd8\xff\xe0no picture", "image/jpeg", ""),
        (b"", "image/jpeg", ""),
        (b"<svg/>", "image/png", "pictures are read as"),
        (b"text", "text/plain", "Only pictures"),
        (a_picture(), "video/mp4", "Only pictures"),
    ],
    ids=["cut off", "torn", "empty", "another kind", "text", "video"],
)
async def test_what_cannot_be_made_smaller_is_a_problem_of_the_width(
    world: World, content: bytes, media_type: str, message: str
) -> None:
    artifact = await world.add_artifact(content, media_type)
    headers = await world.sign_in()

    small = await world.client.get(f"/api/artifacts/{artifact.id}?w=320", headers=headers)
    whole = await world.client.get(f"/api/artifacts/{artifact.id}", headers=headers)

    assert small.status_code == 422
    assert [error["pointer"] for error in small.json()["errors"]] == ["/w"]
    assert message in small.json()["detail"]
    assert whole.content == content


async def test_who_may_not_see_the_picture_may_not_see_it_smaller(world: World) -> None:
    artifact = await world.add_artifact(a_picture())
    path = f"/api/artifacts/{artifact.id}?w=320"
    await world.client.get(path, headers=await world.sign_in())  # from now on it is kept ready

    anonymous = await world.client.get(path)
    await world.database.write(lambda tx: tx.artifacts.remove(artifact.id))
    removed = await world.client.get(path, headers=await world.sign_in())

    assert anonymous.status_code == 401
    assert removed.status_code == 404


async def test_head_tells_the_length_of_the_smaller_picture(world: World) -> None:
    artifact = await world.add_artifact(a_picture())
    headers = await world.sign_in()
    path = f"/api/artifacts/{artifact.id}?w=320"

    whole = await world.client.get(path, headers=headers)
    head = await world.client.head(path, headers=headers)

    assert head.status_code == 200
    assert head.headers["content-length"] == str(len(whole.content))
