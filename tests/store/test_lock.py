"""Kernel locks: the turn to write, and who is alive. They go when their holder dies, however it dies."""

from __future__ import annotations

import _thread
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


def in_thread(work: Callable[[], Any]) -> None:
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()


def test_a_wait_given_up_in_a_thread_keeps_no_other_from_the_turn(lock: WritersLock) -> None:
    """It still stands in the line; when its turn comes it passes it on, and its owner can have it later."""
    third = WritersLock(lock.path)
    with holder("writer", Path(lock.path)) as other:
        in_thread(lambda: lock.acquire(0.02))
        tell_to_release(other)
        assert third.acquire(LONG)
        assert not lock.acquire(0.0)
        third.release()
        assert lock.acquire(LONG)
    third.close()


def test_an_owner_that_asks_again_takes_the_place_that_it_has_in_the_line(
    lock: WritersLock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However often it asks, one thread waits for it."""
    waits: list[object] = []
    real = _thread.start_new_thread

    def counted(function: Any, arguments: Any) -> int:
        waits.append(function)
        return real(function, arguments)

    monkeypatch.setattr(_thread, "start_new_thread", counted)
    with holder("writer", Path(lock.path)) as other:
        for _ in range(5):
            in_thread(lambda: lock.acquire(0.01))
        assert len(waits) == 1
        tell_to_release(other)
        got: list[bool] = []
        in_thread(lambda: got.append(lock.acquire(LONG)))
    assert got == [True]
    lock.release()


def test_an_owner_closed_while_its_wait_stands_in_the_line_leaves_nothing_behind(lock: WritersLock) -> None:
    leaver = WritersLock(lock.path)
    with holder("writer", Path(lock.path)) as other:
        in_thread(lambda: leaver.acquire(0.02))
        leaver.close()
        tell_to_release(other)
        assert lock.acquire(LONG)
    lock.release()


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
import _signal, signal, sys
from qctl.store.sqlite.lock import WritersLock
real = _signal.setitimer
def late(which, seconds, *again):
    if not seconds:
        signal.raise_signal(signal.SIGALRM)
    return real(which, seconds, *again)
_signal.setitimer = late
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


JUST_BEFORE = """
import signal, sys
from qctl.store.sqlite import lock as module
real = module.fcntl.flock
def early(fd, how):
    if how == module.fcntl.LOCK_EX:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
        assert signal.sigtimedwait([signal.SIGALRM], 10)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGALRM])
    return real(fd, how)
module.fcntl.flock = early
lock = module.WritersLock(sys.argv[1])
print(lock.acquire(0.05), lock.depth, flush=True)
"""


@pytest.mark.skipif(not hasattr(signal, "sigtimedwait"), reason="needs sigtimedwait")
def test_a_ring_that_is_lost_just_before_the_wait_is_heard_the_next_time(lock: WritersLock) -> None:
    assert lock.acquire(0.0)
    argv = [sys.executable, "-c", JUST_BEFORE, lock.path]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=15, check=False)
    assert (done.stdout, done.stderr) == ("False 0\n", "")


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


def test_the_file_of_the_workers_is_refused_in_one_line_when_it_is_none(tmp_path: Path) -> None:
    from qctl.model import QueueFileError
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.workers import register

    store = SQLiteStore(str(tmp_path / "queue.db"))
    (tmp_path / "queue.db-workers").symlink_to(tmp_path / "victim")
    with pytest.raises(QueueFileError, match=r"queue\.db-workers is no lock file but a symbolic link"):
        register(store, "w-1", 1, 1.0)
    assert not (tmp_path / "victim").exists()
    store.close()


def test_a_worker_of_a_file_that_was_replaced_keeps_its_place_till_it_is_gone(tmp_path: Path) -> None:
    from qctl.model import QueueFileError
    from qctl.store.sqlite.store import SQLiteStore
    from qctl.store.sqlite.workers import register

    store = SQLiteStore(str(tmp_path / "queue.db"))
    with holder("life", tmp_path / "queue.db-workers", 1), pytest.raises(QueueFileError, match="still lives"):
        register(store, "w-1", 1, 1.0)
    assert store.read("SELECT * FROM qctl_workers") == []
    assert register(store, "w-1", 1, 1.0) == 1
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
