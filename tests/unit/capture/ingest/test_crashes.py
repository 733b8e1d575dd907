import subprocess
import sys

import pytest

from glimpser.capture.ingest.crashes import MAX_CRASHES, WINDOW_S, CrashRecord, culprit, last_words

CRASH = """
import faulthandler, sys, threading, time
faulthandler.enable()
def crash():
    print(threading.get_ident(), flush=True)
    faulthandler._sigsegv()
def recurse(depth):
    if depth:
        recurse(depth - 1)
    time.sleep(60)
for _ in range(int(sys.argv[1])):
    threading.Thread(target=recurse, args=(60,), daemon=True).start()
crashing = threading.Thread(target=crash)
crashing.start()
crashing.join()
"""


@pytest.mark.parametrize("others", [0, 40])
def test_the_thread_that_crashed_is_found_in_what_a_real_crash_leaves_behind(others: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", CRASH, str(others)], capture_output=True, text=True, timeout=60, check=False
    )
    thread = int(ended.stdout)

    assert ended.returncode < 0
    assert culprit(ended.stderr, {thread: "camera", thread + 1: "other"}) == "camera"


def test_the_thread_a_worker_ended_itself_for_is_found() -> None:
    assert culprit("some warning\n" + last_words(0x7F00AB), {0x7F00AB: "camera", 1: "other"}) == "camera"


@pytest.mark.parametrize(
    "words", ["", "Killed", "Current thread 0x1 (most recent call first):", "Thread 0x00000000000007 (most"]
)
def test_nobody_is_blamed_without_proof(words: str) -> None:
    assert culprit(words, {7: "camera"}) is None


def test_crashes_are_counted_within_five_minutes() -> None:
    record = CrashRecord()

    assert [record.add(float(now)) for now in (0, 100, 200)] == [1, 2, 3]
    assert record.count(WINDOW_S + 50) == 2
    assert record.add(WINDOW_S * 3) == 1
    assert record.count(WINDOW_S * 9) == 0
    assert MAX_CRASHES == 10
