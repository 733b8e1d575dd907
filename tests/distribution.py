"""Which tests go to the same process of `pytest -n`, so that what they share is made once.

The marks of pytest-xdist (`xdist_group`) do nothing under pytest 9.2 (pytest-xdist issue 1386): here a test's
path decides.
"""

from xdist.scheduler import LoadScopeScheduling

BROWSERS = "browsers"
WITH_BROWSER = (
    "tests/browser/",
    "tests/contract/test_browser.py",
    "tests/e2e/test_every_kind.py",
    "tests/e2e/test_watch_a_page.py",
    "tests/integration/test_attacks_on_the_network.py",
    "tests/integration/test_other_ways_out.py",
    "tests/integration/test_page_egress.py",
    "tests/integration/test_page_faults.py",
    "tests/integration/test_pages.py",
    "tests/integration/test_remote_webdriver.py",
)
"""Folders and modules whose tests start Chromium: two cores have no room for two of them at a time."""


def unit_of(node_id: str) -> str:
    """Name what a test is never parted from: all that start browsers, or else its module."""
    return BROWSERS if node_id.startswith(WITH_BROWSER) else node_id.partition("::")[0]


class ByWhatIsShared(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist is untyped
    """Hands out whole units; with `--no-loadscope-reorder` in the order of their first tests."""

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
