"""Sources are captured by the clock or at once, and what came of it is shown: as a job, and as a picture."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.pages import sign_in, violations_in_both_themes
from tests.program import wait_for

pytestmark = pytest.mark.timeout(180)


@pytest.fixture
def hall(client: httpx2.Client) -> Iterator[dict[str, Any]]:
    body = {"name": "Stairs", "kind": "file", "config": {"path": "room.mp4"}, "motion": {"detector": "off"}}
    template = client.post("/api/templates", json=body).json()
    yield template
    client.delete(f"/api/templates/{template['id']}", headers={"If-Match": "*"})


def test_a_schedule_is_told_in_words_while_it_is_typed_and_then_paused(
    open_page: Open, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    refused = (r"422 GET .*/api/schedule/preview", r"console: .*status of 422")
    with open_page(allowed=refused, timezone_id="Europe/Berlin") as page:
        sign_in(page.context)
        page.goto(f"/sources/{hall['id']}/edit")
        page.get_by_text("Schedule", exact=True).click()
        page.get_by_label("Capture it").select_option(label="At times of your own …")
        page.get_by_label("Times", exact=True).fill("61 2 * * *")
        expect(page.get_by_role("status").get_by_text(re.compile("minute"))).to_be_visible()
        page.get_by_label("Times", exact=True).fill("30 2 * * *")
        expect(page.get_by_text(re.compile("^Next: .*02:30"))).to_be_visible()
        page.get_by_label("Begin later by up to").fill("2.5")
        page.get_by_role("button", name="Add hours").click()
        page.get_by_role("button", name="Save changes").click()

        section = page.get_by_role("region", name="Schedule")
        expect(section).to_contain_text("Next in")
        saved = client.get(f"/api/templates/{hall['id']}").json()
        assert (saved["schedule"], saved["timezone"]) == ("30 2 * * *", "Europe/Berlin")
        assert saved["jitter_ms"] == 2500
        assert len(saved["schedule_windows"]) == 1

        section.get_by_role("button", name="Pause").click()
        expect(section).to_contain_text("Paused")
        assert client.get(f"/api/templates/{hall['id']}").json()["paused"] is True
        section.get_by_role("button", name="Resume").click()
        expect(section).to_contain_text("Next in")


def test_a_capture_that_is_asked_for_appears_by_itself_and_is_a_job(
    open_page: Open, hall: dict[str, Any]
) -> None:
    with open_page(bypass_csp=True) as page:
        sign_in(page.context)
        page.goto(f"/sources/{hall['id']}")
        captures = page.get_by_role("region", name="Captures")
        expect(captures).to_contain_text("Nothing captured yet")
        page.get_by_role("button", name="Capture now").click()
        captures.get_by_role("button", name=re.compile("Capture,")).click()

        dialog = page.get_by_role("dialog", name="Stairs, captured")
        expect(dialog.get_by_role("img")).to_have_js_property("complete", value=True)
        assert dialog.get_by_role("img").evaluate("(image) => image.naturalWidth") > 0
        assert violations_in_both_themes(page) == {}
        dialog.get_by_role("button", name="Close").click()

        page.get_by_role("button", name="Jobs", exact=True).click()
        tray = page.get_by_role("group", name="Recent jobs")
        expect(tray.get_by_role("listitem").first).to_contain_text("Capture · Stairs")
        assert violations_in_both_themes(page) == {}
        tray.get_by_role("link", name="All jobs").click()
        expect(page.get_by_role("heading", name="Jobs", level=1)).to_be_visible()


def test_a_job_that_runs_is_cancelled_and_tried_again(
    page: Page, client: httpx2.Client, hall: dict[str, Any]
) -> None:
    recording = {"action": "record", "duration_s": 60}
    client.patch(f"/api/templates/{hall['id']}", json=recording, headers={"If-Match": "*"})
    page.goto(f"/jobs?kind=capture&source={hall['id']}")
    expect(page.get_by_text("No jobs here")).to_be_visible()

    started = client.post(f"/api/admin/schedules/{hall['id']}/trigger").json()["job_id"]
    expect(page.get_by_role("progressbar", name="Progress of capture")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled", exact=True).last).to_be_visible()
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()

    client.post(f"/api/admin/jobs/{started}/cancel")
    wait_for(lambda: client.get(f"/api/admin/jobs/{started}").json()["status"] == "cancelled")
