"""Programs that outlived whoever watched over them."""

import subprocess
from pathlib import Path

import pytest

from glimpser.process.leftovers import end_leftovers


@pytest.mark.parametrize(("below", "ended"), [(True, True), (False, False)])
def test_only_what_has_its_home_below_the_directory_is_ended(
    tmp_path: Path, *, below: bool, ended: bool
) -> None:
    scratch = tmp_path / "run"
    home = scratch / "program-1" if below else tmp_path / "runner" / "program-1"
    with subprocess.Popen(["/bin/sleep", "60"], env={"HOME": str(home)}) as program:
        count = end_leftovers(scratch)
        if not ended:
            assert program.poll() is None
            program.kill()
        program.wait(5)

    assert count == int(ended)
