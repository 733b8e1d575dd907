"""What happened is found again, with its picture; and whom the program told of it."""

import re
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import sign_in

pytestmark = pytest.mark.timeout(180)


def test_an_event_shows_its_picture_with_what_moved_framed(page: Page) -> None:
    page.goto("/events")
    page.get_by_role("link", name=re.compile("Motion")).first.click()

    detail = page.get_by_role("article")
    picture = detail.get_by_role("img", name=re.compile("full size"))
    expect(picture).to_have_js_property("naturalWidth", 320)
    expect(detail.locator("svg[data-boxes] rect").first).to_be_visible()
    for fact in ("Score", "Start", "Level"):
        expect(detail.get_by_text(fact, exact=True)).to_be_visible()


def test_a_filter_stands_in_the_address_and_can_be_taken_back(page: Page, room: dict[str, Any]) -> None:
    page.goto("/events")
    page.get_by_label("Source").select_option(label="Room")
    expect(page).to_have_url(re.compile(f"source={room['id']}"))
    page.get_by_label("Kind").select_option(label="Health")
    expect(page.get_by_text("No event fits this")).to_be_visible()

    page.get_by_role("button", name="Show all events").click()

    expect(page).to_have_url(re.compile("/events$"))
    expect(page.get_by_role("link", name=re.compile("Motion")).first).to_be_visible()


def test_a_link_to_an_event_shows_it_beside_the_list(page: Page, client: httpx2.Client) -> None:
    event = client.get("/api/events", params={"kind": "motion"}).json()["items"][0]
    page.goto(f"/events/{event['id']}?kind=motion")

    expect(page.get_by_role("article", name=event["message"])).to_be_visible()
    expect(page.get_by_label("Kind")).to_have_value("motion")


def test_keys_go_through_the_list(page: Page, client: httpx2.Client) -> None:
    newest = client.get("/api/events", params={"kind": "motion"}).json()["items"][0]["id"]
    page.goto(f"/events/{newest}?kind=motion")
    expect(page.get_by_role("article")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Motion")).first).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("heading", name="Sources", level=1)).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("e")
    expect(page.get_by_role("link", name=re.compile("Motion")).first).to_be_visible()
    page.keyboard.press("j")

    expect(page).to_have_url(re.compile(r"/events/\w{26}"))


def test_an_event_that_does_not_exist_is_no_blank_page(open_page: Open) -> None:
    with open_page(allowed=(r"404 GET .*/api/events/", r"console: .*status of 404")) as page:
        sign_in(page.context)
        page.goto("/events/01ARZ3NDEKTSV4RRFFQ69G5FAV")

        expect(page.get_by_role("heading", name="There is no such page")).to_be_visible()


def test_an_alert_shows_its_deliveries_and_is_acknowledged(page: Page) -> None:
    page.goto("/alerts")
    page.get_by_role("link", name=re.compile("Open")).first.click()
    detail = page.get_by_role("article")
    expect(detail.get_by_role("region", name="Deliveries")).to_contain_text("Phone")
    expect(detail.get_by_role("region", name="Deliveries")).to_contain_text("Sent")

    detail.get_by_role("button", name="Acknowledge").click()

    expect(detail).to_contain_text("Acknowledged by")
    page.get_by_role("group", name="State").get_by_role("button", name="Open").click()
    expect(page.get_by_text("No alert is in this state")).to_be_visible()


def test_a_channel_is_added_and_tried(page: Page, client: httpx2.Client) -> None:
    page.goto("/channels")
    page.get_by_role("button", name="Add channel").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("Nowhere")
    dialog.get_by_label("Address").fill("http://127.0.0.1:9/")
    dialog.get_by_role("button", name="Save").click()
    card = page.get_by_role("listitem").filter(has_text="Nowhere")
    card.get_by_role("button", name="Send a test").click()

    expect(card.get_by_role("status")).to_contain_text("The test did not arrive")

    card.get_by_role("button", name="Delete Nowhere").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete channel").click()
    expect(card).to_have_count(0)
    page.get_by_role("listitem").filter(has_text="Phone").get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The test arrived")).to_be_visible()
