"""The real program starts on the data of the first version, and shows all of it."""

import sqlite3
from pathlib import Path
from typing import Any

import httpx2

from tests.first_version import HERE, PICTURE, restore
from tests.program import running

KEEP_ALL = {
    "GLIMPSER_RETENTION__MAX_AGE_DAYS": "3650",
    "GLIMPSER_RETENTION__HISTORY_DAYS": "3650",
    "GLIMPSER_JOBS__HISTORY_DAYS": "3650",
}
"""The data are as old as they are."""


def ids_in(path: Path, table: str) -> set[str]:
    connection = sqlite3.connect(path)
    found = {row[0] for row in connection.execute(f"SELECT id FROM {table}")}
    connection.close()
    return found


def everything(client: httpx2.Client, path: str) -> list[Any]:
    """Give the items of all pages of a list."""
    items, cursor = [], ""
    while True:
        page = client.get(path, params={"limit": 200} | ({"cursor": cursor} if cursor else {})).json()
        items += page["items"]
        cursor = page["next_cursor"]
        if not cursor:
            return items


def test_what_the_first_version_kept_is_served(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    data_dir.mkdir()
    database = restore(data_dir)
    lists = {
        "/api/templates": "templates",
        "/api/events": "events",
        "/api/alerts": "alerts",
        "/api/captures": "captures",
        "/api/admin/channels": "channels",
        "/api/admin/jobs": "jobs",
        "/api/admin/users": "users",
        "/api/admin/audit": "audit",
    }
    before = {path: ids_in(database, table) for path, table in lists.items()}

    with running(data_dir, KEEP_ALL) as program, program.sign_in() as client:
        missing = {
            path: sorted(before[path] - {str(item["id"]) for item in everything(client, path)})
            for path in lists
        }
        picture = client.get(f"/api/artifacts/{PICTURE}")
        small = client.get(f"/api/artifacts/{PICTURE}?w=320")
        deliveries = [one for alert in everything(client, "/api/alerts") for one in alert["deliveries"]]

    assert missing == {path: [] for path in lists}
    assert picture.content == (HERE / f"{PICTURE}.jpg").read_bytes()
    assert small.status_code == 200
    assert {one["id"] for one in deliveries} >= ids_in(database, "deliveries")
