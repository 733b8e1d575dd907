"""The detectors by name: a new one is one module, its test and one line here."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from glimpser.core.errors import InvalidInput
from glimpser.core.motion import OFF, MotionSettings, Polygon
from glimpser.vision.masks import Region, watched_region
from glimpser.vision.motion.adaptive import AdaptiveDetector
from glimpser.vision.motion.baselines import Mog2Detector, OffDetector, PixelDiffDetector
from glimpser.vision.motion.detector import Detector
from glimpser.vision.motion.settings import AdaptiveSettings


def build_detector(
    settings: MotionSettings, *, zones: Sequence[Polygon] = (), masks: Sequence[Polygon] = ()
) -> Detector:
    """Build the detector of one view, without any memory of it.

    Args:
        settings: which detector, and how sensitive.
        zones: areas to watch; none means the whole picture.
        masks: areas to ignore, inside the zones too.

    Raises:
        InvalidInput: there is no such detector, a polygon is none, or the masks leave nothing to watch.
    """
    build = _DETECTORS.get(settings.detector)
    if build is None:
        known = ", ".join(detector_names())
        raise InvalidInput.field("/motion/detector", f"no such detector; known are {known}")
    return build(watched_region(zones, masks), settings)


def detector_names() -> tuple[str, ...]:
    """Every name `build_detector` knows, in alphabetical order."""
    return tuple(sorted(_DETECTORS))


def _adaptive(region: Region, settings: MotionSettings) -> Detector:
    thresholds = AdaptiveSettings.scaled(settings.tolerance_scale)
    return AdaptiveDetector(region, thresholds, threshold=settings.threshold)


def _mog2(region: Region, settings: MotionSettings) -> Detector:
    return Mog2Detector(region, variances=16.0 * settings.tolerance_scale, threshold=settings.threshold)


def _pixel_diff(region: Region, settings: MotionSettings) -> Detector:
    cut_off = round(15.0 * settings.tolerance_scale)
    return PixelDiffDetector(region, cut_off=cut_off, threshold=settings.threshold)


def _off(region: Region, settings: MotionSettings) -> Detector:
    del region, settings
    return OffDetector()


_DETECTORS: Mapping[str, Callable[[Region, MotionSettings], Detector]] = MappingProxyType(
    {"adaptive": _adaptive, "mog2": _mog2, OFF: _off, "pixel_diff": _pixel_diff}
)
