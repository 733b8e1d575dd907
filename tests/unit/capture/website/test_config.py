"""Kind `website`: what may be set, and what of it reaches the browser."""

import json
from typing import Any

import pytest

from glimpser.capture.website.config import WebsiteConfig
from glimpser.capture.website.kind import WebsiteRules, website_kind
from glimpser.core.browsing import Cookie, Login, PageSpec
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Kind
from glimpser.core.live import Polled
from glimpser.egress.gate import Gate, GatePolicy
from glimpser.testing.browser import FakeBrowser

URL = "https://example.org/weather"
OPEN = WebsiteRules(view_proxy=True, attach=True)


def kind(rules: WebsiteRules = OPEN, browser: FakeBrowser | None = None) -> Kind:
    return website_kind(browser or FakeBrowser(), Gate(GatePolicy()), rules)


def page_of(config: dict[str, Any]) -> PageSpec:
    return WebsiteConfig.model_validate(kind().parse({"url": URL} | config)).page()


def pointers(config: dict[str, Any], rules: WebsiteRules = OPEN) -> list[str]:
    with pytest.raises(InvalidInput) as refused:
        kind(rules).parse(config)
    return [error.pointer for error in refused.value.errors]


def test_defaults_are_filled_in() -> None:
    parsed = kind().parse({"url": URL})

    assert parsed["interval_s"] == 60
    assert (parsed["width"], parsed["height"], parsed["quality"]) == (1280, 720, 80)
    assert parsed["wait"] == "load"
    assert "password" not in parsed


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("HTTPS://Example.org", "https://example.org/"),
        ("  http://example.org/a?b#c ", "http://example.org/a?b#c"),
        ("http://[2001:db8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("https://example.org/wetter/zürich", "https://example.org/wetter/z%C3%BCrich"),
    ],
)
def test_pages_of_the_web_are_accepted(given: str, wanted: str) -> None:
    assert page_of({"url": given}).url == wanted


@pytest.mark.parametrize(
    "url",
    [
        *(
            "",
            "example.org",
            "file:///etc/passwd",
            " FILE:///etc/passwd",
            "fi\tle:///etc/passwd",
            "/etc/passwd",
        ),
        *("view-source:https://example.org/", "data:text/html,x", "javascript:alert(1)", "chrome://version/"),
        *(
            "about:blank",
            "blob:https://example.org/x",
            "ftp://example.org/",
            "filesystem:http://x/",
            "ws://x/",
        ),
        *("chrome-extension://x/", "devtools://x/", "http:example.org", "http:///x", "http://a\\@b/", "-x"),
        *(
            "http://0x7f.1/",
            "http://127.1/",
            "http://a b/",
            "http://a\n/",
            "http://u:p@x@host/",
            "http://x:0/",
        ),
        "https://" + "a" * 5000,
    ],
)
def test_anything_else_is_refused_by_name_of_the_field(url: str) -> None:
    assert pointers({"url": url}) == ["/config/url"]


@pytest.mark.parametrize(
    ("config", "pointer"),
    [
        ({"width": 100_000}, "/config/width"),
        ({"height": 0}, "/config/height"),
        ({"interval_s": 0.1}, "/config/interval_s"),
        ({"interval_s": float("nan")}, "/config/interval_s"),
        ({"timeout_s": 1000}, "/config/timeout_s"),
        ({"delay_s": -1}, "/config/delay_s"),
        ({"selector": "a\0b"}, "/config/selector"),
        ({"selector": "a" * 1001}, "/config/selector"),
        ({"selector_type": "regex"}, "/config/selector_type"),
        ({"remove": ["a"] * 51}, "/config/remove"),
        ({"remove": [""]}, "/config/remove/0"),
        ({"wait": "forever"}, "/config/wait"),
        ({"options": ["--no-sandbox"]}, "/config/options"),
        ({"user_agent": "x\r\nEvil: 1"}, "/config/user_agent"),
        ({"language": "de; --lang"}, "/config/language"),
        ({"headers": {"Host": "internal"}}, "/config/headers"),
        ({"headers": {"Proxy-Authorization": "x"}}, "/config/headers"),
        ({"headers": {"X": "a\r\nEvil: 1"}}, "/config/headers"),
        ({"headers": {"X\nY": "a"}}, "/config/headers"),
        ({"cookies": [{"name": "a", "value": "b;c"}]}, "/config/cookies/0"),
        ({"cookies": [{"name": "a", "value": "b", "path": "x"}]}, "/config/cookies/0/path"),
        ({"cookies": [{"name": "a", "value": "b", "domain": "evil.example"}]}, "/config"),
        ({"cookies": [{"name": "a", "value": "b", "domain": "org"}]}, "/config"),
        ({"password": "p"}, "/config"),
        ({"full_page": True, "selector": "#x"}, "/config"),
        ({"proxy": "http://u:p@10.0.0.1:3128"}, "/config/proxy"),
        ({"proxy": "file:///x"}, "/config/proxy"),
        ({"proxy": "http://10.0.0.1"}, "/config/proxy"),
    ],
)
def test_a_hostile_config_is_refused_by_name_of_the_field(config: dict[str, Any], pointer: str) -> None:
    assert pointers({"url": URL} | config) == [pointer]


