"""Alerts over HTTP, and the links in them."""

from dataclasses import replace
from typing import Any

import httpx2
import pytest

from glimpser.core.accounts import EVERYTHING, Role
from glimpser.core.alerts import Alert, AlertFilter
from glimpser.core.errors import Rejected
from glimpser.core.events import Event, Level
from glimpser.core.ids import EventId, TemplateId, new_id
from glimpser.core.pages import PageRequest
from glimpser.services.notifications import artifact_path
from tests.web_world import World

pytestmark = pytest.mark.anyio


async def make_alert(
    world: World, level: Level = Level.ERROR, template_id: TemplateId | None = None
) -> Alert:
    now = world.clock.now()
    event = Event(
        id=EventId(new_id()),
        template_id=template_id or TemplateId(new_id()),
        kind="health",
        level=level,
        message="The camera is gone.",
        started_at=now,
        created_at=now,
    )
    await world.services.alerting.record(event, None, is_new=True)
    page = await world.services.alerting.alerts(AlertFilter(), PageRequest(), within=EVERYTHING)
    return next(alert for alert in page.items if alert.event_id == event.id)


async def add_channel(world: World, headers: dict[str, str], to: str = "ann", **changes: object) -> Any:
    body = {"name": to.title(), "kind": "fake", "config": {"to": to}} | changes
    answer = await world.client.post("/api/admin/channels", json=body, headers=headers)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def test_an_alert_is_shown_with_its_deliveries(world: World) -> None:
    channel = await add_channel(world, await world.sign_in())
    alert = await make_alert(world)

    answer = await world.client.get(f"/api/alerts/{alert.id}", headers=await world.sign_in(Role.VIEWER))

    [delivery] = alert.deliveries
    assert answer.json() == {
        "id": alert.id,
        "template_id": alert.template_id,
        "event_id": alert.event_id,
        "rule_id": None,
        "kind": "health",
        "level": "error",
        "title": "A removed view: health",
        "body": alert.body,
        "state": "open",
        "acked_by": None,
        "acked_at": None,
        "created_at": "2026-01-01T12:00:00Z",
        "deliveries": [
            {
                "id": delivery.id,
                "channel_id": channel["id"],
                "channel_kind": "fake",
                "status": "pending",
                "attempts": 0,
                "last_error": None,
                "next_attempt_at": "2026-01-01T12:00:00Z",
                "sent_at": None,
                "provider_response": None,
                "idempotency_key": delivery.idempotency_key,
            }
        ],
    }


async def test_a_list_is_narrowed_and_goes_on(world: World) -> None:
    headers = await world.sign_in()
    first = await make_alert(world)
    world.clock.advance(60)
    second = await make_alert(world, Level.CRITICAL, first.template_id)
    world.clock.advance(60)
    third = await make_alert(world)
    await world.client.post(f"/api/alerts/{second.id}/ack", headers=headers)

    async def ids(**params: str) -> list[str]:
        answer = await world.client.get("/api/alerts", params=params, headers=headers)
        assert answer.status_code == 200, answer.text
        return [item["id"] for item in answer.json()["items"]]

    assert await ids() == [third.id, second.id, first.id]
    assert await ids(template_id=str(first.template_id)) == [second.id, first.id]
    assert await ids(state="acknowledged") == [second.id]
    assert await ids(level="critical") == [second.id]
    assert await ids(**{"from": "2026-01-01T12:01:00Z", "to": "2026-01-01T12:02:00Z"}) == [second.id]
    page = (await world.client.get("/api/alerts?limit=2", headers=headers)).json()
    assert await ids(limit="2", cursor=page["next_cursor"]) == [first.id]


@pytest.mark.parametrize(
    "query",
    [
        *("state=closed", "level=fatal", "template_id=1", "from=yesterday", "cursor=!", "limit=0"),
        "from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z",
    ],
)
async def test_a_filter_that_cannot_be_used_is_refused(world: World, query: str) -> None:
    answer = await world.client.get(f"/api/alerts?{query}", headers=await world.sign_in())

    assert answer.status_code == 422


async def test_an_operator_acknowledges_once(world: World) -> None:
    alert = await make_alert(world)
    headers = await world.sign_in(Role.OPERATOR)

    first = await world.client.post(f"/api/alerts/{alert.id}/ack", headers=headers)
    world.clock.advance(60)
    second = await world.client.post(f"/api/alerts/{alert.id}/ack", headers=await world.sign_in())

    assert first.json()["state"] == "acknowledged"
    assert first.json()["acked_by"].startswith("operator-")
    assert second.json() == first.json()


async def test_what_was_given_up_is_tried_again(world: World) -> None:
    headers = await world.sign_in()
    await add_channel(world, headers)
    alert = await make_alert(world)
    dead = replace(alert.deliveries[0], status="dead", attempts=1)
    await world.database.write(lambda tx: tx.deliveries.update(dead))

    answer = await world.client.post(f"/api/alerts/{alert.id}/retry", headers=headers)

    assert [item["status"] for item in answer.json()["deliveries"]] == ["pending"]


