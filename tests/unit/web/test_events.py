"""Events and captures over HTTP."""

from dataclasses import replace
from datetime import timedelta

import pytest

from glimpser.core.events import Capture, Event, Level
from glimpser.core.ids import CaptureId, EventId, TemplateId, new_id
from tests.web_world import World

pytestmark = pytest.mark.anyio

DOOR, LAKE = TemplateId("01M80000000000000000000001"), TemplateId("01M80000000000000000000002")


async def add_events(world: World, *events: Event) -> None:
    def add(tx: object) -> None:
        for event in events:
            tx.events.add(event)  # type: ignore[attr-defined] # a transaction

    await world.database.write(add)


def event_of(world: World, **changes: object) -> Event:
    plain = Event(
        id=EventId(new_id()),
        template_id=DOOR,
        kind="motion",
        level=Level.INFO,
        message="Motion",
        started_at=world.clock.now(),
        created_at=world.clock.now(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type] # the tests choose fitting ones


async def test_an_event_is_shown_whole(world: World) -> None:
    now = world.clock.now()
    event = event_of(
        world,
        metadata={"score": 0.25, "boxes": [[0.1, 0.2, 0.3, 0.4]]},
        peak_at=now + timedelta(seconds=1, microseconds=500),
        ended_at=now + timedelta(seconds=2),
    )
    await add_events(world, event)

    body = (await world.client.get(f"/api/events/{event.id}", headers=await world.sign_in())).json()

    assert body == {
        "id": event.id,
        "template_id": DOOR,
        "kind": "motion",
        "level": "info",
        "message": "Motion",
        "metadata": {"score": 0.25, "boxes": [[0.1, 0.2, 0.3, 0.4]]},
        "started_at": "2026-01-01T12:00:00Z",
        "peak_at": "2026-01-01T12:00:01.000500Z",
        "ended_at": "2026-01-01T12:00:02Z",
        "artifact_id": None,
        "created_at": "2026-01-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    "metadata",
    [
        {},
        {"score": 0.42, "boxes": [[0.1, 0.2, 0.3, 0.4]]},
        {"text": 'Füße "quoted" \u2028', "deep": {"a": [None]}},
    ],
    ids=["empty", "numbers", "texts"],
)
@pytest.mark.parametrize("lasted", [None, timedelta(seconds=1)], ids=["goes-on", "is-over"])
async def test_a_list_shows_an_event_as_the_event_itself_does(
    world: World, metadata: dict[str, object], lasted: timedelta | None
) -> None:
    now = world.clock.now() + timedelta(microseconds=7)
    ended = {"peak_at": now, "ended_at": now + lasted} if lasted else {}
    event = event_of(world, metadata=metadata, started_at=now, level=Level.CRITICAL, **ended)
    await add_events(world, event)
    headers = await world.sign_in()

    listed = (await world.client.get("/api/events", headers=headers)).json()["items"]

    assert listed == [(await world.client.get(f"/api/events/{event.id}", headers=headers)).json()]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", "dcba"),
        (f"template_id={LAKE}", "b"),
        ("template_id=01M80000000000000000000003", ""),
        ("kind=health", "c"),
        ("level=debug", "dcba"),
        ("level=warning", "dc"),
        ("level=critical", ""),
        ("from=2026-01-01T12:01:00Z", "dcb"),
        ("to=2026-01-01T12:01:00Z", "a"),
        ("from=2026-01-01T12:01:00Z&to=2026-01-01T12:02:00Z", "b"),
        ("from=2026-01-01T13:01:00%2B01:00&to=2026-01-01T13:02:00%2B01:00", "b"),
        ("q=fire", "d"),
        ("q=100%25", ""),
        ("level=error&q=FIRE&kind=motion", "d"),
    ],
)
async def test_filters_narrow_the_list_newest_first(world: World, query: str, found: str) -> None:
    at = world.clock.now()
    await add_events(
        world,
        event_of(world, started_at=at, message="a"),
        event_of(world, started_at=at + timedelta(minutes=1), message="b", template_id=LAKE),
        event_of(
            world, started_at=at + timedelta(minutes=2), message="c", kind="health", level=Level.WARNING
        ),
        event_of(world, started_at=at + timedelta(minutes=3), message="d fire", level=Level.ERROR),
    )

    items = (await world.client.get(f"/api/events?{query}", headers=await world.sign_in())).json()["items"]

    assert "".join(item["message"][0] for item in items) == found


@pytest.mark.parametrize(
    ("query", "pointer"),
    [
        ("level=loud", "/level"),
        ("from=yesterday", "/from"),
        ("from=2026-01-01T12:00:00", "/from"),
        ("from=2026-01-01", "/from"),
        ("from=1767268800", "/from"),
        ("to=0.5", "/to"),
        ("to=9999-12-31T23:59:59Z", "/to"),
        ("from=0001-01-01T00:00:00%2B14:00", "/from"),
        ("to=9999-12-31T23:59:59-14:00", "/to"),
        ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "/from"),
        ("template_id=../x", "/template_id"),
        ("cursor=!!!!", "/cursor"),
        ("limit=-1", "/limit"),
    ],
)
async def test_a_wrong_filter_is_named(world: World, query: str, pointer: str) -> None:
    answer = await world.client.get(f"/api/events?{query}", headers=await world.sign_in())

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_pages_hold_every_event_once(world: World) -> None:
    headers = await world.sign_in()
    events = [
        event_of(world, started_at=world.clock.now() + timedelta(seconds=number // 2)) for number in range(7)
    ]
    await add_events(world, *events)

    seen: list[str] = []
    cursor = ""
    while True:
        page = (await world.client.get(f"/api/events?limit=2{cursor}", headers=headers)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        cursor = f"&cursor={page['next_cursor']}"

    assert sorted(seen) == sorted(event.id for event in events)


async def test_a_capture_says_where_its_artifact_is(world: World) -> None:
    headers = await world.sign_in()
    artifact = await world.add_artifact(b"jpeg")
    captures = [
        Capture(
            id=CaptureId(new_id()),
            template_id=DOOR,
            kind="snapshot",
            status="success",
            started_at=world.clock.now() + timedelta(seconds=second),
            ended_at=world.clock.now() + timedelta(seconds=second + 1),
            artifact_id=artifact_id,
        )
        for second, artifact_id in enumerate([artifact.id, None])
    ]

    def add(tx: object) -> None:
        for capture in captures:
            tx.captures.add(capture)  # type: ignore[attr-defined] # a transaction

    await world.database.write(add)

    page = (await world.client.get(f"/api/captures?template_id={DOOR}", headers=headers)).json()
    one = (await world.client.get(f"/api/captures/{captures[0].id}", headers=headers)).json()

    assert [item["artifact_uri"] for item in page["items"]] == [None, artifact.uri]
    assert one == page["items"][1]
    assert one["ended_at"] == "2026-01-01T12:00:01Z"
    other = await world.client.get(f"/api/captures?template_id={new_id()}", headers=headers)
    assert other.json() == {"items": [], "next_cursor": None}
