"""Kind `ffmpeg`: cameras."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.capture.ffmpeg import SCHEMES, camera_kind
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config
from glimpser.core.live import MediaInput
from glimpser.egress.target import parse_target

URL = "rtsp://192.168.1.20:554/stream1"
PROXY = "http://127.0.0.1:3128"
KIND = camera_kind(PROXY)


def stream_of(config: Config) -> MediaInput:
    feed = KIND.feed(config)
    assert isinstance(feed, MediaInput)
    return feed


def pointers(config: dict[str, object]) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        KIND.parse(config)
    return [error.pointer for error in refused.value.errors]


def test_defaults_are_filled_in() -> None:
    assert KIND.parse({"url": URL}) == {
        "url": URL,
        "transport": "tcp",
        "detect_fps": 5.0,
    }


@pytest.mark.parametrize(
    ("config", "expected"), [({}, "vaapi"), ({"hwaccel": "none"}, "none"), ({"hwaccel": "cuda"}, "cuda")]
)
def test_cameras_that_do_not_say_are_decoded_as_the_setting_says(
    config: dict[str, object], expected: str
) -> None:
    feed = camera_kind(None, hwaccel="vaapi").feed({"url": URL, **config})

    assert isinstance(feed, MediaInput)
    assert feed.hwaccel == expected


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://cam.example/",
        "rtsps://cam.example:322/a",
        "rtmp://10.0.0.9/live/1",
        "rtsp://u:p@[fd00::1]:8554/cam?x=1&y=a@b",
        "RTSP://10.0.0.9",
        "http://cam.example/video.mjpg",
        "https://u:p@cam.example:8443/live.m3u8?a=b",
    ],
)
def test_what_cameras_are_reached_by_is_accepted(url: str) -> None:
    assert stream_of(KIND.parse({"url": url})).address == url


@pytest.mark.parametrize(
    "url",
    [
        *("", "cam", "file:///etc/passwd", "/etc/passwd", "concat:/etc/passwd", "pipe:0", "http:/10.0.0.9/"),
        *("rtsp:///nowhere", "rtsp://", "rtsp://a b/", "rtsp://a\\@b/", "rtsp://a\n/", "rtsp://u:p@x@host/"),
        *("rtsp://0x7f.1/", "rtsp://127.1/", "rtsp://host:0/", "rtsp://host:99999/", "-i", "subfile,,:x"),
        *("rtsp+http://x/", "rtspt://x/", "rtmpt://x/", "srt://x:1/", "udp://239.0.0.1:1", "rtsp://\ud800/"),
        "rtsp://" + "a" * 5000,
    ],
)
def test_anything_else_is_refused_by_name_of_the_field(url: str) -> None:
    assert pointers({"url": url}) == ["/config/url"]


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({}, "/config/url"),
        ({"url": 5}, "/config/url"),
        ({"url": URL, "transport": "http"}, "/config/transport"),
        ({"url": URL, "hwaccel": "auto"}, "/config/hwaccel"),
        ({"url": URL, "detect_fps": 0}, "/config/detect_fps"),
        ({"url": URL, "detect_fps": 31}, "/config/detect_fps"),
        ({"url": URL, "detect_fps": float("nan")}, "/config/detect_fps"),
        ({"url": URL, "options": {"protocol_whitelist": "file"}}, "/config/options"),
        ({"url": URL, "username": "u" * 257}, "/config/username"),
        ({"url": URL, "username": "u", "password": ["x"]}, "/config/password"),
        ({"url": URL, "username": "u\r\nX-Evil: 1", "password": "p"}, "/config/username"),
        ({"url": URL, "username": "u", "password": "p\nq"}, "/config/password"),
        ({"url": URL, "username": "\ud800"}, "/config/username"),
        ({"url": URL, "password": "p"}, "/config"),
    ],
)
def test_a_hostile_config_is_refused_by_name_of_the_field(config: dict[str, object], pointer: str) -> None:
    assert pointers(config) == [pointer]


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidInput) as refused:
        KIND.parse({"url": "rtsp://ann:s3cret@host:x/", "password": 12345, "username": "ann"})

    told = refused.value.detail + "".join(error.message for error in refused.value.errors)
    assert "s3cret" not in told
    assert "12345" not in told


@pytest.mark.parametrize(
    ("username", "password", "userinfo"),
    [
        ("ann", "p@ss:w/rd?#", "ann:p%40ss%3Aw%2Frd%3F%23"),
        ("änn@home", "пароль", "%C3%A4nn%40home:%D0%BF%D0%B0%D1%80%D0%BE%D0%BB%D1%8C"),
        ("ann", None, "ann"),
        ("100%", "%41", "100%25:%2541"),
        ("", None, None),
    ],
)
def test_user_name_and_password_go_into_the_url_encoded(
    username: str, password: str | None, userinfo: str | None
) -> None:
    config = KIND.parse({"url": URL, "username": username} | ({"password": password} if password else {}))

    target = parse_target(stream_of(config).address, SCHEMES)

    assert target.userinfo == userinfo
    assert (target.host, target.port, target.path) == ("192.168.1.20", 554, "/stream1")


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://cam.example?a=b@evil.example/",
        "rtsp://cam.example/a@evil.example/",
        "rtsp://cam.example#@evil.example",
    ],
)
def test_credentials_go_to_the_host_that_was_named_whatever_stands_behind_it(url: str) -> None:
    config = KIND.parse({"url": url, "username": "ann", "password": "pw"})

    target = parse_target(stream_of(config).address, SCHEMES)

    assert (target.host, target.userinfo) == ("cam.example", "ann:pw")


@pytest.mark.parametrize(
    ("url", "proxy"),
    [("http://10.0.0.9/", PROXY), ("https://10.0.0.9/", PROXY), (URL, None), ("rtmp://10.0.0.9/", None)],
)
def test_what_is_under_http_goes_through_the_proxy(url: str, proxy: str | None) -> None:
    assert stream_of(KIND.parse({"url": url})).proxy == proxy


def test_given_credentials_take_the_place_of_those_in_the_url() -> None:
    config = KIND.parse({"url": "rtsp://old:older@10.0.0.9/x", "username": "new", "password": "newer"})

    assert stream_of(config).address == "rtsp://new:newer@10.0.0.9/x"


@given(st.text(min_size=1, max_size=40), st.text(max_size=40))
def test_any_credentials_give_a_url_of_the_same_host(username: str, password: str) -> None:
    try:
        config = KIND.parse({"url": URL, "username": username, "password": password})
    except InvalidInput:
        return

    assert parse_target(stream_of(config).address, SCHEMES).host == "192.168.1.20"


def test_the_password_is_marked_as_secret_and_is_not_shown_by_what_holds_it() -> None:
    config = KIND.parse({"url": URL, "username": "ann", "password": "s3cret"})

    assert KIND.secrets == {"password"}
    assert KIND.schema["properties"]["password"]["writeOnly"] is True  # type: ignore[index]  # a JSON Schema
    assert "s3cret" not in repr(stream_of(config))


def test_the_schema_describes_every_field_for_a_form() -> None:
    schema = json.loads(json.dumps(KIND.schema))

    assert schema["required"] == ["url"]
    assert schema["additionalProperties"] is False
    assert all(field["title"] for field in schema["properties"].values())
