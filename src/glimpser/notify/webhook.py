"""Channel kind `webhook`: a signed HTTP POST of the alert as JSON.

The receiver checks `X-Glimpser-Signature: t=<unix time>,v1=<hex>`, where `v1` is the HMAC-SHA-256 of
`<t>.<body>` under the shared secret, and drops what it has seen by `Idempotency-Key`.
"""

import hmac
import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from glimpser.config.models import parse_model
from glimpser.core.alerts import Notification, Receipt
from glimpser.core.channel_kinds import ChannelKind
from glimpser.core.clock import Clock
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config
from glimpser.egress.gate import parse_target
from glimpser.notify.answers import receipt_of
from glimpser.notify.posting import SCHEMES, Post, Poster

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}")  # RFC 9110, section 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]{0,1022}[\x21-\x7e])?")
_OURS = frozenset(
    (
        *("host", "content-length", "content-type", "content-encoding", "accept-encoding", "user-agent"),
        *("expect", "idempotency-key", "connection", "keep-alive", "proxy-connection", "te", "trailer"),
        *("transfer-encoding", "upgrade"),
    )
)
"""Headers of the message itself and those of one connection (RFC 9110, section 7.6.1)."""
_OUR_PREFIXES = ("x-glimpser-", "proxy-")


def _web_url(url: str) -> str:
    try:
        parse_target(url, SCHEMES)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return url


def _own_headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        lowered = name.lower()
        if not _TOKEN.fullmatch(name):
            raise ValueError("a header's name is made of letters, digits and hyphens, at most 64")
        if lowered in _OURS or lowered.startswith(_OUR_PREFIXES):
            raise ValueError(f"the header {name} is set by the program itself")
        if not _VALUE.fullmatch(value):
            raise ValueError(f"the value of {name} is no line of visible ASCII, at most 1024 characters")
    if len({name.lower() for name in headers}) < len(headers):
        raise ValueError("two headers have the same name")
    return headers


class WebhookConfig(BaseModel):
    """Where the message goes and how the receiver knows that it comes from here."""

    model_config = ConfigDict(
        strict=True, extra="forbid", frozen=True, str_strip_whitespace=True, hide_input_in_errors=True
    )

    url: Annotated[str, AfterValidator(_web_url)] = Field(
        title="Address",
        description="Where the message is posted, for example https://example.org/hooks/glimpser.",
        examples=["https://example.org/hooks/glimpser"],
        max_length=4096,
    )
    secret: str | None = Field(
        default=None,
        title="Secret",
        description="Shared with the receiver; it signs every message. Without one there is no signature.",
        min_length=1,
        max_length=256,
        repr=False,
        json_schema_extra={"writeOnly": True},
    )
    headers: Annotated[dict[str, str], AfterValidator(_own_headers)] = Field(
        default={},
        title="Headers",
        description="Sent with every message, such as Authorization.",
        max_length=20,
        repr=False,
        json_schema_extra={"writeOnly": True},
    )


class WebhookNotifier:
    """Implements `core.ports.Notifier`."""

    def __init__(self, config: WebhookConfig, poster: Poster, *, clock: Clock, version: str) -> None:
        self._config = config
        self._poster = poster
        self._clock = clock
        self._agent = f"Glimpser/{version}"

    async def send(self, notification: Notification) -> Receipt:
        body = json.dumps(notification.document, ensure_ascii=False, allow_nan=False).encode()
        post = Post(
            url=self._config.url,
            body=body,
            headers=self._headers(notification, body),
            own=self._config.headers,
        )
        answer = await self._poster.post(post)
        now = self._clock.now()
        return receipt_of(answer.status, answer.text, retry_after=answer.retry_after, now=now)

    def _headers(self, notification: Notification, body: bytes) -> dict[str, str]:
        headers = {
            "Accept-Encoding": "identity",
            "Content-Type": "application/json",
            "Idempotency-Key": notification.idempotency_key,
            "User-Agent": self._agent,
        }
        if self._config.secret:
            at_s = int(self._clock.now().timestamp())
            headers["X-Glimpser-Signature"] = signature(self._config.secret, body, at_s)
        return headers


def signature(secret: str, body: bytes, at_s: int) -> str:
    """Sign a body sent at a time (seconds since 1970), which is signed too so that it cannot be replayed."""
    mac = hmac.new(secret.encode(), f"{at_s}.".encode() + body, sha256)
    return f"t={at_s},v1={mac.hexdigest()}"


def webhook_kind(poster: Poster, *, clock: Clock, version: str) -> ChannelKind:
    """Make the kind; all its channels share the poster."""

    def build(config: Config) -> WebhookNotifier:
        return WebhookNotifier(_parsed(config), poster, clock=clock, version=version)

    return ChannelKind(
        name="webhook",
        title="Webhook",
        description="Posts every alert as signed JSON to a web address.",
        schema=WebhookConfig.model_json_schema(),
        parse=parse,
        build=build,
        secrets=frozenset({"secret", "headers"}),
    )


def parse(config: Mapping[str, object]) -> Config:
    """Validate a webhook's config.

    Raises:
        InvalidInput: with pointers below `/config`.
    """
    return _parsed(config).model_dump(exclude_none=True)


def _parsed(config: Mapping[str, object]) -> WebhookConfig:
    return parse_model(WebhookConfig, dict(config), pointer="/config")
