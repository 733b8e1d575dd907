"""Kind `push`: pictures are sent to it, by things that can send and cannot be asked."""

from pydantic import Field

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.capture.form_hints import shown
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Pushed


class PushConfig(KindConfig):
    """How often something is to come."""

    expect_every_s: float | None = Field(
        default=None,
        title="Longest silence",
        description="When nothing was sent for so long, the source counts as stalled.",
        ge=1,
        le=604_800,
        json_schema_extra=shown(half=True, unit="s", placeholder="Any"),
    )


def _feed(config: Config) -> Pushed:
    return Pushed(expect_every_s=parse_config(PushConfig, config).expect_every_s)


def _parse(config: Config) -> Config:
    return parse_config(PushConfig, config).model_dump(exclude_none=True)


KIND = Kind(
    name="push",
    title="Pictures that are sent",
    description="For things that can only send, such as a doorbell or a script.",
    schema=PushConfig.model_json_schema(),
    parse=_parse,
    feed=_feed,
)
