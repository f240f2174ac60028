"""`serve`: the lesson's shape, health by status, metrics, one page; read-only, guarded, and no burden on the queue."""

from __future__ import annotations

import base64
import http.client
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qctl.model import QctlError
from qctl.queue import Queue
from qctl.rules import ending
from qctl.web import snapshot
from qctl.web.app import Application
from qctl.web.server import Server
from tests.states import dead, run_one

Cli = Callable[..., Any]
LOCAL = {"localhost", "127.0.0.1", "[::1]"}


class Site:
    """A server in a thread, and requests to it."""

    def __init__(self, db: Path, token: str | None = None) -> None:
        self.server = Server("127.0.0.1", 0, Application(str(db), token=token, hosts=LOCAL))
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.05,))
        self.thread.start()

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, body


@pytest.fixture
def site(queue: Queue, db: Path) -> Iterator[Site]:
    one = Site(db)
    yield one
    one.stop()


def test_stats_have_exactly_the_lessons_shape_first(site: Site, queue: Queue) -> None:
    for _ in range(3):
        queue.enqueue("mail")
    run_one(queue, 1, ending.SUCCEEDED, time.time() - 5)
    dead(queue, "other")
    status, headers, body = site.ask("/admin/queue/stats")
    assert (status, headers["content-type"]) == (200, "application/json; charset=utf-8")
    answer = json.loads(body)
    assert list(answer)[:3] == ["queue", "deadLetterQueue", "byType"]
    oldest = queue.get(2).scheduled_at
    assert dict(list(answer["queue"].items())[:5]) == {
        "pending": 2, "processing": 0, "completedLastHour": 1, "failed": 1, "oldestPending": oldest,
    }  # fmt: skip
    assert answer["deadLetterQueue"]["unreviewed"] == 1
    assert answer["byType"] == [
        {"type": "mail", "status": "completed", "count": 1},
        {"type": "mail", "status": "pending", "count": 2},
        {"type": "other", "status": "failed", "count": 1},
    ]
    assert answer["ratePerMinute"] == queue.stats()["rate_per_minute"]


def test_an_empty_queue_and_a_delayed_job_have_no_oldest(site: Site, queue: Queue) -> None:
    queue.enqueue("a", delay="1h")
    assert json.loads(site.ask("/admin/queue/stats")[2])["queue"]["oldestPending"] is None


def test_health_is_200_200_503(site: Site, queue: Queue) -> None:
    def seen() -> tuple[int, str]:
        status, _headers, body = site.ask("/health")
        return status, json.loads(body)["status"]

    assert seen() == (200, "healthy")
    queue.store.set_setting("health.max_pending", "0")
    queue.store.set_setting("health.max_dead", "0")
    queue.store.set_setting("health.max_age", "0")
    dead(queue)
    assert seen() == (200, "degraded")
    queue.enqueue("a")
    time.sleep(0.01)
    assert seen() == (503, "unhealthy")


def test_a_queue_that_cannot_be_read_is_unknown_and_the_server_lives_on(db: Path) -> None:
    site = Site(db)
    try:
        status, _, body = site.ask("/health")
        assert (status, json.loads(body)["status"]) == (503, "unknown")
        assert site.ask("/")[0] == 503
        assert not db.exists()
        with Queue(db):
            assert site.ask("/health")[0] == 200
    finally:
        site.stop()


