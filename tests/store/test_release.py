"""Random graphs whose steps end in batches, late ends and plain SQL among them: after each batch exactly the right ones are let go."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from qctl.model import BLOCKED, NewJob
from qctl.rules import ending
from qctl.rules.when import to_text
from qctl.store.sqlite.connection import MEMORY
from qctl.store.sqlite.steer import cancel_jobs, retry_jobs
from qctl.store.sqlite.store import SQLiteStore
from tests.store.conftest import NOW, Acts

MET = {"completed": {"completed"}, "failed": {"failed"}, "ended": {"completed", "failed", "cancelled"}}
HOWS = {
    "completed": ending.SUCCEEDED,
    "failed": ending.DEAD,
    "late": ending.SUCCEEDED,
    "lost": ending.SUCCEEDED,
    "again": ending.STOPPED,
    "by hand": None,
    "failed by hand": None,
}


class Graph:
    """The model: what each job is at. A need that was met stays so."""

    def __init__(self, needs: dict[int, dict[int, str]]) -> None:
        self.needs = needs
        self.met: set[tuple[int, int]] = set()
        self.status = {number: BLOCKED if others else "pending" for number, others in needs.items()}

    def end(self, number: int, status: str) -> None:
        self.status[number] = status
        for other, needs in self.needs.items():
            if number in needs and status in MET[needs[number]]:
                self.met.add((other, number))
                if self.status[other] == BLOCKED and self.is_free(other):
                    self.status[other] = "pending"

    def is_free(self, number: int) -> bool:
        return all((number, one) in self.met for one in self.needs[number])


@st.composite
def graphs(draw: st.DrawFn) -> dict[int, dict[int, str]]:
    count = draw(st.integers(2, 16))
    kinds = st.sampled_from(["completed", "completed", "ended", "failed"])
    return {
        number: draw(st.dictionaries(st.integers(1, number - 1), kinds, max_size=4)) if number > 1 else {}
        for number in range(1, count + 1)
    }


def stored(needs: dict[int, dict[int, str]]) -> SQLiteStore:
    store = SQLiteStore(MEMORY)
    for number, others in needs.items():
        more: dict[str, Any] = {"needs": [(kind, [one]) for one, kind in others.items()], "status": BLOCKED}
        assert store.insert([NewJob("x", more=more if others else None)], to_text(NOW)) == [number]
    return store


@given(st.data())
@settings(max_examples=150, deadline=None)
def test_a_batch_of_ends_lets_go_what_each_of_them_would(data: st.DataObject) -> None:
    graph = Graph(data.draw(graphs()))
    store = stored(graph.needs)
    acts = Acts(store)
    for turn in range(data.draw(st.integers(1, 12))):
        leases = acts.claim(limit=data.draw(st.integers(1, 6)), now=NOW + turn)
        assert all(graph.status[lease.number] == "pending" and graph.is_free(lease.number) for lease in leases)
        ended = []
        for lease in leases:
            what = data.draw(st.sampled_from(sorted(HOWS)))
            graph.status[lease.number] = "processing"
            if what.endswith("by hand"):  # another program ends it while we think it is ours
                status = "failed" if "failed" in what else "completed"
                with store.write() as connection:
                    connection.execute(
                        "UPDATE jobs SET status = ?, locked_by = NULL WHERE number = ?", (status, lease.number)
                    )
                graph.end(lease.number, status)
            elif what == "late":  # the lease has gone to another run
                with store.write() as connection:
                    connection.execute("UPDATE jobs SET token = token + 1 WHERE number = ?", (lease.number,))
            elif what == "lost":
                with store.write() as connection:
                    connection.execute("UPDATE jobs SET locked_by = 'another' WHERE number = ?", (lease.number,))
            elif what == "again":
                graph.status[lease.number] = "pending"
            else:
                graph.end(lease.number, what)
            ended.append(acts.ending(lease, HOWS[what] or ending.SUCCEEDED, NOW + turn))
        store.finish("w-1", ended, to_text(NOW + turn), lambda: 0.0)
        assert dict(store.read("SELECT number, status FROM jobs")) == graph.status
        met = store.read("SELECT job, needs FROM qctl_needs WHERE met = 1")
        assert set(met) == {pair for pair in graph.met if pair[0] in graph.needs}
        number = data.draw(st.sampled_from(sorted(graph.needs)))
        if graph.status[number] in ("failed", "cancelled") and data.draw(st.booleans()):
            retry_jobs(store, [number], NOW + turn)
            graph.status[number] = "pending" if graph.is_free(number) else BLOCKED
        elif graph.status[number] in ("pending", BLOCKED) and data.draw(st.integers(0, 3)) == 0:
            cancel_jobs(store, [number], NOW + turn)
            graph.end(number, "cancelled")
    store.close()
