"""One picture with its time."""

from dataclasses import dataclass, field
from datetime import datetime

from glimpser.core.ids import TemplateId

NATIVE_WIDTH = 0
"""The width that means: as the source gives it."""
WIDTHS = (320, 640, 1280, NATIVE_WIDTH)
"""The widths pictures are made in, so that viewers share them."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Immutable, so hub, pipeline and store may share it. A gap in `sequence` is dropped frames."""

    template_id: TemplateId
    sequence: int
    captured_at: datetime
    jpeg: bytes = field(repr=False)
    width: int
    height: int


def shared_width(wanted_px: int | None) -> int:
    """Round a wanted width up to one of `WIDTHS`; None and anything larger give the native one."""
    if not wanted_px:
        return NATIVE_WIDTH
    return next((width for width in WIDTHS if width >= wanted_px), NATIVE_WIDTH)
