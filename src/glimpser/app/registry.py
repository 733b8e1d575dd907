"""The table of kinds: the one place that knows them all."""

from glimpser.app.capture_settings import website_rules
from glimpser.app.means import Means
from glimpser.capture.ffmpeg import camera_kind
from glimpser.capture.file import file_kind
from glimpser.capture.image import image_kind
from glimpser.capture.pdf.kind import pdf_kind
from glimpser.capture.push import KIND as PUSHED
from glimpser.capture.website.kind import website_kind
from glimpser.capture.ytdlp.kind import video_kind
from glimpser.config import Config
from glimpser.core.kinds import Registry


def registry_of(config: Config, means: Means) -> Registry:
    """Make the table."""
    kinds = (
        camera_kind(means.camera_proxy_url, hwaccel=config.capture.hwaccel),
        file_kind(config.capture.file_roots, means.pictures, clock=means.clock),
        website_kind(means.browser, means.gate, website_rules(config)),
        video_kind(means.locator),
        image_kind(means.fetcher, means.pictures),
        pdf_kind(means.fetcher, means.pdf, roots=config.capture.file_roots),
        PUSHED,
    )
    return {kind.name: kind for kind in kinds}
