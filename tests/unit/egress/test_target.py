"""The parser refuses whatever two programs could read differently, and nothing else."""

import contextlib
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glimpser.core.errors import GlimpserError, InvalidInput
from glimpser.egress.target import Target, parse_target

SCHEMES = frozenset({"http", "https", "rtsp", "rtsps", "rtmp"})


def parse(url: str) -> Target:
    return parse_target(url, SCHEMES)


def libav_host(url: str) -> str:
    """The host as libavformat finds it: authority up to `/?#`, its last @, then the first colon."""
    rest = url.split("://", 1)[1]
    end = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    return _host_and_port(rest[:end].rpartition("@")[2])


def slash_only_host(url: str) -> str:
    """The host as parsers find it that know no other end of the authority than a slash."""
    return _host_and_port(url.split("://", 1)[1].split("/", 1)[0].rpartition("@")[2])


def _host_and_port(text: str) -> str:
    host = text[1 : text.index("]")] if text.startswith("[") else text.split(":", 1)[0]
    return host.lower()


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://example.com", Target("http", "example.com", None, "/")),
        ("HTTPS://Example.COM:8443/A?b=c#d", Target("https", "example.com", 8443, "/A?b=c#d")),
        ("rtsp://10.0.0.5:554/Streaming/101", Target("rtsp", "10.0.0.5", 554, "/Streaming/101")),
        ("rtsp://cam/live?user=a@b", Target("rtsp", "cam", None, "/live?user=a@b")),
        ("rtsp://u:p@[2001:DB8::1]:8554/x", Target("rtsp", "2001:db8::1", 8554, "/x", "u:p")),
        ("http://host?x@other/", Target("http", "host", None, "/?x@other/")),
        ("http://host#x@other/", Target("http", "host", None, "/#x@other/")),
        ("https://www.youtube.com/@channel/live", Target("https", "www.youtube.com", None, "/@channel/live")),
        ("http://xn--bcher-kva.example/ä", Target("http", "xn--bcher-kva.example", None, "/%C3%A4")),
        ("http://my_cam-1.local./", Target("http", "my_cam-1.local.", None, "/")),
        ("http://1.2.3.4.example/", Target("http", "1.2.3.4.example", None, "/")),
        ("http://:token@host/", Target("http", "host", None, "/", ":token")),
        ("http://h/%5C%20", Target("http", "h", None, "/%5C%20")),
    ],
)
def test_a_plain_url_is_taken_apart(url: str, expected: Target) -> None:
    assert parse(url) == expected


@pytest.mark.parametrize("password", ["p@ss", "p:w", "a/b", "50%", "?#", "ü", "a b", "[x]"])
def test_any_password_works_percent_encoded(password: str) -> None:
    from urllib.parse import quote

    target = parse(f"rtsp://admin:{quote(password, safe='')}@10.0.0.5/live")

    assert target.host == "10.0.0.5"
    assert target.userinfo is not None
    assert unquote(target.userinfo) == f"admin:{password}"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com",
        "//example.com/",
        "http:example.com",
        "http:/example.com",
        "http:///path",
        "http://",
        "http://user@",
        "http://user:pw@:80/",
        "-http://example.com",
        "-i",
        "--help",
        "concat:/etc/passwd|/etc/shadow",
        "concat://etc/passwd",
        "file:///etc/passwd",
        "javascript://example.com/%0aalert(1)",
        "data:text/html,x",
        "ftp://example.com/",
        "http://example.com\\@evil.example/",
        "http:\\\\example.com",
        "http://example.com/\\",
        " http://example.com",
        "http://example.com ",
        "http://exam ple.com",
        "http://example.com/a b",
        "http://example.com/\n",
        "http://example.com\t/",
        "http://example.com/\r\nHost: evil",
        "http://example.com/\x00",
        "http://example.com/\x7f",
        "http://example.com/\u202egnp.exe",
        "http://example.com/\u200b",
        "http://example.com/\u00a0",
        "http://example.com/\u2028",
        "http://example.com/\ud800",
        "http://a@b@c/",
        "rtsp://user:p@ss@host/",
        "http://example.com@evil.example@10.0.0.1/",
        "http://@host/",
        "http://us er@host/",
        "http://user:%zz@host/",
        "http://user:100%@host/",
        "rtsp://user%0d%0aX-Evil:1@host/",
        "rtsp://user:pass%00@host/",
        "rtsp://user:pass%7F@host/",
        "http://us[er@host/",
        'http://us"er@host/',
        "http://ex\u3002com/",
        "http://127\uff0e0\uff0e0\uff0e1/",
        "http://127.0.0.\uff11/",
        "http://\u2460.example/",
        "http://b\u00fccher.example/",
        "http://us\u2100r@host/",
        "http://%31%32%37.0.0.1/",
        "http://exa%6dple.com/",
        "http://0177.0.0.1/",
        "http://0x7f.0.0.1/",
        "http://0x7f000001/",
        "http://2130706433/",
        "http://127.1/",
        "http://127.0.1/",
        "http://127.0.0.01/",
        "http://127.0.0.1./",
        "http://127.0.0.256/",
        "http://1.2.3.4.5/",
        "http://example.0x/",
        "http://example.0x1/",
        "http://example.08/",
        "http://[::1/",
        "http://::1/",
        "http://[::1]x/",
        "http://[::1]:/",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[v1.fe80::a]/",
        "http://[127.0.0.1]/",
        "http://[]/",
        "http://x[::1]/",
        "http://example..com/",
        "http://.example.com/",
        "http://example.com../",
        "http://./",
        "http://-example.com/",
        "http://example-.com/",
        "http://exa$mple.com/",
        "http://exa<mple.com/",
        "http://" + "a" * 64 + ".example/",
        "http://" + "a." * 130 + "example/",
        "http://example.com:/",
        "http://example.com:0/",
        "http://example.com:080/",
        "http://example.com:65536/",
        "http://example.com:99999999999999/",
        "http://example.com:+80/",
        "http://example.com:-1/",
        "http://example.com:8_0/",
        "http://example.com:\u0661/",
        "http://example.com:80:80/",
        "rtsp://admin:pa/ss@10.0.0.5/",
        "http://example.com/" + "a" * 4096,
    ],
)
def test_a_trick_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput):
        parse(url)


