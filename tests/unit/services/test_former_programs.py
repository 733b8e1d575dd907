"""Views of the two earlier programs: what is carried over, what not, and why."""

import pytest

from glimpser.services.former_programs import cron_of, from_original, from_rust

ROW = {
    "id": 7,
    "name": "harbour",
    "frequency": 30,
    "timeout": 10,
    "notes": "the old one",
    "last_caption": "a boat",
    "popup_xpath": "//div[@id='cookies']",
    "dedicated_xpath": "//div[@id='map']",
    "url": "https://example.org/harbour",
    "groups": "sea, port,,sea",
    "invert": 1,
    "dark": 1,
    "headless": 1,
    "stealth": 0,
    "browser": 1,
    "motion": 0.35,
    "rollback_frames": 0,
    "callback_url": "https://hooks.example.org/x",
    "proxy": "",
    "auth_username": "ann",
    "auth_password": "hunter2",
    "camera_latitude": 53.5,
    "camera_longitude": 9.9,
}


def test_a_page_of_the_original_program_is_carried_over() -> None:
    carried = from_original(ROW)

    assert carried.document == {
        "name": "harbour",
        "kind": "website",
        "config": {
            "url": "https://example.org/harbour",
            "username": "ann",
            "password": "hunter2",
            "dark": True,
            "invert": True,
            "selector": "//div[@id='map']",
            "selector_type": "xpath",
            "timeout_s": 10,
        },
        "live": False,
        "notes": "the old one",
        "groups": ["sea", "port"],
        "private": False,
        "schedule": "*/30 * * * *",
        "lat": 53.5,
        "lon": 9.9,
    }
    assert set(carried.left) == {"popup_xpath", "motion", "callback_url"}
    assert "CSS" in carried.left["popup_xpath"]
    assert "hunter2" not in repr(carried)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"url": "rtsp://cam/one"}, "ffmpeg"),
        ({"url": "http://cam/live.m3u8"}, "ffmpeg"),
        ({"url": "http://cam/snapshot.cgi"}, "image"),
        ({"url": "http://cam/x.PNG?y=1"}, "image"),
        ({"url": "https://www.youtube.com/watch?v=1"}, "yt"),
        ({"url": "https://notyoutube.com/watch"}, "website"),
        ({"url": "https://example.org/plan.pdf"}, "pdf"),
        ({"url": "https://example.org/x.png", "stealth": 1}, "website"),
        ({"url": "http://[broken"}, "website"),
        ({"url": None}, "website"),
    ],
)
def test_the_kind_is_assumed_and_said(changes: dict[str, object], kind: str) -> None:
    carried = from_original({"name": "x", "frequency": 60, **changes})

    assert carried.document["kind"] == kind
    assert carried.notes[0].startswith(f"kind {kind}: ")


@pytest.mark.parametrize(
    ("minutes", "cron", "exact"),
    [
        (0.01, "* * * * *", False),
        (1, "* * * * *", True),
        (7, "*/6 * * * *", False),
        (30, "*/30 * * * *", True),
        (60, "0 * * * *", True),
        (90, "0 * * * *", False),
        (360, "0 */6 * * *", True),
        (1440, "0 0 * * *", True),
        (10080, "0 0 * * 1", True),
        (525600, "0 0 1 * *", False),
    ],
)
def test_a_rhythm_becomes_a_schedule_that_is_not_rarer(minutes: float, cron: str, exact: bool) -> None:  # noqa: FBT001
    assert cron_of(minutes) == (cron, exact)


def test_columns_of_other_versions_are_named_when_they_are_set() -> None:
    carried = from_original({"name": "x", "url": "rtsp://c/", "ptz_enabled": 1, "ptz_service": "", "dark": 1})

    assert set(carried.left) == {"ptz_enabled", "dark"}


def test_streams_of_glimpser_rs_are_carried_over() -> None:
    page = from_rust(
        {
            "name": "Weather",
            "description": "a map",
            "config": {
                "kind": "website",
                "url": "https://example.org/",
                "headless": False,
                "element_selector": "#map",
                "selector_type": "css",
                "basic_auth_username": "ann",
                "basic_auth_password": "hunter2",
                "webdriver_url": "http://localhost:9515",
                "width": 800,
                "height": None,
            },
        }
    )
    camera = from_rust(
        {"name": "Door", "config": '{"kind":"ffmpeg","source_url":"rtsp://c/","hardware_accel":"qsv"}'}
    )

    assert page.document["config"] == {
        "url": "https://example.org/",
        "selector": "#map",
        "selector_type": "css",
        "username": "ann",
        "password": "hunter2",
        "width": 800,
    }
    assert set(page.left) == {"headless", "webdriver_url"}
    assert (camera.document["kind"], camera.document["config"]) == (
        "ffmpeg",
        {"url": "rtsp://c/", "hwaccel": "qsv"},
    )


@pytest.mark.parametrize(
    "config", [None, 5, "[", "[" * 100_000, "{}", []], ids=["none", "number", "torn", "deep", "empty", "list"]
)
def test_a_config_that_is_none_leaves_a_view_without_kind(config: object) -> None:
    assert from_rust({"name": "x", "config": config}).document == {
        "name": "x",
        "kind": "",
        "notes": "",
        "config": {},
    }
