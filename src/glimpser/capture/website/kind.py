"""Kind `website`."""

from dataclasses import dataclass

from glimpser.capture.configs import parse_config
from glimpser.capture.website.config import WebsiteConfig
from glimpser.capture.website.source import WebsiteSource
from glimpser.core.browsing import Browser
from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Polled
from glimpser.egress.gate import Gate


@dataclass(frozen=True, slots=True, kw_only=True)
class WebsiteRules:
    """What the configuration lets views do that leaves the egress proxy."""

    view_proxy: bool = False
    attach: bool = False


def website_kind(browser: Browser, gate: Gate, rules: WebsiteRules) -> Kind:
    """Make the kind for pages shown by `browser` at addresses that `gate` lets through."""

    def checked(config: Config) -> WebsiteConfig:
        parsed = parse_config(WebsiteConfig, config)
        if parsed.proxy and not rules.view_proxy:
            raise InvalidInput.field(
                "/config/proxy",
                "Views have no proxies of their own unless capture.allow_view_proxy is set in the"
                " configuration file.",
            )
        if parsed.attached and not rules.attach:
            raise InvalidInput.field(
                "/config/attached",
                "No browser is attached: name its address in capture.browser_attach in the configuration"
                " file.",
            )
        return parsed

    def feed(config: Config) -> Polled:
        parsed = checked(config)
        source = WebsiteSource(parsed, browser, gate)
        return Polled(source=source, key=parsed.key(), interval_s=parsed.interval_s)

    return Kind(
        name="website",
        title="Web page",
        description="A web page, shown by a browser and photographed every minute or so.",
        schema=WebsiteConfig.model_json_schema(),
        parse=lambda config: checked(config).model_dump(exclude_none=True, mode="json"),
        feed=feed,
        secrets=frozenset({"password", "headers", "cookies"}),
        shows=frozenset({Content.PAGE}),
    )
