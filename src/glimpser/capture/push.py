"""Kind `push`: pictures are sent to it, by things that can send and cannot be asked."""

from pydantic import Field

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Pushed


class PushConfig(KindConfig):
    """How often something is to come."""

    expect_every_s: float | None = Field(
        default=None,
        title="Seconds until silence counts",
        description="The view is stalled when nothing was sent for so long; empty: it never is.",
        ge=1,
        le=604_800,
    )


def _feed(config: Config) -> Pushed:
    return Pushed(expect_every_s=parse_config(PushConfig, config).expect_every_s)


def _parse(config: Config) -> Config:
    return parse_config(PushConfig, config).model_dump(exclude_none=True)


KIND = Kind(
    name="push",
    title="Pictures that are sent",
    description="A view that things send their pictures to, by POST /api/stream/{template_id}/push.",
    schema=PushConfig.model_json_schema(),
    parse=_parse,
    feed=_feed,
)