def test_a_refusal_never_repeats_the_password() -> None:
    for url in ("rtsp://u:geheim@a@b/", "rtsp://u:geheim/@b/", "rtsp://u:geheim@b:x/", "foo://u:geheim@b/"):
        with pytest.raises(InvalidInput) as refusal:
            parse(url)
        assert "geheim" not in refusal.value.detail


def test_the_scheme_must_be_one_the_caller_can_use() -> None:
    with pytest.raises(InvalidInput, match=r"https://"):
        parse_target("http://example.com", {"https"})

    assert parse_target("https://example.com", {"https"}).scheme == "https"


@pytest.mark.parametrize(
    ("url", "port"), [("http://h", 80), ("https://h", 443), ("rtsp://h", 554), ("rtsp://h:1", 1)]
)
def test_a_scheme_has_a_port_of_its_own(url: str, port: int) -> None:
    assert parse(url).effective_port == port


def test_credentials_are_not_shown() -> None:
    assert "geheim" not in repr(parse("rtsp://u:geheim@host/"))


_AUTHORITY = st.text(alphabet="aA1.0x:@[]%-_\\/?#\u3002\uff0e\u00fc \t", max_size=24)
_URLS = st.one_of(
    st.text(max_size=60),
    st.builds(
        "{}://{}{}".format,
        st.sampled_from(["http", "rtsp", "HTTP"]),
        st.one_of(_AUTHORITY, st.text(max_size=30)),
        st.one_of(st.just("/"), st.text(alphabet="/?#@:a\\", max_size=8)),
    ),
    st.from_regex(
        r"rtsp://([a-z]{1,4}(:[a-z%40]{0,5})?@)?([a-z0-9.]{1,9}|\[[0-9a-f:.]{2,9}\])(:\d{0,6})?.{0,9}"
    ),
)


@given(_URLS)
def test_every_parser_sees_the_same_host(url: str) -> None:
    try:
        target = parse(url)
    except InvalidInput:
        return

    rebuilt = target.url()
    assert parse(rebuilt) == target
    for text in (url, rebuilt):
        assert _same_host(urlsplit(text).hostname, target)
        assert _same_host(libav_host(text), target)
    assert _same_host(slash_only_host(rebuilt), target)


def _same_host(host: str | None, target: Target) -> bool:
    if host == target.host:
        return True
    # An IPv6 address may be spelled in several ways.
    other = Target("x", host or "", None, "/").address
    return other is not None and other == target.address


@given(st.one_of(st.text(), st.binary().map(lambda raw: raw.decode("latin-1"))))
def test_no_text_raises_anything_but_our_errors(text: str) -> None:
    with contextlib.suppress(GlimpserError):
        parse(text)