def scraped(site: Site, queue: Queue) -> str:
    """What a scrape gets of a queue with odd names and something of everything."""
    queue.enqueue('odd "type"\\')
    dead(queue, "other")
    with queue.store.write() as connection:  # by plain SQL a type may be anything
        connection.execute("INSERT INTO jobs (type) VALUES ('new' || char(10) || 'line')")
    run_one(queue, int(queue.enqueue("done")), ending.SUCCEEDED, time.time() - 5)
    status, headers, body = site.ask("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    return body


def test_metrics_are_read_back_by_a_parser_of_prometheus(site: Site, queue: Queue) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    families = list(text_string_to_metric_families(scraped(site, queue)))
    samples: dict[tuple[Any, ...], float] = {}
    for family in families:
        assert family.type == "gauge" and family.documentation.endswith(".") and family.name.startswith("qctl_")
        for sample in family.samples:
            key = (sample.name, *sorted(sample.labels.items()))
            assert key not in samples, "told twice"
            samples[key] = sample.value
    assert len({family.name for family in families}) == len(families)
    assert samples["qctl_jobs", ("status", "pending"), ("type", 'odd "type"\\')] == 1
    assert samples["qctl_jobs", ("status", "failed"), ("type", "other")] == 1
    assert samples["qctl_jobs", ("status", "pending"), ("type", "new\nline")] == 1
    assert samples[("qctl_dead_letters_unreviewed",)] == 1
    assert samples["qctl_health", ("status", "healthy")] == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed (Debian: prometheus)")
def test_metrics_pass_promtool(site: Site, queue: Queue) -> None:
    body = scraped(site, queue)
    done = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_page_shows_hostile_text_as_text_and_asks_nobody_else(site: Site, queue: Queue) -> None:
    queue.enqueue("<script>alert(1)</script>")
    status, headers, body = site.ask("/")
    assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "<script>alert" not in body and "&lt;script&gt;alert(1)" in body
    assert "http://" not in body and "https://" not in body
    assert "prefers-color-scheme:dark" in body and '<noscript><meta http-equiv="refresh"' in body
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-content-type-options"] == "nosniff"


def waited_for(told: Callable[[], Any], wanted: Any) -> bool:
    end = time.monotonic() + 10
    while told() != wanted and time.monotonic() < end:
        time.sleep(0.005)
    return bool(told() == wanted)


def test_of_a_large_queue_a_request_tells_what_was_read_a_moment_ago(
    db: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshot, "SMALL", 2)
    monkeypatch.setattr(snapshot, "SOONEST", 0.05)
    monkeypatch.setattr(snapshot, "SHARE", 1)
    kept = snapshot.Snapshot(str(db))

    def pending() -> int:
        return int(kept.figures()[0]["queue"]["pending"])

    for wanted in (0, 1, 2):  # as long as it is small it is read each time
        assert pending() == wanted and kept.reader is None
        queue.enqueue("a")
    queue.enqueue("a")
    assert pending() == 4
    opened = []
    read = snapshot.read

    def watched(queue: Queue) -> snapshot.Figures:
        opened.append(threading.current_thread().name)
        return read(queue)

    monkeypatch.setattr(snapshot, "read", watched)
    queue.enqueue("a")
    assert waited_for(pending, 5)
    assert set(opened) == {"qctl-snapshot"}, "no request has to wait for it"
    db_away = db.with_suffix(".away")
    db.rename(db_away)
    assert waited_for(lambda: kept.kept, None)
    with pytest.raises(QctlError):
        kept.figures()
    db_away.rename(db)
    monkeypatch.setattr(snapshot, "IDLE", 0.0)
    assert pending() == 5
    assert kept.reader is not None
    kept.reader.join(10)
    assert kept.kept is None, "nobody asks any more"


@pytest.mark.parametrize("took", [0.01, 1.0, 1.6, 3.0, 9.0])
def test_the_next_reading_ends_before_what_was_read_is_too_old(took: float) -> None:
    pause = snapshot.pause_after(took)
    assert took + pause + took < snapshot.OLDEST, "no request ever has to read by itself"
    assert pause >= max(took, snapshot.SOONEST)


def test_a_reader_that_takes_long_looks_again_in_time(db: Path, queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    clock, pauses = [100.0], list[float]()

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        clock[0] += seconds

    def slow(queue: Queue) -> snapshot.Figures:
        began = clock[0]
        clock[0] += 2.0
        return {}, {}, began

    queue.enqueue_many([{"type": "a"}] * 3)
    monkeypatch.setattr(snapshot, "SMALL", 2)
    monkeypatch.setattr(snapshot, "read", slow)
    monkeypatch.setattr(
        snapshot, "time", SimpleNamespace(monotonic=lambda: clock[0], time=lambda: clock[0], sleep=sleep)
    )
    kept = snapshot.Snapshot(str(db))
    kept.asked_at = clock[0]
    kept.again()
    assert len(pauses) > 6 and max(pauses) + 2 * 2.0 < snapshot.OLDEST


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_only_reads(site: Site, method: str) -> None:
    status, headers, _ = site.ask("/admin/queue/stats", method)
    assert (status, headers["allow"]) == (405, "GET, HEAD")


def test_head_has_no_body_and_other_paths_are_404(site: Site) -> None:
    status, headers, body = site.ask("/health", "HEAD")
    assert (status, body) == (200, "") and int(headers["content-length"]) > 10
    assert site.ask("/nothing")[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "", "127.0.0.1.evil.example", "[::2]"])
def test_a_foreign_host_is_not_served(site: Site, host: str) -> None:
    assert site.ask("/health", Host=host)[0] == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1:8787", "[::1]:80"])
def test_loopback_names_are_served(site: Site, host: str) -> None:
    assert site.ask("/health", Host=host)[0] == 200


def test_a_token_is_asked_for_as_bearer_or_password(queue: Queue, db: Path) -> None:
    site = Site(db, "secret")
    try:
        basic = "Basic " + base64.b64encode(b"anyone:secret").decode()
        for path in ("/", "/health", "/metrics", "/admin/queue/stats"):
            assert site.ask(path)[0] == 401
            for header in ("Bearer wrong", "Bearer ", "Basic %%", "secret", "Digest secret", "Bearer s\u00e9cret"):
                assert site.ask(path, Authorization=header)[0] == 401, header
            assert site.ask(path, Authorization="Bearer secret")[0] == 200
            assert site.ask(path, Authorization=basic)[0] == 200
    finally:
        site.stop()


def test_another_address_demands_a_token(cli: Cli, queue: Queue) -> None:
    done = cli("serve", "--host", "0.0.0.0", "--port", "0")
    assert done.code == 2 and "--token" in done.err
    assert cli("serve", "--token", "").code == 2
    assert cli("serve", "--port", "70000").code == 2


def test_a_port_that_is_taken_is_one_line(cli: Cli, site: Site) -> None:
    done = cli("serve", "--port", str(site.port))
    assert (done.code, done.err.count("\n")) == (2, 1)


def test_slow_clients_hold_no_lock_and_keep_nobody_out(site: Site, queue: Queue) -> None:
    slow = [socket.create_connection(("127.0.0.1", site.port)) for _ in range(20)]
    for one in slow:
        one.sendall(b"GET / HTTP/1.1\r\nHost: lo")
    assert site.ask("/health")[0] == 200
    assert int(queue.enqueue("a")) == 1
    for one in slow:
        one.close()


def test_a_client_that_takes_too_long_is_hung_up_on(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qctl.web.server.LONGEST", 0.1)
    slow = socket.create_connection(("127.0.0.1", site.port), timeout=10)
    slow.sendall(b"GET / HT")
    assert slow.recv(100) == b""
    slow.close()
    assert site.ask("/health")[0] == 200
