"""Which pictures are wanted of which view, counted."""

from collections.abc import Mapping

EVERY_FRAME = 0.0


class Wants:
    """Several may want the same width at different rates; the highest is made and shared."""

    def __init__(self) -> None:
        self._rates: dict[str, dict[int, list[float]]] = {}

    def add(self, template_id: str, width: int, fps: float) -> None:
        self._rates.setdefault(template_id, {}).setdefault(width, []).append(fps)

    def remove(self, template_id: str, width: int, fps: float) -> None:
        """Take back what was added."""
        widths = self._rates[template_id]
        widths[width].remove(fps)
        if not widths[width]:
            del widths[width]
        if not widths:
            del self._rates[template_id]

    def widths(self, template_id: str) -> Mapping[int, float]:
        """Give width → frames per second to make (0: every frame)."""
        return {
            width: EVERY_FRAME if EVERY_FRAME in rates else max(rates)
            for width, rates in self._rates.get(template_id, {}).items()
        }
