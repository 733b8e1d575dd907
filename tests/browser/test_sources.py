"""Sources are added, changed and removed by forms that say what is wrong, where it is wrong."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import sign_in

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def hall(client: httpx2.Client) -> Iterator[dict[str, Any]]:
    body = {"name": "Hall", "kind": "file", "config": {"path": "room.mp4"}, "motion": {"detector": "off"}}
    template = client.post("/api/templates", json=body).json()
    yield template
    client.delete(f"/api/templates/{template['id']}", headers={"If-Match": "*"})


def test_what_is_missing_is_said_at_the_field_which_gets_the_focus(page: Page) -> None:
    page.goto("/sources/new")
    page.get_by_role("button", name="Add source").click()

    expect(page.get_by_text("A name is needed.")).to_be_visible()
    expect(page.get_by_text("Address is needed.")).to_be_visible()
    expect(page.get_by_label("Name", exact=True)).to_be_focused()


def test_what_the_server_refuses_is_said_at_the_field(open_page: Open) -> None:
    with open_page(allowed=(r"422 POST .*/api/templates$", r"console: .*status of 422")) as page:
        sign_in(page.context)
        page.goto("/sources/new")
        page.get_by_role("radio", name=re.compile("File or folder")).check(force=True)
        page.get_by_label("Name", exact=True).fill("Passwords")
        page.get_by_label("Path").fill("/etc/passwd")
        page.get_by_role("button", name="Add source").click()

        path = page.get_by_label("Path")
        expect(path).to_be_focused()
        expect(path).to_have_attribute("aria-invalid", "true")
        description = page.locator(f"#{(path.get_attribute('aria-describedby') or '').split()[-1]}")
        expect(description).not_to_be_empty()


def test_a_change_is_saved_and_what_the_form_does_not_show_stays(
    page: Page, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    zones = [{"name": "Door", "points": [[0, 0], [1, 0], [1, 1]]}]
    address = f"/api/templates/{hall['id']}"
    client.patch(address, json={"zones": zones}, headers={"If-Match": "*"})

    page.goto(f"/sources/{hall['id']}/edit")
    page.get_by_label("Name", exact=True).fill("Corridor")
    page.get_by_role("button", name="Save changes").click()

    expect(page.get_by_role("heading", name="Corridor", level=1)).to_be_visible()
    saved = client.get(address).json()
    assert (saved["name"], saved["config"]["path"], saved["zones"]) == ("Corridor", "room.mp4", zones)


def test_two_people_do_not_overwrite_each_other(
    open_page: Open, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    address = f"/api/templates/{hall['id']}"
    with open_page(allowed=(r"412 PUT", r"console: .*status of 412")) as page:
        sign_in(page.context)
        page.goto(f"/sources/{hall['id']}/edit")
        page.get_by_label("Name", exact=True).fill("Mine")
        client.patch(address, json={"name": "Theirs"}, headers={"If-Match": "*"})
        page.get_by_role("button", name="Save changes").click()

        expect(page.get_by_text("Somebody else changed this source")).to_be_visible()
        assert client.get(address).json()["name"] == "Theirs"

        page.get_by_role("button", name="Keep mine").click()
        page.get_by_role("button", name="Save changes").click()
        expect(page.get_by_role("heading", name="Mine", level=1)).to_be_visible()


def test_the_version_of_somebody_else_can_be_loaded(
    open_page: Open, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    with open_page(allowed=(r"412 PUT", r"console: .*status of 412")) as page:
        sign_in(page.context)
        page.goto(f"/sources/{hall['id']}/edit")
        page.get_by_label("Name", exact=True).fill("Mine")
        client.patch(f"/api/templates/{hall['id']}", json={"name": "Theirs"}, headers={"If-Match": "*"})
        page.get_by_role("button", name="Save changes").click()
        page.get_by_role("button", name="Load their version").click()

        expect(page.get_by_label("Name", exact=True)).to_have_value("Theirs")


def test_a_source_is_switched_off_and_on_and_deleted(
    page: Page, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    page.goto("/sources")
    row = page.get_by_role("row", name=re.compile("Hall"))
    row.get_by_role("switch").click()
    expect(row).to_contain_text("Switched off")
    row.get_by_role("switch").click()
    expect(row).to_contain_text("Live")

    row.get_by_role("link", name="Hall").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("dialog").get_by_role("button", name="Delete source").click()

    expect(page).to_have_url(re.compile("/sources$"))
    expect(page.get_by_role("link", name="Room")).to_be_visible()
    expect(page.get_by_role("link", name="Hall")).to_have_count(0)
    assert client.get(f"/api/templates/{hall['id']}").status_code == 404


def test_a_rule_is_added_in_the_words_of_a_person_and_stored_in_those_of_the_interface(
    page: Page, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    page.goto(f"/sources/{hall['id']}")
    page.get_by_role("button", name="Add rule").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Night")
    dialog.get_by_role("checkbox", name="Phone").check()
    dialog.get_by_label("At most once every").fill("60")
    dialog.get_by_role("button", name="Add quiet hours").click()
    dialog.get_by_role("button", name="Sat").click()
    dialog.get_by_role("button", name="Save rule").click()

    expect(page.get_by_text("at most every 1 min")).to_be_visible()
    [rule] = client.get(f"/api/templates/{hall['id']}").json()["rules"]
    assert rule["name"] == "Night"
    assert rule["dedupe_s"] == 60
    assert len(rule["channels"]) == 1
    assert rule["quiet_hours"] == [
        {"days": ["mon", "tue", "wed", "thu", "fri", "sun"], "from": "22:00", "to": "07:00"}
    ]


def test_a_privacy_mask_is_drawn_with_the_keyboard_and_kept(
    page: Page, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    page.goto(f"/sources/{hall['id']}/edit")
    page.get_by_text("Areas, privacy and captions").click()
    page.get_by_role("button", name="Privacy mask", exact=True).click()
    page.get_by_role("button", name="Zone", exact=True).click()
    page.get_by_role("button", name=re.compile("^Privacy mask 4 corners")).focus()
    page.keyboard.press("Enter")
    corner = page.get_by_role("button", name=re.compile("^Corner 1 of 4"))
    corner.focus()
    page.keyboard.press("Shift+ArrowLeft")
    page.keyboard.press("ArrowUp")
    page.get_by_role("button", name="Add a corner after corner 4").click()
    page.get_by_label("Write the name into every picture").check()
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(re.compile(rf"/sources/{hall['id']}$"))

    kept = client.get(f"/api/templates/{hall['id']}").json()
    assert len(kept["privacy_masks"]) == 1
    assert len(kept["privacy_masks"][0]) == 5
    assert kept["privacy_masks"][0][0] == [0.25, 0.29]
    assert [zone["name"] for zone in kept["zones"]] == ["Zone 1"]
    assert kept["overlay"] == {"name": True, "time": False}


def test_a_corner_is_dragged(page: Page, client: httpx2.Client, hall: dict[str, Any]) -> None:
    square = [[0.2, 0.2], [0.6, 0.2], [0.6, 0.6], [0.2, 0.6]]
    client.patch(
        f"/api/templates/{hall['id']}", json={"motion_masks": [square]}, headers={"If-Match": "*"}
    ).raise_for_status()
    page.goto(f"/sources/{hall['id']}/edit")
    page.get_by_text("Areas, privacy and captions").click()
    page.get_by_role("button", name=re.compile("^Ignored for motion 4 corners")).click()
    corner = page.get_by_role("button", name=re.compile("^Corner 3 of 4"))
    corner.scroll_into_view_if_needed()
    box = corner.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 500, y + 40, steps=4)
    page.mouse.up()
    page.get_by_role("button", name="Save changes").click()
    page.wait_for_url(re.compile(rf"/sources/{hall['id']}$"))

    (kept,) = client.get(f"/api/templates/{hall['id']}").json()["motion_masks"]
    assert kept[2][0] == 1
    assert 0.6 < kept[2][1] < 1
    assert [kept[index] for index in (0, 1, 3)] == [square[index] for index in (0, 1, 3)]


def test_an_address_is_tried_and_what_was_found_is_saved(page: Page, client: httpx2.Client) -> None:
    page.goto("/sources/new")
    page.get_by_label("Address to try").fill("room.mp4")
    page.get_by_role("button", name="Try it").click()

    expect(page.get_by_text("320 × 180")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Use this").click()
    page.get_by_label("Name", exact=True).fill("Tried")
    page.get_by_role("button", name="Add source").click()

    expect(page.get_by_role("heading", name="Tried")).to_be_visible()
    [added] = client.get("/api/templates", params={"q": "Tried"}).json()["items"]
    assert (added["kind"], added["config"]["path"]) == ("file", "room.mp4")
    client.delete(f"/api/templates/{added['id']}", headers={"If-Match": "*"})


def test_an_address_that_is_dead_is_said_with_the_step_it_fails_in(page: Page) -> None:
    page.goto("/sources/new")
    page.get_by_label("Address to try").fill("http://127.0.0.1:9/")
    page.get_by_role("button", name="Try it").click()

    expect(page.get_by_role("alert")).to_contain_text("the connection was refused", timeout=20_000)
    expect(page.get_by_role("listitem").filter(has_text="Connecting")).to_contain_text("failed")
