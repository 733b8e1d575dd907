"""What is looked for on this machine, and what it is told when it is missing."""

import pytest

from glimpser.capture.website.programs import find_programs
from glimpser.core.errors import Misconfigured


def having(*names: str) -> dict[str, str]:
    return {name: f"/usr/bin/{name}" for name in names}


@pytest.mark.parametrize(
    ("names", "browser", "windowless"),
    [
        (("chromium", "chromedriver"), "/usr/bin/chromium", False),
        (("chromium", "chromium-headless-shell", "chromedriver"), "/usr/bin/chromium-headless-shell", True),
        (("google-chrome", "chromedriver"), "/usr/bin/google-chrome", False),
    ],
)
def test_the_lightest_browser_there_is_is_taken(
    names: tuple[str, ...], browser: str, *, windowless: bool
) -> None:
    found = find_programs(having(*names).get)

    assert (found.browser, found.windowless) == (browser, windowless)


@pytest.mark.parametrize("names", [(), ("chromedriver",), ("chromium",)])
def test_what_is_missing_is_named_with_how_to_get_it(names: tuple[str, ...]) -> None:
    with pytest.raises(Misconfigured, match="apt install"):
        find_programs(having(*names).get)
