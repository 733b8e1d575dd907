"""What a wall's client may ask for, what it is sent, and what waits for it."""

import asyncio
import contextlib
import json
import re
import struct
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import InvalidInput
from glimpser.core.frames import Frame
from glimpser.core.ids import TemplateId, new_id
from glimpser.streaming.subscriptions import Published
from glimpser.streaming.wall import (
    MAX_FPS,
    MAX_REQUEST_BYTES,
    MAX_TILES,
    MIN_FPS,
    NotJson,
    Outbox,
    Overflow,
    Tile,
    binary_message,
    parse_request,
)

DOOR = TemplateId("01JD0000000000000000000CAM")
YARD = TemplateId("01JD000000000000000000CAM2")
GATE = TemplateId("01JD000000000000000000CAM3")
CAPTURED = datetime(2026, 11, 22, 12, 0, 0, 250_000, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=20,
)
tiles = st.fixed_dictionaries(
    {
        "id": st.builds(new_id),
        "fps": st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9),
        "w": st.floats(-1e9, 1e9) | st.integers(-(10**9), 10**9),
    },
    optional={"newer": json_values.filter(lambda value: not re.search("NaN|Infinity", json.dumps(value)))},
)


def published(template_id: TemplateId, sequence: int = 1) -> Published:
    return Published(Frame(template_id, sequence, CAPTURED, f"jpeg{sequence}".encode(), 320, 180))


def asked(**changes: Any) -> str:
    return json.dumps({"tiles": [{"id": DOOR, "fps": 5, "w": 300} | changes]})


def test_a_request_names_tiles() -> None:
    text = json.dumps({"tiles": [{"id": DOOR, "fps": 5, "w": 321}, {"id": YARD, "fps": 0.5, "w": 200.5}]})

    assert parse_request(text) == (Tile(DOOR, 5, 640), Tile(YARD, 0.5, 320))


def test_nothing_to_be_seen_is_a_request_too() -> None:
    assert parse_request('{"tiles":[]}') == ()


@pytest.mark.parametrize(
    ("fps", "kept"),
    [(0, MIN_FPS), (-3, MIN_FPS), (0.1, 0.1), (29.97, 29.97), (30, 30), (1e300, MAX_FPS)],
)
def test_rates_are_brought_within_limits(fps: float, kept: float) -> None:
    assert parse_request(asked(fps=fps))[0].fps == kept


@pytest.mark.parametrize(
    ("w", "width"), [(0, 320), (-5, 320), (320, 320), (321, 640), (1000, 1280), (1280, 1280), (1e300, 1280)]
)
def test_widths_are_shared_ones_and_never_the_native(w: float, width: int) -> None:
    assert parse_request(asked(w=w))[0].width == width


def test_of_a_tile_named_twice_the_last_counts() -> None:
    text = json.dumps({"tiles": [{"id": DOOR, "fps": 5, "w": 320}, {"id": DOOR, "fps": 10, "w": 640}]})

    assert parse_request(text) == (Tile(DOOR, 10, 640),)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        '{"tiles":[',
        '{"tiles":[]}}',
        '{"newer":' + "[" * 16_000,
        '{"tiles":[{"id":"\\ud800","fps":1,"w":1}]}',
        "\ud800",
        '{"tiles":[{"id":"a","fps":NaN,"w":1}]}',
        '{"tiles":[{"id":"a","fps":Infinity,"w":1}]}',
    ],
    ids=["empty", "words", "cut", "more", "deep", "surrogate", "lone", "nan", "infinity"],
)
def test_what_is_not_json_is_called_so(text: str) -> None:
    with pytest.raises(NotJson):
        parse_request(text)


@pytest.mark.parametrize(
    "text",
    [
        "null",
        "[]",
        "{}",
        '{"tiles":null}',
        '{"tiles":{}}',
        '{"tiles":["a"]}',
        '{"tiles":[{"id":"a","fps":1}]}',
        asked(id=""),
        asked(id="x" * 65),
        asked(id=7),
        asked(fps="5"),
        asked(fps=None),
        asked(fps=True),
        asked(w=[320]),
        asked(fps=10**400),
    ],
)
def test_another_shape_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_request(text)

    assert not isinstance(refusal.value, NotJson)


def test_a_wall_has_room_for_so_many_tiles_and_no_more() -> None:
    def of(count: int) -> str:
        return json.dumps({"tiles": [{"id": new_id(), "fps": 5, "w": 320} for _ in range(count)]})

    assert len(parse_request(of(MAX_TILES))) == MAX_TILES
    with pytest.raises(InvalidInput):
        parse_request(of(MAX_TILES + 1))


