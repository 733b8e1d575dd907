"""How the browser is started: nothing but what the page needs, and only by way of the proxy."""

from urllib.parse import urlsplit

from selenium.webdriver import ChromeOptions

from glimpser.capture.website.programs import Programs
from glimpser.core.browsing import Visitor

_QUIET = (
    *("--no-first-run", "--no-default-browser-check", "--mute-audio", "--hide-scrollbars"),
    *("--disable-extensions", "--disable-sync", "--disable-default-apps", "--disable-breakpad"),
    *("--disable-component-update", "--disable-client-side-phishing-detection", "--password-store=basic"),
    "--disable-dev-shm-usage",  # containers have 64 MiB of it
    "--js-flags=--max-old-space-size=512",  # in MiB: a script that grows loses its page, not the machine
)
"""What a browser does besides showing pages."""
_NO_OTHER_WAY_OUT = (
    *("--disable-background-networking", "--disable-domain-reliability", "--no-pings"),
    *("--disable-quic", "--dns-prefetch-disable"),
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",  # headless-shell listens to one of them,
    "--webrtc-ip-handling-policy=disable_non_proxied_udp",  # the full browser to the other
    "--disable-features=MediaRouter,OptimizationHints,Translate,WebRtcHideLocalIpsWithMdns,PreloadTopChromeWebUI",
)
"""What goes past a proxy."""
_NO_QUESTIONS = ("--deny-permission-prompts", "--disable-notifications", "--block-new-web-contents")
_PREFERENCES = {
    "net.network_prediction_options": 2,
    "safebrowsing.enabled": False,
    "webrtc.ip_handling_policy": "disable_non_proxied_udp",
    "download_restrictions": 3,
    "profile.default_content_setting_values.notifications": 2,
    "profile.default_content_setting_values.popups": 2,
    "credentials_enable_service": False,
}


def local_options(
    programs: Programs, *, sandbox: bool, proxy_url: str | None, resolve: bool
) -> ChromeOptions:
    """Say how a browser of our own is started. Its driver makes a profile for it in `TMPDIR`.

    `resolve`: it looks up names by itself, which it must to reach the proxies of single views.
    """
    options = _options()
    options.binary_location = programs.browser
    options.add_experimental_option("prefs", _PREFERENCES)
    # The driver lets every pop-up in unless it is told not to.
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    flags = [*_QUIET, *_NO_OTHER_WAY_OUT, *_NO_QUESTIONS]
    flags.append("--headless" if programs.windowless else "--headless=new")
    flags += [] if sandbox else ["--no-sandbox"]
    flags += proxy_flags(proxy_url, resolve=resolve) if proxy_url else []
    for flag in flags:
        options.add_argument(flag)
    return options


def proxy_flags(proxy_url: str, *, resolve: bool) -> list[str]:
    """Send everything through the proxy, loopback too; let no name be looked up here."""
    flags = [f"--proxy-server={proxy_url}", "--proxy-bypass-list=<-loopback>"]
    host = urlsplit(proxy_url).hostname
    return flags if resolve else [*flags, f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {host}"]


def remote_options(*, sandbox: bool) -> ChromeOptions:
    """Say how a Grid is to start a browser. What that may reach is the Grid's affair."""
    options = _options()
    options.add_experimental_option("prefs", _PREFERENCES)
    options.add_experimental_option("excludeSwitches", ["disable-popup-blocking"])
    without = () if sandbox else ("--no-sandbox",)
    for flag in (*_QUIET, *_NO_OTHER_WAY_OUT, *_NO_QUESTIONS, "--headless=new", *without):
        options.add_argument(flag)
    return options


def plain_options(visitor: Visitor, *, sandbox: bool) -> ChromeOptions:
    """Say how a Grid is to start a browser for one page, without BiDi."""
    options = remote_options(sandbox=sandbox)
    options.set_capability("webSocketUrl", None)
    options.page_load_strategy = "normal"
    if visitor.user_agent:
        options.add_argument(f"--user-agent={visitor.user_agent}")
    if visitor.language:
        options.add_argument(f"--lang={visitor.language}")
        options.add_argument(f"--accept-lang={visitor.language}")
    return options


def attach_options(address: str) -> ChromeOptions:
    """Say where the browser is that already runs: host and port of its DevTools."""
    options = _options()
    options.add_experimental_option("debuggerAddress", address)
    return options


def _options() -> ChromeOptions:
    options = ChromeOptions()
    options.set_capability("webSocketUrl", True)
    options.set_capability("unhandledPromptBehavior", "dismiss")
    options.page_load_strategy = "none"
    return options
