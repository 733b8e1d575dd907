from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from glimpser.capture.samples import clips
from glimpser.capture.samples.clips import CLIPS, FPS, SECONDS, make_samples


def test_every_scene_moves_and_ends_where_it_began() -> None:
    for name, draw in CLIPS.items():
        pictures = [cv2.GaussianBlur(draw(t), (9, 9), 0).astype(int) for t in (0.0, 0.25, 0.5, 0.999)]
        first, quarter, half, last = pictures
        changed = max(np.abs(quarter - first).max(), np.abs(half - first).max())
        assert changed > 60, name
        assert np.abs(last - first).mean() < 12, name


def test_samples_are_videos_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "CLIPS", {"Street (sample)": CLIPS["Street (sample)"]})
    [path] = make_samples(tmp_path).values()
    made_at = path.stat().st_mtime_ns
    with av.open(str(path)) as container:
        assert sum(1 for _ in container.decode(video=0)) == FPS * SECONDS

    assert list(make_samples(tmp_path).values()) == [path]
    assert path.stat().st_mtime_ns == made_at
    assert [entry.name for entry in tmp_path.iterdir()] == ["street.mp4"]
