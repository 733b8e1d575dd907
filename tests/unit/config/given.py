"""What the tests of the configuration do over and over."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from glimpser.config import Config, load
from glimpser.core.errors import Misconfigured

HIDDEN = "open-sesame-" * 4
"""A secret that must not appear anywhere."""


def read(data_dir: Path, environ: Mapping[str, str] | None = None, **overrides: Any) -> Config:
    return load(overrides, {"GLIMPSER_DATA_DIR": str(data_dir), **(environ or {})})


def refusal(data_dir: Path, environ: Mapping[str, str] | None = None) -> str:
    """Give the text of the refusal, which has no cause: that of pydantic would hold what was given."""
    with pytest.raises(Misconfigured) as refused:
        read(data_dir, environ)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None
    return refused.value.detail


def write_toml(data_dir: Path, text: str) -> Path:
    path = data_dir / "glimpser.toml"
    path.write_text(text, encoding="utf-8")
    return path
