"""What a person may set of a view of kind `website`, and what of it reaches the browser."""

import json
import re
from typing import Annotated, Literal, Self
from urllib.parse import unquote

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from glimpser.capture.configs import KindConfig
from glimpser.capture.form_hints import shown
from glimpser.core.browsing import Cookie, Login, PageSpec, Part, Visitor, Waits
from glimpser.core.errors import InvalidInput
from glimpser.egress.target import Target, parse_target

WEB_SCHEMES = frozenset({"http", "https"})
_PROXY_SCHEMES = frozenset({"http", "socks5"})
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")
_FIELD_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,4096}")
_COOKIE_VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,4096}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_OURS = frozenset(
    {
        *("accept-encoding", "connection", "content-length", "cookie", "expect", "host", "keep-alive"),
        *("te", "trailer", "transfer-encoding", "upgrade", "user-agent"),
    }
)
"""Header fields that say how a message is framed or have settings of their own (RFC 9110, section 7.6)."""


def _web_url(url: str) -> str:
    url = url.strip()
    try:
        parse_target(url, WEB_SCHEMES)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return url


def _proxy_url(url: str) -> str:
    try:
        target = parse_target(url, _PROXY_SCHEMES)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    if target.userinfo is not None or target.port is None or target.path != "/":
        raise ValueError("Give scheme, host and port alone, like http://192.168.1.5:3128.")
    return f"{target.scheme}://{target.host}:{target.port}"


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            raise ValueError("A header's name has letters, digits and hyphens alone.")
        if name.lower() in _OURS or name.lower().startswith(("proxy-", "sec-")):
            raise ValueError(f"The header {name} is the browser's own business or has a setting of its own.")
        if not _FIELD_VALUE.fullmatch(value):
            raise ValueError(f"The value of {name} has control characters, or more than 4096 characters.")
    return headers


def _language(tag: str) -> str:
    if not _LANGUAGE.fullmatch(tag):
        raise ValueError("Give a language tag like de-CH (RFC 5646).")
    return tag


def _printable(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("Write it in printable ASCII characters.")
    return text


def _whole(text: str) -> str:
    if "\0" in text:
        raise ValueError("A selector holds no NUL characters.")
    return text


def _empty_as_none(value: object) -> object:
    return None if value == "" else value


Selector = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_whole)]
OptionalSelector = Annotated[Selector | None, BeforeValidator(_empty_as_none)]

_PICTURE = "What is in the picture"
_WAITING = "When the page is ready"
_WINDOW = "Window and browser"
_SIGN_IN = "Signing in, headers and cookies"
_WAIT_NAMES = {"load": "The page has loaded", "network_idle": "Nothing was fetched for 0.5 s"}


def _in_window(
    *, half: bool = True, unit: str | None = None, placeholder: str | None = None
) -> dict[str, JsonValue]:
    return shown(section=_WINDOW, half=half, unit=unit, placeholder=placeholder)


