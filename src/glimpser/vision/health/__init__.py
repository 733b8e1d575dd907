"""Whether the pictures of a view show what they should: something, something new, and what they used to."""

from glimpser.vision.health.watch import HealthWatch, health_watch_for

__all__ = ["HealthWatch", "health_watch_for"]
