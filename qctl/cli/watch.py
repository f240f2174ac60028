"""`qctl stats --watch`: the queue, live. It looks once a second, and never leaves a transaction open."""

from __future__ import annotations

import sys
import time

from qctl.cli.screen import Screen
from qctl.cli.views import Jobs, OneJob, Rows, Types, can_show
from qctl.model import OK, QctlError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from qctl.queue import Queue

EVERY = 1.0  # seconds between looks, and at least ten times what a look takes
CHUNK = 200  # dead letters that are replayed in one transaction

HELP = """\
up, down, j, k      choose          page up, page down, home, end
enter, right        look into a type, into a job
esc, left           back; what is asked or typed is dropped
space               stop the picture, and let it go on
s, S                sort by the next column; the other way round
/                   filter by what is typed; enter keeps it, esc drops it
c                   cancel the job
r                   let the job run now; again, if it has ended
R                   replay the dead job, or all dead jobs of the type
q, Ctrl-C           quit
Cancelling, retrying and replaying ask first: y does it.""".splitlines()


def watch(queue: Queue, window: float, only: Sequence[str]) -> int:
    """Show the queue until `q`. Where there is no terminal to take over, the figures once, and a line that says so."""
    if not can_show():
        from qctl.cli.render import say
        from qctl.cli.stats import show

        say("--watch needs a terminal: these are the figures of now")
        show(queue.stats(window, brief=True), list(only), window)
        return OK
    with Screen() as screen:
        return Watch(queue, window, only, screen).run()


