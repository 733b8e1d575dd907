"""How many connections fit beside the program's own files. Each case runs in a process of its own."""

import subprocess
import sys

import pytest

PROGRAM = """
import resource, sys
from glimpser.app.descriptors import room_for
soft, hard, connections = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print(room_for(connections), resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "room", "limit"),
    [
        pytest.param(1024, 4096, 2024, 2024, 2536, id="the limit is raised as far as needed"),
        pytest.param(3000, 4096, 2024, 2024, 3000, id="and not when it is high enough"),
        pytest.param(256, 1024, 2024, 512, 1024, id="a low hard limit leaves fewer connections"),
        pytest.param(100, 100, 2024, 50, 100, id="a very low one leaves half to each"),
        pytest.param(1024, 4096, 10, 10, 1024, id="few connections need nothing"),
    ],
)
def test_connections_leave_room_for_the_programs_own_files(
    soft: int, hard: int, connections: int, *, room: int, limit: int
) -> None:
    given = [str(number) for number in (soft, hard, connections)]

    told = subprocess.run([sys.executable, "-c", PROGRAM, *given], capture_output=True, text=True, check=True)

    assert told.stdout.split() == [str(room), str(limit)]
