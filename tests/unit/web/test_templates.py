"""Templates over HTTP: versions, secrets, patches, and what comes later."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glimpser.core.accounts import EVERYTHING, AuditFilter, Role
from glimpser.core.health import HealthState, ViewHealth
from glimpser.core.ids import TemplateId, is_id, new_id
from glimpser.core.live import State, StreamStatus
from glimpser.core.pages import PageRequest
from glimpser.web.forms import merge_patch
from glimpser.web.template_forms import NEUTRAL
from tests.web_world import World

pytestmark = pytest.mark.anyio

RULE_ID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
FULL: dict[str, Any] = {
    "name": "Front door",
    "kind": "camera",
    "config": {"url": "rtsp://u:hunter2@cam/1", "username": "u", "password": "pa55"},
    "live": False,
    "enabled": False,
    "groups": ["home", "doors"],
    "notes": "line one\nline two",
    "private": True,
    "motion": {"detector": "adaptive", "sensitivity": 0.7, "threshold": 0.1},
    "zones": [{"name": "path", "points": [[0, 0], [1, 0], [0.5, 1]]}],
    "motion_masks": [[[0, 0], [0.1, 0], [0.1, 0.1]]],
    "rules": [
        {
            "id": RULE_ID,
            "name": "Night",
            "enabled": True,
            "when": {"event": "motion", "min_score": 0.25, "zone": "path"},
            "dedupe_s": 60.0,
            "quiet_hours": [{"days": ["sat", "sun"], "from": "22:00", "to": "06:30"}],
            "timezone": "Europe/Berlin",
            "level": "warning",
            "channels": [],
        }
    ],
    "lat": 52.5,
    "lon": 13.4,
    "schedule": "0 9 * * mon-fri",
    "timezone": "Europe/Berlin",
    "jitter_ms": 500,
    "schedule_windows": [{"days": ["mon", "sat"], "from": "08:00", "to": "06:30"}],
    "action": "record",
    "duration_s": 60.0,
    "catch_up": "none",
}


async def test_a_template_comes_back_as_it_was_sent_but_for_its_secrets(world: World) -> None:
    headers = await world.sign_in()

    created = await world.add_template(headers, **FULL)

    body = created.json()
    assert created.headers["location"] == f"/api/templates/{body['id']}"
    assert created.headers["etag"] == '"1"'
    assert is_id(body["id"])
    assert {name: body[name] for name in FULL if name != "config"} == {
        name: value for name, value in FULL.items() if name != "config"
    }
    assert body["config"] == {"url": "rtsp://u:***@cam/1", "username": "u", "transport": "tcp"}
    assert body["version"] == 1
    assert body["created_at"] == body["updated_at"] == "2026-01-01T12:00:00Z"
    assert {name: body[name] for name in NEUTRAL} == NEUTRAL
    assert body["health"] == {
        "state": "unknown",
        "since": "2026-01-01T12:00:00Z",
        "reason": None,
        "last_good_at": None,
        "last_good_artifact_id": None,
    }
    assert body["stream"]["state"] == "idle"
    assert world.changed == [body["id"]]
    read = await world.client.get(created.headers["location"], headers=headers)
    assert (read.json(), read.headers["etag"]) == (body, '"1"')


async def test_what_was_read_can_be_written_back(world: World) -> None:
    headers = await world.sign_in()
    created = await world.add_template(headers, **FULL)
    path, body = created.headers["location"], created.json()

    written = await world.client.put(path, json=body, headers=headers | {"If-Match": '"1"'})

    assert written.status_code == 200
    assert written.headers["etag"] == '"2"'
    assert written.json() == body | {"version": 2}
    stored = await world.services.templates.get(TemplateId(body["id"]), within=EVERYTHING)
    assert stored.settings.config == {**FULL["config"], "transport": "tcp"}


async def test_a_put_without_a_field_gives_it_its_default(world: World) -> None:
    headers = await world.sign_in()
    path = (await world.add_template(headers, **FULL)).headers["location"]
    minimal = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://cam/2"}}

    body = (await world.client.put(path, json=minimal, headers=headers | {"If-Match": "*"})).json()

    assert (body["notes"], body["groups"], body["live"], body["zones"]) == ("", [], True, [])
    assert body["motion"] == {"detector": "adaptive", "sensitivity": 0.5, "threshold": 0.0}


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ({}, 428),
        ({"If-Match": '"7"'}, 412),
        ({"If-Match": 'W/"1"'}, 412),
        ({"If-Match": "1"}, 422),
        ({"If-Match": '"1'}, 422),
    ],
    ids=str,
)
async def test_a_write_names_the_version_it_changes(
    world: World, method: str, condition: dict[str, str], status: int
) -> None:
    headers = await world.sign_in()
    created = await world.add_template(headers)
    path = created.headers["location"]

    answer = await world.client.request(
        method, path, json=None if method == "DELETE" else created.json(), headers=headers | condition
    )

    assert answer.status_code == status
    assert (await world.client.get(path, headers=headers)).headers["etag"] == '"1"'


@pytest.mark.parametrize(("condition", "status"), [('"1"', 304), ('W/"1"', 304), ("*", 304), ('"2"', 200)])
async def test_what_is_known_already_is_not_sent_again(world: World, condition: str, status: int) -> None:
    headers = await world.sign_in()
    path = (await world.add_template(headers)).headers["location"]

    answer = await world.client.get(path, headers=headers | {"If-None-Match": condition})

    assert answer.status_code == status
    assert answer.headers["etag"] == '"1"'
    assert bool(answer.content) is (status == 200)


async def test_a_removed_template_is_gone(world: World) -> None:
    headers = await world.sign_in()
    path = (await world.add_template(headers)).headers["location"]

    removed = await world.client.delete(path, headers=headers | {"If-Match": '"1"'})

    assert removed.status_code == 204
    assert removed.content == b""
    assert (await world.client.get(path, headers=headers)).status_code == 404


@pytest.mark.parametrize(
    ("patch", "field", "value"),
    [
        ({"name": "Back"}, "name", "Back"),
        ({"notes": None}, "notes", ""),
        ({"motion": {"sensitivity": 0.2}}, "motion", FULL["motion"] | {"sensitivity": 0.2}),
        ({"groups": ["one"]}, "groups", ["one"]),
        ({"lat": None, "lon": None}, "lat", None),
        ({"zones": [], "rules": []}, "zones", []),
        ({}, "name", "Front door"),
    ],
    ids=str,
)
async def test_a_patch_changes_what_it_names(
    world: World, patch: dict[str, Any], field: str, value: object
) -> None:
    headers = await world.sign_in()
    created = await world.add_template(headers, **FULL)

    answer = await world.client.patch(
        created.headers["location"], json=patch, headers=headers | {"If-Match": '"1"'}
    )

    body = answer.json()
    assert answer.status_code == 200
    assert body[field] == value
    unchanged = set(created.json()) - set(patch) - {"version"}
    assert {name: body[name] for name in unchanged} == {name: created.json()[name] for name in unchanged}


async def test_a_patch_keeps_secrets_it_does_not_name_and_removes_an_empty_one(world: World) -> None:
    headers = await world.sign_in()
    created = await world.add_template(headers, **FULL)
    path, template_id = created.headers["location"], TemplateId(created.json()["id"])

    await world.client.patch(
        path, json={"config": {"transport": "udp"}}, headers=headers | {"If-Match": '"1"'}
    )
    kept = (await world.services.templates.get(template_id, within=EVERYTHING)).settings.config
    await world.client.patch(path, json={"config": {"password": ""}}, headers=headers | {"If-Match": '"2"'})
    removed = (await world.services.templates.get(template_id, within=EVERYTHING)).settings.config

    assert kept == {**FULL["config"], "transport": "udp"}
    assert "password" not in removed
    assert removed["url"] == FULL["config"]["url"]


@pytest.mark.parametrize(
    "patch", [{"name": None}, {"name": 5}, {"nmae": "x"}, {"schedule": "* * * *"}], ids=str
)
async def test_a_patch_that_spoils_the_template_is_refused(world: World, patch: dict[str, Any]) -> None:
    headers = await world.sign_in()
    path = (await world.add_template(headers)).headers["location"]

    answer = await world.client.patch(path, json=patch, headers=headers | {"If-Match": '"1"'})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == [f"/{next(iter(patch))}"]


SQUARE = [[0, 0], [1, 0], [1, 1]]
BAD: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "/name"),
    ({"name": "   "}, "/name"),
    ({"name": "x" * 101}, "/name"),
    ({"name": 7}, "/name"),
    ({"live": 1}, "/live"),
    ({"enabled": "true"}, "/enabled"),
    ({"kind": "toaster"}, "/kind"),
    ({"kind": None}, "/kind"),
    ({"config": None}, "/config"),
    ({"config": []}, "/config"),
    ({"config": {"port": 1}}, "/config/url"),
    ({"groups": [""]}, "/groups/0"),
    ({"groups": ["x"] * 21}, "/groups"),
    ({"motion": {"sensitivity": 1.5}}, "/motion/sensitivity"),
    ({"motion": {"sensitivity": "0.5"}}, "/motion/sensitivity"),
    ({"motion": {"speed": 1}}, "/motion/speed"),
    ({"zones": [{"name": "a", "points": SQUARE[:2]}]}, "/zones/0/points"),
    ({"zones": [{"name": "a", "points": [[0, 0], [2, 0], [1, 1]]}]}, "/zones/0/points/1/0"),
    ({"zones": [{"name": "a", "points": [[0, 0, 0], [1, 0], [1, 1]]}]}, "/zones/0/points/0"),
    ({"zones": [{"name": "a", "points": SQUARE}] * 2}, "/zones"),
    ({"motion_masks": [[[0, 0]]]}, "/motion_masks/0"),
    ({"motion_masks": [[[0, 0]] * 65]}, "/motion_masks/0"),
    ({"lat": 91, "lon": 0}, "/lat"),
    ({"lat": 10}, "/lat"),
    ({"colour": "red"}, "/colour"),
    ({"schedule": "* * * *"}, "/schedule"),
    ({"schedule": "61 * * * *"}, "/schedule"),
    ({"schedule": 5}, "/schedule"),
    ({"schedule": "* " * 101}, "/schedule"),
    ({"jitter_ms": False}, "/jitter_ms"),
    ({"jitter_ms": 3_600_001}, "/jitter_ms"),
    ({"timezone": "Europe/Atlantis"}, "/timezone"),
    ({"timezone": "../../etc/passwd"}, "/timezone"),
    ({"action": "dance"}, "/action"),
    ({"action": "record"}, "/duration_s"),
    ({"duration_s": 5}, "/duration_s"),
    ({"action": "record", "duration_s": 0}, "/duration_s"),
    ({"catch_up": "all"}, "/catch_up"),
    ({"schedule_windows": [{"days": [], "from": "01:00", "to": "02:00"}]}, "/schedule_windows/0/days"),
    ({"schedule_windows": [{"from": "25:00", "to": "02:00"}]}, "/schedule_windows/0/from"),
    ({"schedule": "0 12 * * *", "schedule_windows": [{"from": "01:00", "to": "02:00"}]}, "/schedule_windows"),
    ({"rules": [{"name": "x"}, {"name": "x", "when": {"min_score": 2}}]}, "/rules/1/when/min_score"),
    ({"rules": [{"name": "x", "when": {"zone": "roof"}}]}, "/rules/0/when/zone"),
    ({"rules": [{"name": "x", "timezone": "Mars/Olympus"}]}, "/rules/0/timezone"),
    ({"rules": [{"name": "x", "quiet_hours": [{"to": "06:00"}]}]}, "/rules/0/quiet_hours/0/from"),
    ({"rules": [{"name": "x"}] * 33}, "/rules"),
    ({"rules": [{"name": "x", "id": RULE_ID}] * 2}, "/rules/1/id"),
    ({"privacy_masks": [SQUARE[:2]]}, "/privacy_masks/0"),
    ({"privacy_masks": [[]]}, "/privacy_masks/0"),
    ({"privacy_masks": [[[0.5, 0.5]] * 65]}, "/privacy_masks/0"),
    ({"privacy_masks": [SQUARE, [[0, 0], [1.01, 0], [1, 1]]]}, "/privacy_masks/1/1/0"),
    ({"privacy_masks": [[[0, 0], [0, -0.1], [1, 1]]]}, "/privacy_masks/0/1/1"),
    ({"privacy_masks": [SQUARE] * 33}, "/privacy_masks"),
    ({"privacy_masks": "all"}, "/privacy_masks"),
    ({"overlay": {"name": "yes"}}, "/overlay/name"),
    ({"overlay": {"colour": "red"}}, "/overlay/colour"),
]


async def test_every_wrong_field_is_named_and_nothing_is_made(world: World) -> None:
    headers = await world.sign_in()

    for changes, pointer in BAD:
        body = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://cam/1"}} | changes
        answer = await world.client.post("/api/templates", json=body, headers=headers)

        assert answer.status_code == 422, changes
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer], changes

    assert (await world.client.get("/api/templates", headers=headers)).json()["items"] == []


async def test_areas_are_taken_and_given_back_as_they_were_drawn(world: World) -> None:
    headers = await world.sign_in()
    bow_tie = [[0.0, 0.0], [1.0, 1.0], [1.0, 0.0], [0.0, 1.0]]
    everything = [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]]
    drawn = {"privacy_masks": [bow_tie, everything], "overlay": {"name": True, "time": False}}

    made = (await world.add_template(headers, **drawn)).json()
    path = f"/api/templates/{made['id']}"
    kept = await world.client.patch(path, json={"notes": "x"}, headers=headers | {"If-Match": '"1"'})

    assert {name: made[name] for name in drawn} == drawn
    assert {name: kept.json()[name] for name in drawn} == drawn


async def test_ten_thousand_points_are_too_many(world: World) -> None:
    headers = await world.sign_in()
    body = {"name": "Door", "kind": "camera", "config": {"url": "rtsp://cam/1"}}

    answer = await world.client.post(
        "/api/templates", json=body | {"privacy_masks": [[[0.5, 0.5]] * 10_000]}, headers=headers
    )

    assert answer.status_code == 422
    assert "values" in answer.json()["detail"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
    | st.sampled_from(["rtsp://u:***@h/", "***://", "http://[", "\ud800", "a\x00"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["url", "password", "points", "name", "x"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
changes_of_any_kind = st.dictionaries(st.sampled_from([*FULL, *NEUTRAL, "id"]), json_values, max_size=3)


@given(changes=changes_of_any_kind)
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture]
)  # one program for all examples is meant
async def test_no_document_whatever_breaks_the_program(world: World, changes: dict[str, Any]) -> None:
    headers = await world.sign_in() | {"If-Match": "*", "Content-Type": "application/json"}
    path = (await world.add_template(headers, **FULL)).headers["location"]

    for method, target, body in (
        ("POST", "/api/templates", FULL | changes),
        ("PUT", path, FULL | changes),
        ("PATCH", path, changes),
    ):
        answer = await world.client.request(method, target, content=json.dumps(body), headers=headers)
        assert answer.status_code in (200, 201, 400, 422), method
    assert (await world.client.get(path, headers=headers)).status_code == 200


async def test_a_function_of_a_later_version_says_so(world: World) -> None:
    headers = await world.sign_in()
    body = {"name": "D", "kind": "camera", "config": {"url": "u"}, "proxy": "http://p"}

    answer = await world.client.post("/api/templates", json=body, headers=headers)

    assert answer.json()["errors"] == [
        {"pointer": "/proxy", "message": "not available in this version: leave it out"}
    ]


async def test_viewers_see_no_config(world: World) -> None:
    created = await world.add_template(await world.sign_in(), **FULL)
    viewer = await world.sign_in(Role.VIEWER)

    one = (await world.client.get(created.headers["location"], headers=viewer)).json()
    listed = (await world.client.get("/api/templates", headers=viewer)).json()["items"]

    assert listed == [one]
    assert not {"config", "rules", "secrets"} & set(one)
    assert "hunter2" not in str(listed)
    assert set(created.json()) - set(one) == {"config", "rules", "secrets"}


async def test_a_list_goes_on_where_its_page_ended(world: World) -> None:
    headers = await world.sign_in()
    made = [(await world.add_template(headers, name=str(number))).json()["id"] for number in range(5)]

    first = (await world.client.get("/api/templates?limit=3", headers=headers)).json()
    rest = (
        await world.client.get(f"/api/templates?limit=3&cursor={first['next_cursor']}", headers=headers)
    ).json()

    assert [item["id"] for item in first["items"] + rest["items"]] == sorted(made)
    assert rest["next_cursor"] is None


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("kind=page", ["Lake"]),
        ("kind=toaster", []),
        ("enabled=false", ["Front door"]),
        ("group=doors", ["Front door"]),
        ("q=LINE", ["Front door"]),
        ("q=%25", []),
        ("health=ok", ["Lake"]),
        ("health=unknown&kind=camera", ["Front door"]),
        ("enabled=true&group=doors", []),
    ],
)
async def test_filters_narrow_the_list(world: World, query: str, names: list[str]) -> None:
    headers = await world.sign_in()
    await world.add_template(headers, **FULL)
    lake = (await world.add_template(headers, name="Lake", kind="page")).json()["id"]
    world.healths.verdicts[lake] = ViewHealth(state=HealthState.OK, since=world.clock.now())

    items = (await world.client.get(f"/api/templates?{query}", headers=headers)).json()["items"]

    assert [item["name"] for item in items] == names


async def test_health_and_stream_are_shown_beside_the_settings(world: World) -> None:
    headers = await world.sign_in()
    created = await world.add_template(headers)
    template_id = created.json()["id"]
    world.healths.verdicts[template_id] = ViewHealth(
        state=HealthState.ERROR_PAGE, since=world.clock.now(), reason="why", last_good_at=world.clock.now()
    )
    world.live.states[template_id] = StreamStatus(
        state=State.LIVE, since=world.clock.now(), reason="why", fps=12.5, width=1920, height=1080, epoch=3
    )

    body = (await world.client.get(created.headers["location"], headers=headers)).json()

    assert body["health"] == {
        "state": "error_page",
        "since": "2026-01-01T12:00:00Z",
        "reason": "why",
        "last_good_at": "2026-01-01T12:00:00Z",
        "last_good_artifact_id": None,
    }
    assert body["stream"] == {
        "state": "live",
        "since": "2026-01-01T12:00:00Z",
        "fps": 12.5,
        "width": 1920,
        "height": 1080,
        "reason": "why",
    }


async def test_kinds_say_what_their_config_is(world: World) -> None:
    kinds = (await world.client.get("/api/template-kinds", headers=await world.sign_in())).json()

    assert [kind["kind"] for kind in kinds] == ["camera", "page"]
    assert set(kinds[0]) == {"kind", "title", "description", "schema"}
    assert kinds[0]["schema"]["properties"]["url"] == {"type": "string"}


async def test_a_change_is_audited_with_its_author(world: World) -> None:
    await world.add_template(await world.sign_in())

    audit = await world.database.read(lambda tx: tx.audit.list(AuditFilter(), PageRequest()))
    assert audit.items[0].actor.startswith("admin-")
    assert audit.items[0].client_ip == "127.0.0.1"


async def test_nobody_changes_what_is_not_there(world: World) -> None:
    headers = await world.sign_in() | {"If-Match": "*"}

    answer = await world.client.delete(f"/api/templates/{new_id()}", headers=headers)

    assert answer.status_code == 404


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        (["a", "b"], ["c", "d"], ["c", "d"]),
        ({"a": "b"}, ["c"], ["c"]),
        ({"a": "foo"}, None, None),
        ({"a": "foo"}, "bar", "bar"),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
    ],
    ids=str,
)
def test_merge_patch_does_what_the_appendix_of_rfc_7396_shows(
    target: object, patch: object, result: object
) -> None:
    assert merge_patch(target, patch) == result
