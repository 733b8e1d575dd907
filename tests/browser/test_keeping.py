"""Sources go out and come in as files, and an admin makes a backup: all of it by buttons."""

import json
import re
import tarfile
from pathlib import Path

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
