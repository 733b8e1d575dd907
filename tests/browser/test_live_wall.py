"""The wall shows what is live, shows it moving, and never passes an old picture for a live one."""

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, WebSocket, WebSocketRoute, expect

from tests.browser.conftest import Open
from tests.browser.pages import expect_moving, sign_in

pytestmark = pytest.mark.timeout(180)

MANY = 7
"""More than the six connections that a browser opens to one host."""


@pytest.fixture
def sources(client: httpx2.Client) -> Iterator[list[str]]:
    """Many sources beside the room, for one test."""
    body: dict[str, Any] = {"kind": "file", "config": {"path": "room.mp4"}, "motion": {"detector": "off"}}
    added = [client.post("/api/templates", json=body | {"name": f"View {n}"}).json() for n in range(MANY)]
    yield [template["id"] for template in added]
    for template in added:
        client.delete(f"/api/templates/{template['id']}", headers={"If-Match": '"1"'})


def test_many_pictures_move_at_once_and_the_rest_of_the_app_still_answers(
    page: Page, sources: list[str]
) -> None:
    page.goto("/live")

    for source in sources:
        expect_moving(page, source)
    took_ms = page.evaluate(
        "() => { const began = performance.now();"
        " return fetch('/api/me').then(() => performance.now() - began); }"
    )
    assert took_ms < 500


def test_only_what_can_be_seen_is_asked_for(page: Page, sources: list[str]) -> None:
    asked: list[list[str]] = []

    def remember(socket: WebSocket) -> None:
        socket.on("framesent", lambda text: asked.append([tile["id"] for tile in json.loads(text)["tiles"]]))

    page.on("websocket", remember)
    page.set_viewport_size({"width": 500, "height": 400})
    page.goto("/live")
    expect_moving(page, page.locator("[data-tile]").first.get_attribute("data-tile") or "")
    visible = set(asked[-1])
    page.evaluate(
        "() => { Object.defineProperty(document, 'hidden', { value: true });"
        " document.dispatchEvent(new Event('visibilitychange')); }"
    )
    page.wait_for_timeout(300)

    assert 0 < len(visible) < len(sources)
    assert asked[-1] == []


def test_pictures_come_one_by_one_when_the_socket_does_not_open(page: Page, room: dict[str, Any]) -> None:
    def refuse(socket: WebSocketRoute) -> None:
        socket.close()

    page.route_web_socket("**/api/live", refuse)
    page.goto("/live")

    expect_moving(page, room["id"])


def test_a_view_that_is_down_says_so_since_when_and_why(page: Page, client: httpx2.Client) -> None:
    body = {"name": "Gate", "kind": "ffmpeg", "config": {"url": "rtsp://127.0.0.1:9/none"}}
    gate = client.post("/api/templates", json=body).json()
    try:
        page.goto("/live")
        tile = page.locator(f"[data-tile='{gate['id']}']")

        expect(tile).to_have_attribute("data-status", "bad", timeout=15_000)
        expect(tile).to_contain_text("since")
        expect(tile.locator("p")).not_to_be_empty()
    finally:
        client.delete(f"/api/templates/{gate['id']}", headers={"If-Match": '"1"'})


def test_pictures_that_stop_coming_are_soon_called_old(page: Page, room: dict[str, Any]) -> None:
    stopped: list[bool] = []

    def pass_on(socket: WebSocketRoute) -> None:
        server = socket.connect_to_server()
        server.on_message(lambda message: None if stopped else socket.send(message))

    page.route_web_socket("**/api/live", pass_on)
    page.goto("/live")
    expect_moving(page, room["id"])
    stopped.append(True)

    tile = page.locator(f"[data-tile='{room['id']}']")
    expect(tile).to_have_attribute("data-status", "old", timeout=15_000)
    expect(tile).to_contain_text("s old")


def test_a_lost_server_is_announced_and_found_again(open_page: Open, room: dict[str, Any]) -> None:
    offline = (r"console: .*ERR_INTERNET_DISCONNECTED", r"console: WebSocket")
    with open_page(allowed=offline) as page:
        sign_in(page.context)
        with page.expect_response(re.compile(r"/assets/Settings-")):  # of all pages the last to be loaded
            page.goto("/live")
        expect_moving(page, room["id"])
        page.context.set_offline(True)
        page.get_by_role("navigation", name="Main", exact=True).get_by_role("link", name="Events").click()
        expect(page.get_by_role("alert").first).to_contain_text("No connection to the server")

        page.context.set_offline(False)
        expect(page.get_by_text("No connection to the server")).to_have_count(0, timeout=15_000)
        expect(page.get_by_role("link", name="Motion").first).to_be_visible()