def test_the_legal_twins_are_accepted() -> None:
    page = page_of(
        {
            "selector": "//div[@id='map']",
            "selector_type": "xpath",
            "frame": "iframe.player",
            "remove": [".banner", "#pop-up"],
            "wait_for": "#map img",
            "headers": {"Authorization": "Bearer abc", "X-Key": "käse"},
            "cookies": [{"name": "sid", "value": "1=2", "domain": ".example.org"}],
            "user_agent": "Mozilla/5.0 (X11)",
            "language": "de-CH",
            "proxy": "socks5://10.0.0.1:1080",
        }
    )

    assert page.part.by == "xpath"
    assert page.remove == (".banner", "#pop-up")
    assert page.visitor.headers["X-Key"] == "käse"
    assert page.visitor.cookies == (Cookie(name="sid", value="1=2", domain=".example.org"),)
    assert page.proxy == "socks5://10.0.0.1:1080"


@pytest.mark.parametrize(
    ("config", "login"),
    [
        ({}, None),
        ({"username": "ann", "password": "p@ss:w/rd"}, Login("ann", "p@ss:w/rd")),
        ({"url": "https://ann:p%40ss@example.org/"}, Login("ann", "p@ss")),
        ({"url": "https://ann:x@example.org/", "username": "bob", "password": "y"}, Login("bob", "y")),
    ],
)
def test_a_login_is_taken_from_its_fields_or_the_address_and_never_left_in_it(
    config: dict[str, Any], login: Login | None
) -> None:
    page = page_of(config)

    assert page.visitor.login == login
    assert "@" not in page.url


@pytest.mark.parametrize(
    ("config", "pointer", "setting"),
    [
        ({"proxy": "http://10.0.0.1:3128"}, "/config/proxy", "capture.allow_view_proxy"),
        ({"attached": True}, "/config/attached", "capture.browser_attach"),
    ],
)
def test_what_leaves_the_egress_proxy_needs_the_configuration_file(
    config: dict[str, Any], pointer: str, setting: str
) -> None:
    with pytest.raises(InvalidInput, match=setting) as refused:
        kind(WebsiteRules()).parse({"url": URL} | config)

    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert kind(OPEN).parse({"url": URL} | config)


def test_a_parsed_config_is_plain_json_and_parses_again_to_the_same() -> None:
    sent = {"url": URL, "cookies": [{"name": "a", "value": "b"}], "remove": ["#x"], "headers": {"X": "y"}}

    parsed = kind().parse(sent)

    assert kind().parse(json.loads(json.dumps(parsed))) == parsed


def test_secrets_are_marked_and_are_not_shown_by_what_holds_them() -> None:
    config = {
        "url": "https://ann:s3cret@example.org/?token=s3cret",
        "headers": {"X-Key": "s3cret"},
        "cookies": [{"name": "sid", "value": "s3cret"}],
    }

    feed = kind().feed(config)

    assert kind().secrets == {"password", "headers", "cookies"}
    assert "s3cret" not in repr(feed)
    assert "s3cret" not in repr(page_of(config))


def test_a_refusal_never_repeats_what_was_sent() -> None:
    with pytest.raises(InvalidInput) as refused:
        kind().parse(
            {"url": "https://ann:s3cret@host:x/", "password": ["s3cret"], "headers": {"X": "s3cret\n"}}
        )

    told = refused.value.detail + "".join(error.message for error in refused.value.errors)
    assert "s3cret" not in told


def test_feeds_of_the_same_settings_are_equal_and_of_others_are_not() -> None:
    one, same, other = (kind().feed({"url": URL, "width": width}) for width in (800, 800, 801))

    assert isinstance(one, Polled)
    assert one == same
    assert one != other


def test_the_schema_describes_every_field_for_a_form() -> None:
    schema = json.loads(json.dumps(kind().schema))

    assert schema["required"] == ["url"]
    assert schema["additionalProperties"] is False
    assert all(field["title"] for field in schema["properties"].values())
    assert {n for n, field in schema["properties"].items() if field.get("writeOnly")} == kind().secrets