class Watch:
    """The views on top of each other, and what is being asked."""

    def __init__(self, queue: Queue, window: float, only: Sequence[str], screen: Screen) -> None:
        self.queue = queue
        self.window = window
        self.screen = screen
        self.views: list[Rows | OneJob] = [Types(queue, window, only)]
        self.is_paused = False
        self.helps = False
        self.typing = False
        self.message = ""
        self.question: tuple[str, Callable[[], str]] | None = None
        self.next_look = 0.0
        self.read_at = 0.0
        self.done = False

    @property
    def view(self) -> Rows | OneJob:
        return self.views[-1]

    @property
    def table(self) -> Rows | None:
        """The present view, if it is one that can be sorted and filtered."""
        return self.view if isinstance(self.view, Rows) else None

    def run(self) -> int:
        while not self.done and not self.screen.stopped:
            if time.monotonic() >= self.next_look and not self.is_paused:
                self.look()
            self.draw()
            wait = 60.0 if self.is_paused else self.next_look - time.monotonic()
            for key in self.screen.keys(wait):
                self.press(key)
        return 128 + self.screen.stopped if self.screen.stopped else OK

    def look(self) -> None:
        """Read the present view anew."""
        begun = time.monotonic()
        try:
            self.view.read()
            self.read_at = time.time()
        except QctlError as error:
            self.message = str(error)
            if len(self.views) > 1 and not self.view.head:
                self.views.pop()  # there never was anything to see
        took = time.monotonic() - begun
        self.next_look = time.monotonic() + max(EVERY, took * 10)

    # -- the picture ----------------------------------------------------------------------------------------------

    def draw(self) -> None:
        from qctl.cli.terminal import colour, cut, escape, fold, paint, unicode

        columns, height = self.screen.size()
        coloured, drawn = colour(sys.stdout), unicode(sys.stdout)
        clock = time.strftime("%H:%M:%S", time.localtime(self.read_at)) if self.read_at else ""
        way = " › ".join(["qctl", *[view.title for view in self.views]])
        state = " [stopped: space goes on]" if self.is_paused else ""
        shown = self.table
        sort = f" · by {shown.sorts[shown.sort][0]}" if shown else ""
        filter = f" · /{shown.filter}" if shown and shown.filter and not self.typing else ""
        top = cut(escape(f"{way} · {clock}{sort}{filter}{state}"), columns)
        body = HELP if self.helps else self.view.lines(columns, height - 3, coloured=coloured, drawn=drawn)
        if self.helps:
            body = ["", *[cut("  " + line, columns) for line in body]]
        body = [*body[: height - 3], *[""] * (height - 3 - len(body))]
        foot = cut(escape(self.foot()), columns)
        lines = [paint(top, "bold") if coloured else top, *body, "", foot]
        self.screen.draw(lines if drawn else [fold(line.replace("›", ">")) for line in lines])

    def foot(self) -> str:
        if self.question is not None:
            return f"{self.question[0]} y/n"
        if self.typing and self.table:
            return f"/{self.table.filter}_"
        if self.message:
            return self.message
        if isinstance(self.view, Types):
            return "enter look into  / filter  s sort  R replay dead  space stop  ? keys  q quit"
        return "esc back  c cancel  r run now  R replay  space stop  ? keys  q quit"

    # -- the keys -------------------------------------------------------------------------------------------------

    def press(self, key: str) -> None:
        if key == "resize":
            self.screen.clear()
            return
        if key == "redraw":
            self.screen.clear()
        elif self.question is not None:
            self.answer(key)
        elif self.typing:
            self.type(key)
        elif self.helps:
            self.helps = False
        else:
            self.message = ""
            self.command(key)

    def command(self, key: str) -> None:
        steps = {"up": -1, "k": -1, "down": 1, "j": 1, "page up": -10, "page down": 10, "home": -(10**9), "end": 10**9}
        if key in steps:
            self.view.move(steps[key])
        elif key == "q":
            self.done = True
        elif key == "?":
            self.helps = True
        elif key == " ":
            self.is_paused = not self.is_paused
            self.next_look = 0.0
        elif key == "s" and self.table:
            self.table.sort = (self.table.sort + 1) % len(self.table.sorts)
        elif key == "S" and self.table:
            self.table.is_reversed = not self.table.is_reversed
        elif key == "/" and self.table:
            self.typing = True
        elif key in ("enter", "right"):
            self.into()
        elif key in ("esc", "left", "backspace"):
            if len(self.views) > 1:
                self.views.pop()
                self.look()
            elif self.table:
                self.table.filter = ""
        elif key in ("c", "r", "R"):
            self.ask(key)

    def into(self) -> None:
        """Look into what is chosen."""
        chosen = self.view.chosen()
        if chosen is None or isinstance(self.view, OneJob):
            return
        if isinstance(self.view, Types):
            self.views.append(Jobs(self.queue, self.window, chosen["type"]))
        else:
            self.views.append(OneJob(self.queue, chosen["number"]))
        self.look()

    def type(self, key: str) -> None:
        shown = self.table
        if key == "enter" or shown is None:
            self.typing = False
        elif key == "esc":
            self.typing, shown.filter = False, ""
        elif key == "backspace":
            shown.filter = shown.filter[:-1]
        elif len(key) == 1:
            shown.filter += key

    def ask(self, key: str) -> None:
        """Ask before anything is changed."""
        chosen = self.view.chosen()
        if chosen is None:
            return
        name = f"job {chosen['number']} {chosen['type']}" if "number" in chosen else ""
        if key == "R" and not name:
            count = chosen["dead"]
            if not count:
                self.message = f"{chosen['type']} has no dead letter to review"
                return
            self.question = (f"replay {count:,} dead {chosen['type']}?", lambda: self.replay(chosen["type"]))
        elif not name:
            self.message = "look into the type and choose a job first: enter"
        elif key == "c":
            self.question = (f"cancel {name}?", lambda: self.steer(self.queue.cancel([chosen["number"]])))
        elif key == "r":
            again = " again" if chosen["status"] in ("completed", "failed", "cancelled") else " now"
            self.question = (f"run {name}{again}?", lambda: self.steer(self.queue.retry([chosen["number"]])))
        elif chosen["status"] != "failed":
            self.message = f"{name} is {chosen['status']}: only what died can be replayed"
        else:
            self.question = (f"replay {name}?", lambda: self.replay(chosen["type"], chosen["id"]))

    def answer(self, key: str) -> None:
        question, self.question = self.question, None
        if question is None or key != "y":
            self.message = "nothing was done"
            return
        try:
            self.message = question[1]()
        except QctlError as error:
            self.message = str(error)
        self.look()

    def steer(self, done: dict[int, str]) -> str:
        return ", ".join(f"job {number}: {what}" for number, what in done.items()) or "nothing was done"

    def replay(self, type_: str, job_id: str | None = None) -> str:
        """Replay one dead job, or all of a type, in chunks."""
        from qctl.keeping import each_apart, one_command
        from qctl.model import Filter

        if job_id is not None:
            letters = [one["id"] for one in self.queue.letters(job_id) if not one["reviewed"]]
        else:
            letters = [one["id"] for one in self.queue.dead_letters(Filter(types=[type_]))]
        count = 0
        one_command(self.queue)
        try:
            for place in range(0, len(letters), CHUNK):
                count += len(self.queue.replay(letters[place : place + CHUNK]))
                self.message = f"replayed {count:,} of {len(letters):,}"
                self.draw()
        finally:
            each_apart(self.queue)
        return f"replayed {count:,} job{'' if count == 1 else 's'}"
