"""The kind `yt`: how a video of a site is described."""

from typing import Annotated

from pydantic import AfterValidator, Field

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.capture.form_hints import shown
from glimpser.capture.ytdlp.asking import BEST
from glimpser.capture.ytdlp.locating import Locator, Wanted
from glimpser.core.contents import Content
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import Located
from glimpser.egress.target import parse_target

_WEB = ("http", "https")
_CHOICE = r"^[A-Za-z0-9(][A-Za-z0-9_+/*.,<>=!?:^$~()\[\] -]*$"


def _page_url(url: str) -> str:
    try:
        target = parse_target(url, _WEB)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    if target.userinfo is not None:
        raise ValueError("Signing in is not supported: leave user name and password out.")
    return url


class VideoConfig(KindConfig):
    """A video's page and what is taken of it."""

    url: Annotated[str, AfterValidator(_page_url)] = Field(
        title="Address",
        description="The page of a live stream or video, as in the browser.",
        examples=["https://www.youtube.com/watch?v=aqz-KE-bpKQ"],
        max_length=4096,
    )
    format: str = Field(
        default=BEST,
        title="Format",
        description="best: up to 1080p, H.264 if there is some. Or as yt-dlp writes it: best[height<=480].",
        json_schema_extra=shown(advanced=True),
        pattern=_CHOICE,
        min_length=1,
        max_length=128,
    )
    is_live: bool = Field(
        default=False,
        title="Only while it is live",
        description="Otherwise a recording is played, from its beginning.",
    )
    detect_fps: float = Field(
        default=5.0,
        title="Pictures looked at",
        description="How often motion is looked for.",
        json_schema_extra=shown(advanced=True, half=True, unit="per second"),
        gt=0,
        le=30,
    )


def video_kind(locator: Locator) -> Kind:
    """Make the kind whose views `locator` looks up."""

    def feed(config: Config) -> Located:
        video = parse_config(VideoConfig, config)
        wanted = Wanted(
            url=video.url, choice=video.format, only_live=video.is_live, detect_fps=video.detect_fps
        )
        return Located(locate=lambda: locator.locate(wanted), key=video.model_dump_json())

    return Kind(
        name="yt",
        title="Video site",
        description="A live stream or recording of a video site, found by yt-dlp.",
        schema=VideoConfig.model_json_schema(),
        parse=_parse,
        feed=feed,
        shows=frozenset({Content.VIDEO_PAGE}),
    )


def _parse(config: Config) -> Config:
    return parse_config(VideoConfig, config).model_dump()
