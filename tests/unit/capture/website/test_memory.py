"""Memory of a process group, read from /proc."""

import os
from pathlib import Path

from glimpser.capture.website.memory import group_memory_bytes, members


def process(proc: Path, number: int, *, group: int, anon_kib: int, shared_kib: int = 0) -> None:
    entry = proc / str(number)
    entry.mkdir()
    (entry / "stat").write_text(f"{number} (a) b) S 1 {group} {group} 0")
    status = f"Name:\ta\nRssAnon:\t{anon_kib} kB\nRssFile:\t999999 kB\nRssShmem:\t{shared_kib} kB\n"
    (entry / "status").write_text(status)


def test_the_members_of_a_group_are_added_up_without_mapped_files(tmp_path: Path) -> None:
    process(tmp_path, 10, group=10, anon_kib=100, shared_kib=4)
    process(tmp_path, 11, group=10, anon_kib=50)
    process(tmp_path, 12, group=12, anon_kib=7000)
    (tmp_path / "meminfo").write_text("")
    (tmp_path / "13").mkdir()  # it has just ended

    assert sorted(members(10, tmp_path)) == [10, 11]
    assert group_memory_bytes(10, tmp_path) == (100 + 4 + 50) * 1024


def test_a_real_group_has_members_and_memory() -> None:
    assert os.getpid() in members(os.getpgrp())
    assert group_memory_bytes(os.getpgrp()) > 1 << 20