@pytest.mark.parametrize("alert_id", ["01M80000000000000000000000", "1", "test"])
async def test_an_alert_that_is_not_there_is_not_found(world: World, alert_id: str) -> None:
    headers = await world.sign_in()

    assert (await world.client.get(f"/api/alerts/{alert_id}", headers=headers)).status_code == 404
    for verb in ("ack", "retry"):
        answer = await world.client.post(f"/api/alerts/{alert_id}/{verb}", headers=headers)
        assert answer.status_code == 404


async def test_a_test_message_goes_to_the_channels_that_are_named_or_to_all(world: World) -> None:
    headers = await world.sign_in()
    ann, bob = await add_channel(world, headers), await add_channel(world, headers, "bob")

    async def refuse(_note: object) -> object:
        raise Rejected("Bob wants no messages.")

    world.post.behaviour["bob"] = refuse  # type: ignore[assignment] # it gives nothing
    operator = await world.sign_in(Role.OPERATOR)
    named = await world.client.post(
        "/api/alerts/test",
        json={"channel_ids": [ann["id"]], "title": "Hi", "body": "There"},
        headers=operator,
    )
    every = await world.client.post("/api/alerts/test", json={}, headers=operator)

    assert named.json() == {"results": [{"channel_id": ann["id"], "status": "sent", "error": None}]}
    assert [item["status"] for item in every.json()["results"]] == ["sent", "failed"]
    assert every.json()["results"][1]["error"] == "Bob wants no messages."
    assert (world.post.sent[0][1].title, world.post.sent[0][1].body) == ("Hi", "There")
    read = await world.client.get(f"/api/admin/channels/{bob['id']}", headers=headers)
    assert read.json()["last_result"] == "Test not sent: Bob wants no messages."


@pytest.mark.parametrize(
    "body", [{"channel_ids": ["1"]}, {"title": ""}, {"title": "x" * 201}, {"surprise": 1}, {"channel_ids": 5}]
)
async def test_a_test_that_cannot_be_sent_is_refused(world: World, body: dict[str, object]) -> None:
    answer = await world.client.post("/api/alerts/test", json=body, headers=await world.sign_in())

    assert answer.status_code == 422
    assert world.post.sent == []


# Links -----------------------------------------------------------------------------------------------


async def get(world: World, path: str, **params: str) -> httpx2.Response:
    return await world.client.get(path, params=params)


async def test_a_link_opens_its_picture_without_signing_in(world: World) -> None:
    artifact = await world.add_artifact(b"\xff\xd8jpeg")
    path = artifact_path(artifact.id)
    ticket = world.services.tickets.issue(path)

    answer = await get(world, path, ticket=ticket)
    part = await world.client.get(path, params={"ticket": ticket}, headers={"Range": "bytes=2-3"})

    assert (answer.status_code, answer.content) == (200, b"\xff\xd8jpeg")
    assert (part.status_code, part.content) == (206, b"jp")
    assert (await world.client.head(path, params={"ticket": ticket})).status_code == 200


async def test_a_link_that_was_changed_or_is_old_opens_nothing(world: World) -> None:
    mine, other = await world.add_artifact(b"mine"), await world.add_artifact(b"other")
    path = artifact_path(mine.id)
    ticket = world.services.tickets.issue(path)
    session = (await world.sign_in())["Authorization"].removeprefix("Bearer ")

    wrong = [
        await get(world, artifact_path(other.id), ticket=ticket),
        await get(world, path, ticket=ticket[:-1]),
        await get(world, path, ticket=ticket + "A"),
        await get(world, path, ticket=""),
        await get(world, path, ticket=session),
        await get(world, path, Ticket=ticket),
        await get(world, "/api/events", ticket=world.services.tickets.issue("/api/events")),
        await get(world, "/api/me", ticket=world.services.tickets.issue("/api/me")),
    ]
    world.clock.advance(7 * 86_400)
    wrong.append(await get(world, path, ticket=ticket))

    assert [answer.status_code for answer in wrong] == [401] * len(wrong)


async def test_a_ticket_is_no_session(world: World) -> None:
    ticket = world.services.tickets.issue("/api/me")

    answer = await world.client.get("/api/me", headers={"Authorization": f"Bearer {ticket}"})

    assert answer.status_code == 401


async def test_who_is_signed_in_needs_no_ticket_and_is_not_hindered_by_an_old_one(world: World) -> None:
    artifact = await world.add_artifact(b"jpeg")
    headers = await world.sign_in(Role.VIEWER)

    answer = await world.client.get(f"{artifact_path(artifact.id)}?ticket=old", headers=headers)

    assert answer.status_code == 200
