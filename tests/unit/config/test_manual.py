import re
from pathlib import Path

from glimpser.config.catalogue import SETTINGS

MANUAL = Path(__file__).parents[3] / "docs" / "guide" / "configuration.md"


def test_every_setting_stands_in_the_manual_with_its_default_and_no_other_does() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (.*?) ?\| (.+?) \|$", MANUAL.read_text("utf-8"), re.MULTILINE)

    documented = {name: (default.replace("`", ""), meaning) for name, default, meaning in rows}

    assert len(rows) == len(documented)
    assert documented == {
        setting.name: (setting.default.replace("`", ""), setting.meaning) for setting in SETTINGS.values()
    }
