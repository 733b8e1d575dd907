"""Writes the sample clips: MPEG-4 part 2 by libavcodec's own encoder, which needs no GPL code."""

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import av
import numpy as np
from numpy.typing import NDArray

from glimpser.capture.samples import scenes

FPS = 10
SECONDS = 20
Picture = NDArray[np.uint8]
Draw = Callable[[float], Picture]
"""Gives the picture (BGR) at a moment of the clip, from 0 to 1; the last joins the first."""

CLIPS: Mapping[str, Draw] = MappingProxyType(
    {
        "Street (sample)": scenes.street,
        "Hallway (sample)": scenes.hallway,
        "Aquarium (sample)": scenes.aquarium,
        "Status board (sample)": scenes.status_board,
    }
)


def make_samples(folder: Path) -> Mapping[str, Path]:
    """Write the clips that are not there yet; gives name → file. Blocks for about two seconds.

    Raises:
        OSError: the folder cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name.split(' (')[0].lower().replace(' ', '-')}.mp4" for name in CLIPS}
    for name, path in paths.items():
        if not path.exists():
            _write(path, CLIPS[name])
    return paths


def _write(path: Path, draw: Draw) -> None:
    part = path.with_suffix(".part")
    with av.open(str(part), "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = scenes.WIDTH, scenes.HEIGHT, "yuv420p"
        stream.bit_rate = 1_500_000
        stream.codec_context.gop_size = FPS
        count = FPS * SECONDS
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(draw(index / count), format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    part.replace(path)
