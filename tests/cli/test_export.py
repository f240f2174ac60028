"""`export` and `import`: what was in a queue is in the other, once, and nothing has run."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qctl.queue import Queue
from tests.states import dead

Cli = Callable[..., Any]
TABLES = ("jobs", "dead_letter_jobs", "cron_schedules", "qctl_history", "qctl_types", "qctl_needs", "processed_jobs")


def contents(queue: Queue) -> dict[str, Any]:
    return {table: sorted(map(repr, queue.store.read(f"SELECT * FROM {table}"))) for table in TABLES}


@pytest.fixture
def full(queue: Queue, cli: Cli) -> Queue:
    """A queue with something of everything."""
    queue.enqueue_many([{"type": "a", "payload": {"text": "ünï\n\x00'"}, "tags": ["x"]}] * 20)
    queue.enqueue("b", {"n": 1}, key="k", priority=5, delay="1h")
    queue.enqueue(command=["echo", "hi"], env={"A": "b"})
    dead(queue, "c")
    assert cli("types", "set", "b", "--rate", "30/m", "--timeout", "5s").code == 0
    assert cli("config", "health.max_dead", "17").code == 0
    with queue.store.write() as connection:
        connection.execute(
            "INSERT INTO cron_schedules (type, cron_expression, name) VALUES ('r', '0 9 * * *', 'daily')"
        )
        connection.execute("INSERT INTO processed_jobs (job_id) VALUES ('once')")
        connection.execute("INSERT INTO jobs (type, payload) VALUES (CAST(x'61ff' AS TEXT), CAST(x'7b7dfe' AS TEXT))")
    return queue


def test_all_of_it_comes_back_with_its_numbers_and_ids(cli: Cli, full: Queue, tmp_path: Path) -> None:
    exported = cli("export")
    assert exported.code == 0
    assert all("record" in json.loads(line) for line in exported.out.splitlines())
    target = tmp_path / "target.db"
    full.store.connection.text_factory = bytes
    before = contents(full)
    assert cli("import", "-", db=target, input=exported.out).code == 0
    with Queue(target) as other:
        other.store.connection.text_factory = bytes
        assert contents(other) == before
    assert cli("config", "health.max_dead", db=target).out == "17\n"
    assert cli("types", "list", "--json", db=target).out == cli("types", "list", "--json").out


def test_it_may_be_repeated_and_goes_on_where_it_stopped(cli: Cli, full: Queue, tmp_path: Path) -> None:
    text = cli("export").out
    lines = text.splitlines(keepends=True)
    target = tmp_path / "target.db"
    assert cli("import", "-", db=target, input="".join(lines[:12])).code == 0
    assert cli("import", "-", db=target, input=text).code == 0
    again = json.loads(cli("import", "-", "--json", db=target, input=text).out)
    assert set(again["stored"].values()) == {0}
    with Queue(target) as other:
        assert other.count() == full.count()


def test_a_bad_line_is_named_and_those_before_it_are_stored(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    for bad in ("{", "[]", '{"record":"x"}', '{"record":"job","id":"zz"}', '{"record":"job","id":"q","type":""}',
                '{"record":"job","id":"q","type":"a","priority":"high"}', '{"record":"job","id":"q","type":"a","number":-1}',
                '{"record":"job","id":"q","type":"a","scheduled_at":"soon"}', '{"record":"job","id":"q","type":"a","payload":{}}',
                '{"record":"job","id":"q","type":"a","priority":1e999}', '{"record":"job","id":"q","type":"a","status":"x"}',
                '{"record":"job","id":"q","type":"a","needs":[{"id":"w"}]}', '{"record":"qctl","format":99}',
                '{"record":"job","id":"q","type":"a","history":[{"token":1}]}', '{"record":"job","id":"\\ud800","type":"a"}',
                '{"record":"job","id":"q","type":"a","priority":99999999999999999999}'):  # fmt: skip
        target = tmp_path / f"{abs(hash(bad))}.db"
        done = cli("import", "-", db=target, input='{"record":"job","id":"good","type":"a"}\n\n' + bad + "\n")
        assert done.code == 2, bad
        assert "line 3:" in done.err
        assert done.err.count("\n") == 1
        with Queue(target) as other:
            assert [job.id for job in other.find()] == ["good"], bad


def test_columns_of_another_version_are_left_out_and_named(cli: Cli, tmp_path: Path) -> None:
    line = '{"record":"job","id":"old","type":"a","colour":"blue"}\n{"record":"setting","name":"later","value":"1"}\n'
    done = cli("import", "-", input=line)
    assert done.code == 0
    assert "job.colour" in done.err
    assert "setting later" in done.err


def test_queue_files_are_merged_and_numbers_that_clash_are_given_anew(cli: Cli, tmp_path: Path) -> None:
    for name in ("one", "two"):
        with Queue(tmp_path / f"{name}.db") as shard:
            shard.enqueue(name)
            dead(shard, name)
    merged = tmp_path / "all.db"
    for _turn in range(2):
        assert cli("import", str(tmp_path / "one.db"), str(tmp_path / "two.db"), db=merged).code == 0
        with Queue(merged) as queue:
            assert sorted(job.type for job in queue.find()) == ["one", "one", "two", "two"]
            for job in queue.find():
                assert len(queue.history(job.number)) == (1 if job.status == "failed" else 0)
            assert len(list(queue.dead_letters())) == 2
    assert cli("import", str(merged), db=merged).code == 2


def test_a_running_job_comes_back_as_pending_and_a_held_key_stays_with_its_job(cli: Cli, queue: Queue) -> None:
    queue.enqueue("mine", key="k")
    text = (
        '{"record":"job","id":"run","type":"a","status":"processing","attempts":2,"locked_by":"w","locked_at":"2020-01-01"}'
        '\n{"record":"job","id":"theirs","type":"a","key":"k"}\n'
    )
    done = json.loads(cli("import", "-", "--json", input=text).out)
    assert done["left_out"] == 1
    job = queue.get("run")
    assert (job.status, job.data["attempts"], job.data["locked_by"]) == ("pending", 1, None)


def test_an_export_to_a_file_overwrites_only_with_force(cli: Cli, full: Queue, tmp_path: Path, db: Path) -> None:
    path = tmp_path / "all.ndjson"
    assert cli("export", str(path)).code == 0
    assert path.stat().st_mode & 0o777 == 0o600
    assert cli("export", str(path)).code == 2
    assert cli("export", str(path), "--force").code == 0
    assert cli("export", str(db), "--force").code == 2
    assert len(path.read_text().splitlines()) > 25


def test_limits_by_key_hold_for_what_is_taken_in_and_after(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    queue.set_limits("type", "mail", concurrency=1, concurrency_key="customer")
    queue.enqueue("mail", {"customer": "c1"})
    text = cli("export").out
    assert cli("import", "-", db=tmp_path / "target.db", input=text).code == 0
    with Queue(tmp_path / "target.db") as other:
        other.enqueue("mail", {"customer": "c2"})
        assert len({job.data["limit_key"] for job in other.find()} - {None}) == 2


def test_a_rate_without_its_period_is_refused(cli: Cli, queue: Queue) -> None:
    done = cli("import", "-", input='{"record":"limit","scope":"type","name":"a","rate":1}')
    assert done.code == 2
    assert "this is not allowed" in done.err
    assert cli("types", "list").code == 0


def test_a_flow_goes_on_where_it_was_under_other_numbers(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "flow.toml").write_text(
        'name = "moved"\non_failure = "tidy"\n'
        '[steps.list]\nshell = \'echo "[1, 2]" > "$QCTL_RESULT"\'\n'
        '[steps.each]\nforeach = "${steps.list.result}"\ncommand = ["false", "${item}"]\nmax_attempts = 1\n'
        '[steps.last]\nneeds = ["each"]\ncommand = ["true"]\n[steps.tidy]\ncommand = ["true"]\n'
    )
    target = tmp_path / "target.db"
    for db in (None, target):
        for _ in range(1 if db is None else 3):
            cli("flow", "run", str(tmp_path / "flow.toml"), **({"db": db} if db else {}))
    cli("work", "--max-jobs", "2", "--quiet")  # the list, and one of the two jobs that were made of it
    text = cli("export").out
    done = cli("import", "-", "--json", db=target, input=text)
    assert json.loads(done.out)["stored"]["flow"] == 1, done
    cli("import", "-", db=target, input=text)
    assert cli("work", "--drain", "--max-time", "30s", "--quiet", db=target).code == 1
    shown = [json.loads(line) for line in cli("flow", "list", "--json", db=target).out.splitlines()]
    assert [(one["number"], one["steps"], one["status"]) for one in shown] == [(n, 6, "failed") for n in (4, 3, 2, 1)]
    moved = {one["step"]: one for one in json.loads(cli("flow", "show", "4", "--json", db=target).out)["jobs"]}
    numbers = f"{moved['each[0]']['number']}, {moved['each[1]']['number']}"
    assert moved["each"]["last_error"] == f"2 of its 2 jobs did not complete: {numbers}"
    assert (moved["tidy"]["status"], moved["tidy"]["last_error"]) == ("completed", None)


def test_flows_go_along_and_keep_their_steps_under_another_number(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    (tmp_path / "f.toml").write_text(
        'name = "order"\n[steps.a]\ncommand = ["true"]\n[steps.b]\ncommand = ["true"]\nneeds = ["a"]\n'
    )
    assert cli("flow", "run", str(tmp_path / "f.toml")).code == 0
    text, other = cli("export").out, tmp_path / "other.db"
    with Queue(other) as target:
        with target.store.write() as connection:
            connection.execute(
                "INSERT INTO qctl_flows (number, name, created_at) VALUES (1, 'own', '2026-01-01 00:00:00.000')"
            )
        for _ in range(2):  # again changes nothing
            assert cli("import", "-", db=other, input=text).code == 0
            assert target.store.read("SELECT number, name FROM qctl_flows") == [(1, "own"), (2, "order")]
            assert target.store.read("SELECT flow, step FROM jobs ORDER BY number") == [(2, "a"), (2, "b")]
        assert [need["number"] for need in target.needs(2)] == [1]


def test_a_setting_is_checked_as_config_does(cli: Cli, queue: Queue) -> None:
    done = cli("import", "-", input='{"record":"setting","name":"max_payload","value":"204/8"}')
    assert done.code == 2
    assert "max_payload" in done.err
    assert queue.store.setting("max_payload") is None


def test_one_record_is_one(cli: Cli, queue: Queue, tmp_path: Path) -> None:
    queue.enqueue("a")
    assert cli("export", str(tmp_path / "a.ndjson")).err.endswith(": 1 record\n")
