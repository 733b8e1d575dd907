"""Motion detectors: gray pictures in, scores and boxes out."""

from glimpser.core.motion import HEIGHT, WIDTH, Box, Motion, MotionSettings
from glimpser.vision.motion.detector import Detector
from glimpser.vision.motion.registry import build_detector, detector_names

__all__ = [
    "HEIGHT",
    "WIDTH",
    "Box",
    "Detector",
    "Motion",
    "MotionSettings",
    "build_detector",
    "detector_names",
]
