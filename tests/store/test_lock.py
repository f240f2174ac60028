"""Kernel locks: the turn to write, and who is alive. They go when their holder dies, however it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from qctl.store.sqlite.lock import LifeLocks, WritersLock

LONG = 20.0  # seconds that nobody here waits unless something is broken

HOLDER = """
import sys
from qctl.store.sqlite.lock import LifeLocks, WritersLock
kind, path = sys.argv[1:3]
if kind == "writer":
    lock = WritersLock(path)
    assert lock.acquire(20.0)
else:
    lock = LifeLocks(path)
    for number in sys.argv[3:]:
        lock.hold(int(number))
print("held", flush=True)
if sys.stdin.readline() == "release\\n":
    lock.release() if kind == "writer" else lock.close()
    print("released", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holder(kind: str, path: Path, *numbers: int) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds a lock until it is told to release it, or is killed."""
    argv = [sys.executable, "-c", HOLDER, kind, str(path), *map(str, numbers)]
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None and process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def tell_to_release(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("release\n")
    process.stdin.flush()


@pytest.fixture
def lock(tmp_path: Path) -> Iterator[WritersLock]:
    one = WritersLock(str(tmp_path / "q-lock"))
    yield one
    one.close()


# -- the turn to write --------------------------------------------------------------------------------------------


def test_two_processes_never_have_the_turn_at_once(lock: WritersLock) -> None:
    with holder("writer", Path(lock.path)) as other:
        assert not lock.acquire(0.0)
        assert not lock.acquire(0.05)
        assert lock.depth == 0
        tell_to_release(other)
        assert lock.acquire(LONG)
    lock.release()


def test_two_owners_in_one_process_never_have_the_turn_at_once(lock: WritersLock) -> None:
    other = WritersLock(lock.path)
    assert lock.acquire(0.0)
    assert not other.acquire(0.0)
    assert not other.acquire(0.05)
    lock.release()
    assert other.acquire(0.0)
    assert not lock.acquire(0.0)
    other.close()
    assert lock.acquire(0.0), "closing gives the turn back"


def test_the_turn_of_a_holder_that_was_killed_is_free(lock: WritersLock) -> None:
    with holder("writer", Path(lock.path)) as other:
        assert not lock.acquire(0.0)
        other.send_signal(signal.SIGKILL)
        assert lock.acquire(LONG)


def test_who_waits_gets_the_turn_when_its_holder_is_killed(lock: WritersLock) -> None:
    with holder("writer", Path(lock.path)) as other:
        killer = threading.Timer(0.05, other.kill)
        killer.start()
        assert lock.acquire(LONG)
        killer.join()


def test_the_turn_is_reentrant_and_ends_with_the_outermost(lock: WritersLock) -> None:
    other = WritersLock(lock.path)
    assert lock.acquire(0.0) and lock.acquire(0.0)
    lock.release()
    assert not other.acquire(0.0)
    lock.release()
    assert other.acquire(0.0)
    other.close()


def test_who_gave_up_waiting_does_not_get_the_turn_later(lock: WritersLock) -> None:
    """The wait that ran out must not leave the lock behind it, held by nobody."""
    third = WritersLock(lock.path)
    with holder("writer", Path(lock.path)) as other:
        for _ in range(3):
            assert not lock.acquire(0.02)
        tell_to_release(other)
        assert third.acquire(LONG)
        third.release()
    assert lock.acquire(LONG)
    third.close()


def test_the_turn_can_be_awaited_in_a_thread(lock: WritersLock) -> None:
    """There, no alarm can be had."""
    got: list[bool] = []
    gave_up = threading.Event()

    def wait_twice() -> None:
        got.append(lock.acquire(0.05))
        gave_up.set()
        got.append(lock.acquire(LONG))

    with holder("writer", Path(lock.path)) as other:
        thread = threading.Thread(target=wait_twice)
        thread.start()
        gave_up.wait(LONG)
        tell_to_release(other)
        thread.join()
    assert got == [False, True]


ALARMED = """
import signal, sys, time
from qctl.store.sqlite.lock import WritersLock
lock = WritersLock(sys.argv[1])
def mine(*_): raise SystemExit("not expected")
if sys.argv[2] == "taken":
    signal.signal(signal.SIGALRM, mine)
    signal.setitimer(signal.ITIMER_REAL, 1000)
before = signal.getsignal(signal.SIGALRM)
assert not lock.acquire(0.05)
assert not lock.acquire(0.05)
print("waiting", flush=True)
assert lock.acquire(20.0)
left = signal.getitimer(signal.ITIMER_REAL)[0]
assert signal.getsignal(signal.SIGALRM) is before
assert (left > 900) == (sys.argv[2] == "taken") and (left == 0) == (sys.argv[2] != "taken"), left
lock.release()
print("done")
"""


@pytest.mark.parametrize("alarm", ["free", "taken"])
def test_waiting_leaves_the_callers_alarm_as_it_was(lock: WritersLock, alarm: str) -> None:
    assert lock.acquire(0.0)
    argv = [sys.executable, "-c", ALARMED, lock.path, alarm]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiter:
        assert waiter.stdout is not None
        said = waiter.stdout.readline()
        lock.release()
        rest, errors = waiter.communicate(timeout=30)
    assert (said, rest, errors) == ("waiting\n", "done\n", "")


AT_THE_LAST_MOMENT = """
import signal, sys
from qctl.store.sqlite.lock import WritersLock
real = signal.setitimer
def late(which, seconds, *again):
    if not seconds:
        signal.raise_signal(signal.SIGALRM)
    return real(which, seconds, *again)
signal.setitimer = late
lock = WritersLock(sys.argv[1])
print("waiting", flush=True)
print(lock.acquire(20.0), lock.depth, flush=True)
sys.stdin.readline()
"""


def test_an_alarm_that_rings_as_the_turn_comes_is_a_wait_that_ran_out(lock: WritersLock) -> None:
    assert lock.acquire(0.0)
    argv = [sys.executable, "-c", AT_THE_LAST_MOMENT, lock.path]
    with subprocess.Popen(
        argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as waiter:
        assert waiter.stdout is not None and waiter.stdin is not None
        assert waiter.stdout.readline() == "waiting\n"
        until_it_sleeps(waiter.pid)
        lock.release()
        said = waiter.stdout.readline()
        is_free = lock.acquire(0.0)
        _, errors = waiter.communicate(timeout=30)
    assert (said, is_free, errors) == ("False 0\n", True, "")


INTERRUPTED = """
import signal, sys
from qctl.store.sqlite.lock import WritersLock
lock = WritersLock(sys.argv[1])
print("waiting", flush=True)
try:
    lock.acquire(20.0)
except KeyboardInterrupt:
    print("interrupted", lock.depth, signal.getitimer(signal.ITIMER_REAL)[0], flush=True)
    assert lock.acquire(20.0)
    lock.release()
    print("done")
"""


def test_an_interrupt_ends_the_wait_at_once_and_the_lock_can_be_used_again(lock: WritersLock) -> None:
    assert lock.acquire(0.0)
    argv = [sys.executable, "-c", INTERRUPTED, lock.path]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as waiter:
        assert waiter.stdout is not None
        assert waiter.stdout.readline() == "waiting\n"
        until_it_sleeps(waiter.pid)
        waiter.send_signal(signal.SIGINT)
        assert waiter.stdout.readline() == "interrupted 0 0.0\n"
        lock.release()
        rest, errors = waiter.communicate(timeout=30)
    assert (rest, errors) == ("done\n", "")


def until_it_sleeps(pid: int) -> None:
    """Until the process waits in flock; where the kernel does not tell, until it sleeps."""
    while True:
        try:
            if "lock" in Path(f"/proc/{pid}/wchan").read_text():
                return
        except OSError:
            pass
        state = subprocess.run(["ps", "-o", "state=", "-p", str(pid)], capture_output=True, text=True, check=False)
        if state.stdout.strip().startswith("S"):
            return


@pytest.mark.parametrize("hostile", ["symlink", "directory"])
def test_a_lock_file_that_is_none_is_refused_in_one_line(tmp_path: Path, hostile: str) -> None:
    from qctl.model import NewJob, QueueFileError
    from qctl.store.sqlite.store import SQLiteStore

    store = SQLiteStore(str(tmp_path / "queue.db"))
    store.close()
    (tmp_path / "queue.db-lock").unlink()
    if hostile == "symlink":
        (tmp_path / "queue.db-lock").symlink_to(tmp_path / "victim")
    else:
        (tmp_path / "queue.db-lock").mkdir()
    store = SQLiteStore(str(tmp_path / "queue.db"))
    with pytest.raises(QueueFileError) as refusal:
        store.insert([NewJob("x")], "2027-01-15 08:00:00.000")
    assert "queue.db-lock" in str(refusal.value)
    assert not (tmp_path / "victim").exists()
    store.close()


# -- who is alive -------------------------------------------------------------------------------------------------


def test_a_dead_process_is_told_from_a_live_one(tmp_path: Path) -> None:
    path = tmp_path / "q-workers"
    mine = LifeLocks(str(path))
    mine.hold(9)
    with holder("life", path, 1, 2) as first, holder("life", path, 3):
        assert [mine.is_dead(number) for number in (1, 2, 3, 4, 9)] == [False, False, False, True, False]
        first.kill()
        first.wait()
        assert [mine.is_dead(number) for number in (1, 2, 3, 4, 9)] == [True, True, False, True, False]
    assert mine.is_dead(3)
    mine.close()


def test_a_worker_that_is_stopped_by_a_signal_still_lives(tmp_path: Path) -> None:
    path = tmp_path / "q-workers"
    mine = LifeLocks(str(path))
    with holder("life", path, 1) as other:
        other.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, other.pid, os.WSTOPPED | os.WNOWAIT)
        assert not mine.is_dead(1)
        other.send_signal(signal.SIGCONT)
    assert mine.is_dead(1)
    mine.close()


def test_asking_whether_a_worker_is_dead_does_not_make_it_look_alive(tmp_path: Path) -> None:
    path = tmp_path / "q-workers"
    mine = LifeLocks(str(path))
    assert mine.is_dead(5)
    with holder("life", path, 5):  # could not hold it if the question had left the lock behind
        assert not mine.is_dead(5)
    mine.close()


def test_a_byte_that_another_lives_by_cannot_be_held_too(tmp_path: Path) -> None:
    path = tmp_path / "q-workers"
    mine = LifeLocks(str(path))
    with holder("life", path, 1), pytest.raises(OSError):
        mine.hold(1)
    mine.close()


def test_the_locks_of_a_process_are_not_its_childrens(tmp_path: Path) -> None:
    path = tmp_path / "q-workers"
    mine = LifeLocks(str(path))
    mine.hold(1)
    child = f"import sys; from qctl.store.sqlite.lock import LifeLocks; print(LifeLocks({str(path)!r}).is_dead(1))"
    assert subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout == "False\n"
    mine.close()
    assert subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True).stdout == "True\n"