class CookieConfig(BaseModel):
    """A cookie to bring along."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(title="Name", min_length=1, max_length=128, pattern=_TOKEN.pattern)
    value: str = Field(title="Value", max_length=4096)
    domain: str | None = Field(default=None, title="Domain", description="The page's host, or above it.")
    path: str = Field(default="/", title="Path", max_length=1024, pattern=r"^/[\x21-\x3a\x3c-\x7e]*$")

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if not _TOKEN.fullmatch(self.name) or not _COOKIE_VALUE.fullmatch(self.value):
            raise ValueError(
                "A cookie holds no spaces, quotes, commas, semicolons or backslashes (RFC 6265)."
            )
        return self


class WebsiteConfig(KindConfig):
    """A page, how long it takes, who asks for it, and what of it is the picture."""

    url: Annotated[str, AfterValidator(_web_url)] = Field(
        title="Address",
        description="As in the browser.",
        examples=["https://example.org/weather"],
        max_length=4096,
    )
    interval_s: float = Field(
        default=60.0,
        title="Time between pictures",
        ge=5,
        le=86_400,
        allow_inf_nan=False,
        json_schema_extra=shown(half=True, unit="s"),
    )
    full_page: bool = Field(
        default=False,
        title="The whole page",
        description="As high as it is, instead of what fits into the window.",
        json_schema_extra=shown(section=_PICTURE),
    )
    selector: OptionalSelector = Field(
        default=None,
        title="Only this element",
        description="As CSS, such as #map or video, or as XPath.",
        json_schema_extra=shown(section=_PICTURE, half=True, placeholder="#map"),
    )
    selector_type: Literal["css", "xpath"] = Field(
        default="css",
        title="Element is named by",
        json_schema_extra=shown(section=_PICTURE, half=True, names={"css": "CSS", "xpath": "XPath"}),
    )
    frame: OptionalSelector = Field(
        default=None,
        title="In this frame",
        description="CSS selector of the iframe that the element is in.",
        json_schema_extra=shown(section=_PICTURE, placeholder="iframe#player"),
    )
    remove: tuple[Selector, ...] = Field(
        default=(),
        title="Take away first",
        description="CSS selectors of cookie banners, pop-ups and the like.",
        max_length=50,
        json_schema_extra=shown(section=_PICTURE, placeholder="#cookie-banner"),
    )
    wait: Literal["load", "network_idle"] = Field(
        default="load",
        title="Wait until",
        json_schema_extra=shown(section=_WAITING, half=True, names=_WAIT_NAMES),
    )
    wait_for: OptionalSelector = Field(
        default=None,
        title="And until this is there",
        description="CSS selector.",
        json_schema_extra=shown(section=_WAITING, half=True, placeholder=".forecast"),
    )
    delay_s: float = Field(
        default=0.0,
        title="Then wait another",
        ge=0,
        le=15,
        allow_inf_nan=False,
        json_schema_extra=shown(section=_WAITING, half=True, unit="s"),
    )
    timeout_s: float = Field(
        default=20.0,
        title="Give up after",
        ge=1,
        le=40,
        json_schema_extra=shown(section=_WAITING, half=True, unit="s"),
    )
    username: str | None = Field(
        default=None, title="User name", max_length=256, json_schema_extra=shown(section=_SIGN_IN, half=True)
    )
    password: str | None = Field(
        default=None,
        title="Password",
        max_length=256,
        json_schema_extra=shown(section=_SIGN_IN, half=True, secret=True),
    )
    headers: Annotated[dict[str, str], AfterValidator(_headers)] | None = Field(
        default=None,
        title="Headers",
        description="Sent to the page's own host.",
        max_length=32,
        json_schema_extra=shown(section=_SIGN_IN, secret=True),
    )
    cookies: tuple[CookieConfig, ...] | None = Field(
        default=None, title="Cookies", max_length=50, json_schema_extra=shown(section=_SIGN_IN, secret=True)
    )
    width: int = Field(default=1280, title="Width", ge=160, le=3840, json_schema_extra=_in_window(unit="px"))
    height: int = Field(default=720, title="Height", ge=120, le=3840, json_schema_extra=_in_window(unit="px"))
    user_agent: Annotated[str, AfterValidator(_printable)] | None = Field(
        default=None,
        title="User agent",
        max_length=512,
        json_schema_extra=_in_window(placeholder="The browser's own"),
    )
    language: Annotated[str, AfterValidator(_language)] | None = Field(
        default=None, title="Language", json_schema_extra=_in_window(placeholder="de-CH")
    )
    stealth: bool = Field(
        default=False,
        title="Hide that it is a program",
        description="For pages that turn away browsers without a person.",
        json_schema_extra=_in_window(half=False),
    )
    dark: bool = Field(
        default=False,
        title="Dark",
        description="Asks the page for its dark colours.",
        json_schema_extra=_in_window(),
    )
    invert: bool = Field(
        default=False,
        title="Invert the colours",
        description="Of the picture, whatever the page does.",
        json_schema_extra=_in_window(),
    )
    quality: int = Field(
        default=80,
        title="Quality of the JPEG",
        ge=10,
        le=100,
        json_schema_extra=shown(section=_PICTURE, half=True),
    )
    text_selector: OptionalSelector = Field(
        default=None,
        title="Text that is kept",
        description="CSS selector; without one, all of the page's text.",
        json_schema_extra=shown(section=_PICTURE, placeholder="main"),
    )
    proxy: Annotated[str, AfterValidator(_proxy_url)] | None = Field(
        default=None,
        title="Proxy",
        description="Only where the server's configuration allows it (capture.allow_view_proxy).",
        max_length=300,
        json_schema_extra=_in_window(half=False, placeholder="http://192.168.1.5:3128"),
    )
    attached: bool = Field(
        default=False,
        title="In the browser the server is attached to",
        description="Only where its configuration names one (capture.browser_attach).",
        json_schema_extra=_in_window(half=False),
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.password and not self.username:
            raise ValueError("A password goes with a user name: give both, or put both into the address.")
        if self.full_page and (self.selector or self.frame):
            raise ValueError("A picture is of the whole page or of an element of it: give one of them.")
        if self.attached and self.proxy:
            raise ValueError("The attached browser has its own way out: give no proxy.")
        host = parse_target(self.url, WEB_SCHEMES).host
        if any(not _covers(cookie.domain, host) for cookie in self.cookies or ()):
            raise ValueError("A cookie's domain is the page's host, or a domain above it.")
        return self

    def key(self) -> str:
        """Say in full what is set."""
        return json.dumps(self.model_dump(), sort_keys=True)

    def page(self) -> PageSpec:
        """Say what the browser is to do."""
        target = parse_target(self.url, WEB_SCHEMES)
        return PageSpec(
            url=_without_credentials(target),
            width_px=self.width,
            height_px=self.height,
            full_page=self.full_page,
            part=Part(selector=self.selector, by=self.selector_type, frame=self.frame),
            remove=self.remove,
            waits=self._waits(),
            visitor=self._visitor(target),
            text_selector=self.text_selector,
            proxy=self.proxy,
            attached=self.attached,
            quality=self.quality,
        )

    def _waits(self) -> Waits:
        return Waits(
            selector=self.wait_for,
            network_idle=self.wait == "network_idle",
            delay_s=self.delay_s,
            timeout_s=self.timeout_s,
        )

    def _visitor(self, target: Target) -> Visitor:
        return Visitor(
            login=Login(self.username, self.password or "") if self.username else _login_in(target),
            headers=self.headers or {},
            cookies=tuple(Cookie(**cookie.model_dump()) for cookie in self.cookies or ()),
            user_agent=self.user_agent,
            language=self.language,
            dark=self.dark,
            stealth=self.stealth,
        )


def _covers(domain: str | None, host: str) -> bool:
    if domain is None:
        return True
    domain = domain.lower().removeprefix(".")
    return domain == host or ("." in domain and host.endswith(f".{domain}"))


def _login_in(target: Target) -> Login | None:
    if target.userinfo is None:
        return None
    username, _, password = target.userinfo.partition(":")
    return Login(unquote(username), unquote(password))


def _without_credentials(target: Target) -> str:
    return Target(scheme=target.scheme, host=target.host, port=target.port, path=target.path).url()