def test_a_request_has_a_size() -> None:
    legal = '{"tiles":[]}'.ljust(MAX_REQUEST_BYTES)

    assert parse_request(legal) == ()
    with pytest.raises(InvalidInput, match="bytes"):
        parse_request(legal + " ")
    with pytest.raises(InvalidInput, match="bytes"):
        parse_request(legal[:-1] + "é")


@given(st.text(max_size=200) | json_values.map(json.dumps) | st.lists(json_values).map(json.dumps))
def test_whatever_comes_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        assert len(parse_request(text)) <= MAX_TILES


@given(st.lists(tiles, max_size=MAX_TILES))
def test_what_is_read_keeps_within_all_limits(asked_tiles: list[dict[str, Any]]) -> None:
    result = parse_request(json.dumps({"tiles": asked_tiles}))

    assert [tile.template_id for tile in result] == [tile["id"] for tile in asked_tiles]
    assert all(MIN_FPS <= tile.fps <= MAX_FPS and tile.width in (320, 640, 1280) for tile in result)


def test_a_picture_carries_its_view_and_its_time() -> None:
    message = published(DOOR).form(binary_message)

    version, length, captured_s = struct.unpack_from(">BBd", message)
    assert (version, length, captured_s) == (1, 26, CAPTURED.timestamp())
    assert message[10 : 10 + length].decode() == DOOR
    assert message[10 + length :] == b"jpeg1"


def test_a_picture_is_put_into_its_form_once_for_all_sockets() -> None:
    picture = published(DOOR)

    assert picture.form(binary_message) is picture.form(binary_message)


@pytest.mark.anyio
async def test_only_the_newest_picture_of_a_tile_waits_and_the_others_count_as_lost() -> None:
    outbox: Outbox[str] = Outbox()
    take = outbox.sink(DOOR)
    first, second, third = (published(DOOR, number) for number in (1, 2, 3))

    assert [take(first), take(second), take(third)] == [True, False, False]
    assert await outbox.next() is third
    assert not outbox.waiting
    assert take(published(DOOR, 4))


@pytest.mark.anyio
async def test_a_picture_that_is_shown_already_is_not_sent_again() -> None:
    outbox: Outbox[str] = Outbox()
    take, picture = outbox.sink(DOOR), published(DOOR)
    take(picture)
    await outbox.next()

    assert take(picture)

    assert not outbox.waiting


@pytest.mark.anyio
async def test_a_slow_socket_shows_every_tile_equally_often() -> None:
    outbox: Outbox[str] = Outbox()
    sinks = {template_id: outbox.sink(template_id) for template_id in (DOOR, YARD, GATE)}
    every = {DOOR: 1, YARD: 3, GATE: 7}
    sent: Counter[TemplateId] = Counter()

    for tick in range(210):
        for template_id, period in every.items():
            if tick % period == 0:
                sinks[template_id](published(template_id, tick))
        if tick % 8 == 0:  # the socket takes fewer than even the slowest source gives
            picture = await outbox.next()
            assert isinstance(picture, Published)
            sent[picture.frame.template_id] += 1

    assert max(sent.values()) - min(sent.values()) <= 1


@pytest.mark.anyio
async def test_what_happened_goes_before_pictures_and_in_order() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.sink(DOOR)(published(DOOR))
    outbox.put("first")
    outbox.put("second")

    assert [await outbox.next(), await outbox.next()] == ["first", "second"]
    assert isinstance(await outbox.next(), Published)


@pytest.mark.anyio
async def test_a_socket_too_far_behind_has_to_begin_anew() -> None:
    outbox: Outbox[int] = Outbox(max_messages=3)
    for number in range(3):
        outbox.put(number)
    assert await outbox.next() == 0
    outbox.put(3)
    outbox.put(4)

    with pytest.raises(Overflow):
        await outbox.next()


@pytest.mark.anyio
async def test_a_tile_no_longer_seen_sends_nothing() -> None:
    outbox: Outbox[str] = Outbox()
    outbox.sink(DOOR)(published(DOOR))
    outbox.sink(YARD)(published(YARD))

    outbox.forget(DOOR)

    assert list(outbox.waiting) == [YARD]


@pytest.mark.anyio
async def test_whoever_waits_is_woken_by_a_picture() -> None:
    outbox: Outbox[str] = Outbox()
    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(outbox.next())
        await asyncio.sleep(0)
        outbox.sink(DOOR)(published(DOOR))

    assert isinstance(waiting.result(), Published)
