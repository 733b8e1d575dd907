"""Sources go out and come in as files, and an admin makes a backup: all of it by buttons."""

import json
import re
import tarfile
from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.timeout(180), pytest.mark.xdist_group("browser")]


def test_a_file_is_looked_at_before_its_sources_are_imported(
    page: Page, client: httpx2.Client, tmp_path: Path
) -> None:
    good = {"name": "Imported", "kind": "file", "config": {"path": "room.mp4"}, "live": False}
    bad = {"name": "Broken", "kind": "ffmpeg", "config": {"url": "ftp://camera/"}}
    file = tmp_path / "views.json"
    file.write_text(json.dumps({"templates": [good, bad]}))

    page.goto("/settings/move")
    page.get_by_label("Choose a file").set_input_files(file)
    report = page.get_by_role("list", name="What becomes of each source")
    expect(report.get_by_role("listitem").filter(has_text="Broken")).to_contain_text("config/url")
    expect(page.get_by_text("Nothing was changed yet")).to_be_visible()
    assert client.get("/api/templates", params={"q": "Imported"}).json()["items"] == []

    page.get_by_role("button", name="Import 1 source").click()
    expect(page.get_by_text("The import is done")).to_be_visible()
    [added] = client.get("/api/templates", params={"q": "Imported"}).json()["items"]
    client.delete(f"/api/templates/{added['id']}", headers={"If-Match": "*"}).raise_for_status()


def test_sources_are_downloaded_as_yaml(page: Page) -> None:
    page.goto("/settings/move")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()

    assert "name: Room" in download.value.path().read_text()


def test_a_backup_is_made_and_downloaded(page: Page) -> None:
    page.goto("/system")
    page.get_by_role("button", name="Make a backup").click()
    row = page.get_by_role("listitem").filter(has_text=re.compile("Backup,"))
    expect(row).to_contain_text("without pictures", timeout=30_000)
    with page.expect_download() as download:
        row.get_by_role("link", name="Download").click()
    with tarfile.open(download.value.path()) as archive:
        assert len(archive.getnames()) > 1

    row.get_by_role("button", name="Delete this backup").click()
    expect(row).to_have_count(0)


def test_a_film_without_pictures_says_why_and_is_deleted(page: Page, room: dict[str, Any]) -> None:
    page.goto(f"/exports?source={room['id']}")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("From", exact=True).fill("2001-01-01T00:00")
    dialog.get_by_label("To", exact=True).fill("2001-01-02T00:00")
    dialog.get_by_role("button", name="Make it").click()

    item = page.get_by_role("listitem").filter(has_text="Timelapse · Room")
    expect(item).to_contain_text("No pictures of Room are kept", timeout=30_000)
    item.get_by_role("button", name="Delete Room").click()
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(item).to_have_count(0)
