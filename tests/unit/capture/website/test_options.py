"""How browsers are started."""

import pytest

from glimpser.capture.website.options import attach_options, local_options, plain_options, remote_options
from glimpser.capture.website.programs import Programs
from glimpser.core.browsing import Visitor

SHELL = Programs(browser="/b/chromium-headless-shell", driver="/b/chromedriver", windowless=True)
FULL = Programs(browser="/b/chromium", driver="/b/chromedriver", windowless=False)
PROXY = "http://127.0.0.1:4000"


def flags(programs: Programs = SHELL, *, sandbox: bool = True, resolve: bool = False) -> list[str]:
    options = local_options(programs, sandbox=sandbox, proxy_url=PROXY, resolve=resolve)
    return list(options.arguments)


@pytest.mark.parametrize("programs", [SHELL, FULL])
def test_all_traffic_goes_through_the_proxy_that_of_loopback_too(programs: Programs) -> None:
    found = flags(programs)

    assert f"--proxy-server={PROXY}" in found
    assert "--proxy-bypass-list=<-loopback>" in found
    assert "--disable-quic" in found
    assert "--webrtc-ip-handling-policy=disable_non_proxied_udp" in found
    assert "--force-webrtc-ip-handling-policy=disable_non_proxied_udp" in found
    assert "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1" in found


def test_names_are_looked_up_only_for_the_proxies_of_single_views() -> None:
    assert not any(flag.startswith("--host-resolver-rules") for flag in flags(resolve=True))
    assert f"--proxy-server={PROXY}" in flags(resolve=True)


def test_the_sandbox_stays_unless_it_is_given_up() -> None:
    assert "--no-sandbox" not in flags()
    assert "--no-sandbox" in flags(sandbox=False)


def test_pop_ups_stay_blocked_although_the_driver_would_let_them_in() -> None:
    options = local_options(SHELL, sandbox=True, proxy_url=PROXY, resolve=False)

    assert options.experimental_options["excludeSwitches"] == ["disable-popup-blocking"]


def test_a_browser_of_a_grid_is_asked_for_contexts_and_a_plain_one_is_not() -> None:
    assert remote_options(sandbox=True).to_capabilities()["webSocketUrl"] is True
    plain = plain_options(Visitor(user_agent="Mozilla/5.0 (X)", language="de-CH"), sandbox=True)
    assert not plain.to_capabilities().get("webSocketUrl")
    assert {"--user-agent=Mozilla/5.0 (X)", "--lang=de-CH"} <= set(plain.arguments)


def test_an_attached_browser_is_not_started() -> None:
    assert attach_options("127.0.0.1:9222").experimental_options == {"debuggerAddress": "127.0.0.1:9222"}
