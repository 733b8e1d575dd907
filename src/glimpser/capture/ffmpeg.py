"""Kind `ffmpeg`: a camera, or any live stream libav opens under rtsp, rtsps, rtmp, http or https."""

from dataclasses import replace
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import AfterValidator, Field, model_validator

from glimpser.capture.configs import KindConfig, parse_config
from glimpser.capture.form_hints import shown
from glimpser.capture.ingest.opening import CAMERA_SCHEMES, WEB_SCHEMES
from glimpser.core.contents import FROM_CAMERAS
from glimpser.core.errors import InvalidInput
from glimpser.core.kinds import Config, Kind
from glimpser.core.live import MediaInput
from glimpser.egress.target import parse_target

Hwaccel = Literal["none", "vaapi", "cuda", "qsv"]
_HWACCEL_NAMES = {
    "": "As set for the server",
    "none": "None",
    "vaapi": "VA-API (Intel, AMD)",
    "cuda": "CUDA (NVIDIA)",
    "qsv": "Quick Sync (Intel)",
}

_PLAIN = r"^[^\x00-\x1f\x7f]*$"
"""libav writes user names into header fields as they are: a line break would begin another field."""

SCHEMES = CAMERA_SCHEMES | WEB_SCHEMES


def _camera_url(url: str) -> str:
    try:
        parse_target(url, SCHEMES)
    except InvalidInput as error:
        raise ValueError(error.detail) from None
    return url


class CameraConfig(KindConfig):
    """A camera's address and how it is read."""

    url: Annotated[str, AfterValidator(_camera_url)] = Field(
        title="Address",
        description=(
            "Where the stream is; the camera's manual names it."
            " Under http and https: MJPEG, HLS (.m3u8), MP4 or MPEG-TS."
        ),
        examples=["rtsp://192.168.1.20:554/stream1", "http://192.168.1.21/video.mjpg"],
        max_length=4096,
    )
    username: str | None = Field(
        default=None,
        title="User name",
        max_length=256,
        pattern=_PLAIN,
        json_schema_extra=shown(half=True),
    )
    password: str | None = Field(
        default=None,
        title="Password",
        max_length=256,
        pattern=_PLAIN,
        json_schema_extra=shown(half=True, secret=True),
    )
    transport: Literal["tcp", "udp"] = Field(
        default="tcp",
        title="Transport",
        description="How RTSP carries the video: UDP where TCP stutters.",
        json_schema_extra=shown(advanced=True, half=True, names={"tcp": "TCP", "udp": "UDP"}),
    )
    hwaccel: Hwaccel | None = Field(
        default=None,
        title="Hardware decoding",
        description="Of H.264 and HEVC. Where it fails, the processor does it.",
        json_schema_extra=shown(advanced=True, half=True, names=_HWACCEL_NAMES),
    )
    detect_fps: float = Field(
        default=5.0,
        title="Pictures looked at",
        description="How often motion is looked for.",
        gt=0,
        le=30,
        json_schema_extra=shown(advanced=True, half=True, unit="per second"),
    )

    @model_validator(mode="after")
    def _password_has_its_user(self) -> Self:
        if self.password and not self.username:
            raise ValueError("A password goes with a user name: give both, or put both into the address.")
        return self


def _feed(config: Config, hwaccel: Hwaccel) -> MediaInput:
    camera = parse_config(CameraConfig, config)
    return MediaInput(
        address=_with_credentials(camera),
        transport=camera.transport,
        detect_fps=camera.detect_fps,
        hwaccel=camera.hwaccel or hwaccel,
    )


def through_proxy(media: MediaInput, proxy: str | None) -> MediaInput:
    """Give the same, reached through the proxy at that URL if it is under http or https."""
    from_web = not media.is_file and parse_target(media.address, SCHEMES).scheme in WEB_SCHEMES
    return replace(media, proxy=proxy) if from_web else media


def _with_credentials(camera: CameraConfig) -> str:
    """Put user name and password into the URL, where libav looks for them."""
    if not camera.username:
        return camera.url
    user = quote(camera.username, safe="")
    password = f":{quote(camera.password, safe='')}" if camera.password else ""
    target = parse_target(camera.url, SCHEMES)
    return replace(target, userinfo=f"{user}{password}").url()


def _parse(config: Config) -> Config:
    return parse_config(CameraConfig, config).model_dump(exclude_none=True)


def camera_kind(proxy: str | None, *, hwaccel: Hwaccel = "none") -> Kind:
    """Make the kind; without the URL of a proxy, streams under http and https are refused when opened.

    `hwaccel` decodes cameras whose config does not say.
    """
    return Kind(
        name="ffmpeg",
        title="Camera",
        description="An IP camera or any live stream under rtsp, rtsps, rtmp, http or https.",
        schema=CameraConfig.model_json_schema(),
        parse=_parse,
        feed=lambda config: through_proxy(_feed(config, hwaccel), proxy),
        secrets=frozenset({"password"}),
        shows=FROM_CAMERAS,
    )
