from pathlib import Path

import pytest

from tests.unit.capture.media import encode


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three seconds without B-frames, and three with two of them in a row."""
    folder = tmp_path_factory.mktemp("clips")
    plain = {"preset": "ultrafast", "g": "20", "bf": "0", "sc_threshold": "0"}
    encode(folder / "plain.mp4", count=60, options=plain)
    encode(
        folder / "reordered.mp4",
        count=60,
        options={"preset": "fast", "g": "20", "bf": "2", "b_strategy": "0"},
    )
    return folder
