from __future__ import annotations

import io
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from qctl.cli import render
from qctl.cli.render import bytes_text, number, object_json, percent, record, svg_of
from qctl.cli.table import Column, table
from qctl.cli.terminal import GLYPHS, cell_width, colour, cut, escape, escape_bytes, unicode, width
from tests.profile import examples

quick = settings(max_examples=examples(80), database=None)
OURS = re.compile(r"\x1b\[(0|1|2|31|32|33|36)m")
HOSTILE = "\x1b]52;c;cm0=\x07\x00\x7f\x9b2J\u202e\u2066\u200f\u061c\u2028\udc80\ud800\t\n\r\xa0\\"
texts = st.text(st.characters(exclude_categories=()) | st.sampled_from(HOSTILE + "é漢👍\ufe0f\u0301"))
values = st.one_of(texts, st.none(), st.integers(), st.booleans(), st.lists(texts))
GLYPH, ADVICE = Column("", "glyph", people=True), Column("", "next", people=True, optional=True)
NUMBER, STATUS = Column("JOB", "number", right=True), Column("STATUS", "status")
TYPE, NOTE = Column("TYPE", "type", flex=True), Column("NOTE", "note", flex=True)
JOBS = [GLYPH, NUMBER, TYPE, STATUS, Column("WHEN", "scheduled_at"), NOTE, ADVICE]
DECLINED = "card declined: the bank wants a new signature of the holder first"
CHARGE: dict[str, Any] = {"number": 1031, "type": "charge", "status": "failed", "note": DECLINED}
CHARGE["scheduled_at"] = "2026-10-13 14:02:11.123"
CHARGE["shown"] = {"glyph": GLYPHS["failed"], "scheduled_at": "2h ago", "next": "→ qctl dlq show 1031"}
CHARGE["style"] = {"glyph": "red", "status": "red"}
INVOICE = {"number": 12408, "type": "render_invoice", "status": "pending", "shown": {"glyph": "○"}}


class Stream(io.TextIOWrapper):
    def __init__(self, terminal: bool, encoding: str = "utf-8") -> None:
        self.bytes = io.BytesIO()
        self.terminal = terminal
        super().__init__(self.bytes, encoding)

    def isatty(self) -> bool:
        return self.terminal

    def text(self) -> str:
        self.flush()
        return self.bytes.getvalue().decode(self.encoding)


@contextmanager
def streams(terminal: bool, encoding: str = "utf-8", **env: object) -> Iterator[tuple[Stream, Stream]]:
    unset = dict.fromkeys(("NO_COLOR", "FORCE_COLOR", "COLUMNS", "LC_ALL", "LC_CTYPE", "LANG"), "")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**unset, "TERM": "xterm", **env}.items():
            patch.setenv(name, str(value))
        out, err = Stream(terminal, encoding), Stream(terminal, encoding)
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        yield out, err


def printed(call: Callable[[], Any], terminal: bool = True, encoding: str = "utf-8", **env: object) -> str:
    with streams(terminal, encoding, **env) as (out, _err):
        call()
        return out.text()


def jobs() -> int:
    return table(JOBS, [CHARGE, INVOICE], footer="2 of 9", hints=["look"])


@quick
@given(texts)
def test_escaped_text_is_printable_and_text_that_was_stays(text: str) -> None:
    assert escape(text).isprintable()
    assert not text.isprintable() or escape(text) == text
    assert escape_bytes(text.encode("utf-8", "surrogatepass")).translate({9: "", 10: ""}).isprintable()


def test_what_is_escaped_is_spelled_as_python_spells_it() -> None:
    spelled = r"\x1b]52;c;cm0=\x07\x00\x7f\x9b2J\u202e\u2066\u200f\u061c\u2028\x80\ud800\t\n\r\xa0"
    assert escape(HOSTILE) == spelled + "\\"
    assert escape_bytes(b"a\tb\r\n\xff\x1b[1m\r\n") == "a\tb\n\\xff\\x1b[1m\n"


@quick
@given(texts.map(escape), st.integers(0, 30))
def test_text_is_measured_in_columns_and_cut_to_fit(text: str, room: int) -> None:
    short = cut(text, room)
    assert max(cell_width(short), cell_len(short)) <= room
    assert short == text or (cell_width(text) > room and short[-1:] in ("…", ""))
    examples = ("abc", "漢字", "e\u0301", "👍", "⚠\ufe0f", "⭐\ufe0f", "\u1112\u1161\u11ab")
    assert [cell_width(text) for text in examples] == [3, 4, 1, 2, 2, 2, 2]


@quick
@given(st.lists(st.tuples(values, values, values), min_size=1), st.integers(40, 200), st.booleans())
def test_a_table_fits_and_only_our_own_codes_reach_a_terminal(cells: Any, room: int, bare: bool) -> None:
    columns = [Column("ONE", "a"), Column("TWO", "b", flex=True), Column("THREE", "c", right=True)]
    rows = [{"a": a, "b": b, "c": c, "style": {"b": "red"}, "shown": {"c": str(c)}} for a, b, c in cells]
    text = printed(lambda: table(columns, rows), COLUMNS=room, NO_COLOR="1" if bare else "")
    assert text.count("\n") == len(rows) + 1
    for line in text.split("\n"):
        line = line if bare else OURS.sub("", line)
        assert line.isprintable()
        assert max(cell_width(line), cell_len(line)) <= room


def test_a_table_at_80_columns_shortens_the_note_and_a_wide_one_shows_it_whole() -> None:
    assert printed(jobs, NO_COLOR=1).splitlines() == [
        "    JOB  TYPE            STATUS   WHEN    NOTE",
        "✗  1031  charge          failed   2h ago  card declined: …  → qctl dlq show 1031",
        "○ 12408  render_invoice  pending",
    ]
    wide = f"✗  1031  charge          failed   2h ago  {DECLINED}  → qctl dlq show 1031"
    assert printed(jobs, NO_COLOR=1, COLUMNS=len(wide)).split("\n")[1] == wide
    assert wide not in printed(jobs, NO_COLOR=1, COLUMNS=len(wide) - 1)
    coloured = printed(jobs).replace("\x1b[2m", "<").replace("\x1b[31m", "<").replace("\x1b[0m", ">")
    assert coloured.startswith("    <JOB>  <TYPE>            <STATUS>   <WHEN>    <NOTE>\n<✗>  1031  ch")


def test_where_room_is_short_optional_columns_go_and_numbers_are_never_halved() -> None:
    short = "✗  1031  charge       failed   2h ago  card decli…"
    assert printed(jobs, NO_COLOR=1, COLUMNS=50).split("\n")[1] == short
    numbers = [Column("N", "n", right=True), Column("M", "m", right=True)]
    for room in range(10, 30):
        text = printed(lambda: table(numbers, [{"n": 12345678, "m": 987654321}]), COLUMNS=room)
        assert text.split("\n")[1].split() == ["12345678", "987654321"][: 1 + (room >= 19)]


def test_a_terminal_without_unicode_gets_ascii() -> None:
    for text in (printed(jobs, encoding="ascii", NO_COLOR=1), printed(jobs, LC_ALL="C", NO_COLOR=1)):
        assert re.search("^x  1031  charge .*~  -> qctl dlq show 1031$", text, re.MULTILINE)
        assert text.isascii() and max(map(len, text.split("\n"))) <= 80


def test_footer_and_hints_go_to_a_person_at_stderr_and_nobody_else() -> None:
    for terminal in (True, False):
        with streams(terminal, NO_COLOR=1) as (_out, err):
            assert jobs() == 2
            assert table(JOBS, [CHARGE], json=True, footer="no", hints=["no"]) == 1
            assert err.text() == ("2 of 9\nlook\n" if terminal else "")
    assert printed(lambda: table(JOBS, [])) == ""


def reread(value: Any) -> Any:
    """A high and a low surrogate side by side are one character in JSON, whoever writes it."""
    return json.loads(json.dumps(value))


@quick
@given(st.lists(values, min_size=3, max_size=3))
def test_a_row_for_programs_is_one_line_and_its_values_read_back(cells: list[Any]) -> None:
    columns, row = [Column(key, key, right=True) for key in "abc"], dict(zip("abc", cells, strict=True))
    text = printed(lambda: table(columns, [row]), terminal=False)
    assert (text.count("\t"), text.find("\n")) == (2, len(text) - 1)
    for cell, value in zip(text[:-1].split("\t"), cells, strict=True):
        assert not isinstance(value, list) or reread(json.loads(cell)) == reread(value)
        assert not isinstance(value, str) or cell == escape(value)
    for encoding in ("utf-8", "ascii", "latin-1"):
        rows = [{"row": row, "shown": {}, "style": {}}]
        text = printed(lambda: table([], rows, json=True), True, encoding)  # noqa: B023
        assert text.endswith("\n") and text[:-1].isprintable()
        assert json.loads(text) == reread({"row": row})


def test_in_a_pipe_times_are_iso_and_nothing_is_cut_grouped_or_added() -> None:
    odd = {"number": True, "type": b"\xff\n", "note": {"a": [1, None]}, "style": {"number": "red"}}
    rows = [{**CHARGE, "note": "é" * 500}, INVOICE, odd]
    assert printed(lambda: table(JOBS, rows), False, "ascii", COLUMNS=40).splitlines() == [
        "1031\tcharge\tfailed\t2026-10-13T14:02:11.123Z\t" + "\\xe9" * 500,
        "12408\trender_invoice\tpending\t\t",
        'true\t\\xff\\n\t\t\t{"a":[1,null]}',
    ]
    forced = printed(lambda: table(JOBS, [odd]), terminal=False, FORCE_COLOR=1)
    assert object_json([float("nan"), b"\xff"]) == r'[null, "\\xff"]'
    assert forced == '\x1b[31mtrue\x1b[0m\t\\xff\\n\t\t\t{"a":[1,null]}\n'


@pytest.mark.parametrize("asked", [False, True])
def test_rows_stream_into_a_pipe(asked: bool) -> None:
    with streams(False) as (out, _err):
        rows = ({"a": out.bytes.tell(), "b": "x" * 100} for _ in range(2000))
        assert table([Column("A", "a"), Column("B", "b")], rows, json=asked) == 2000
        assert int(re.findall(r"\d+", out.text().split("\n")[1000])[0]) > 80_000


def test_a_pipe_needs_nothing_but_what_python_brings() -> None:
    code = """if True:
        import sys; before = {*sys.modules, "__future__"}
        from qctl.cli.render import *
        table([Column("A", "a_at")], ({"a_at": i} for i in range(3)), footer="f"); say("e"); hint("no")
        record([("A", "b", None, "red")])
        with progress("p", 3) as bar: bar.advance(3)
        print([one for one in sys.modules if one not in before and not one.startswith("qctl")])"""
    root = render.__file__.rsplit("/qctl/", 1)[0]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)
    assert (done.stdout, done.stderr) == ("0\n1\n2\na\tb\n[]\n", "e\n")


def test_a_record_is_a_block_for_people_and_lines_in_a_pipe() -> None:
    def call(json: bool = False) -> None:
        created = ("Created", "2026-10-13 14:02:11.123", "Tue 13 Oct (12m ago)")
        history = ("History", ["#1", "#2"], ["#1 ✗ 1.2s", "#2 ● " + "word " * 12])
        error = ("Error", "boom:\n  at 3", None, "red")
        pairs = [("Payload", {"to": 1}), created, error, ("Annotation", None), history]
        record(pairs, json=json, data={"number": 1}, title="✗ 1036 mail", style="red")

    assert printed(call, NO_COLOR=1, COLUMNS=50).splitlines() == [
        "✗ 1036 mail",
        'Payload  {"to":1}',
        "Created  Tue 13 Oct (12m ago)",
        "  Error  boom:",
        "           at 3",
        "History  #1 ✗ 1.2s",
        "         #2 ● word word word word word word word",
        "         word word word word word",
    ]
    raw = r'payload|{"to":1}' "\ncreated|2026-10-13T14:02:11.123Z\n" r"error|boom:\n  at 3"
    assert printed(call, False).replace("\t", "|") == raw + "\nannotation|\nhistory|#1\nhistory|#2\n"
    assert printed(lambda: call(True)) == '{"number": 1}\n'
    assert printed(call).startswith("\x1b[31m✗\x1b[0m 1036 mail\n\x1b[2mPayload\x1b[0m  {")


@quick
@given(texts, texts, st.integers(40, 120))
def test_a_record_fits_its_terminal_and_loses_nothing(label: str, value: str, room: int) -> None:
    text = printed(lambda: record([(label, "x" + value)]), NO_COLOR=1, COLUMNS=room)
    assert all(line.isprintable() and cell_width(line) <= room for line in text.split("\n"))
    wanted = cut(escape(label), room // 3) + "x" + "".join(map(escape, value.split("\n")))
    assert "".join(text.split()) == "".join(wanted.split())


@pytest.mark.parametrize(("label", "more"), [("\x1b[31mqctl:\x1b[0m", "for you\n"), ("qctl:", "")])
def test_talk_is_one_safe_line_and_a_hint_is_for_people(label: str, more: str) -> None:
    with streams(more != "") as (_out, err):
        render.error("no\n\x1b[2J")
        render.say("said")
        render.hint("for you")
        assert err.text() == f"{label} no\\n\\x1b[2J\nsaid\n{more}"
    with streams(False, "ascii") as (_out, err):
        render.say("né → …\udcff")
        assert err.text() == "n\\xe9 -> ...\\xff\n"


def test_talk_is_lost_but_data_is_not_when_nobody_can_take_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone(Stream):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    for stream, kind in ((Gone(False), BrokenPipeError), (None, OSError)):
        monkeypatch.setattr(sys, "stdout", stream)
        monkeypatch.setattr(sys, "stderr", stream)
        render.error("nobody listens")
        with pytest.raises(kind):
            jobs()


def test_the_environment_says_what_a_stream_can_show() -> None:
    assert "\x1b" not in printed(jobs, NO_COLOR=1, FORCE_COLOR=1) + printed(jobs, TERM="dumb")
    for terminal, force in ((True, ""), (False, ""), (False, "0"), (False, "1")):
        with streams(terminal, FORCE_COLOR=force) as (out, _err):
            assert colour(out) is (terminal or force == "1")
    for said, size in (("120", 120), ("0", 80), ("wide", 80), ("", 80), ("9" * 5000, 999_999)):
        with streams(True, COLUMNS=said) as (out, _err):
            assert width(out) == size
    for encoding, locale in (("utf-8", ""), ("utf-8", "C"), ("latin-1", ""), ("utf-8", "C.UTF-8")):
        with streams(True, encoding, LANG=locale) as (out, _err):
            assert unicode(out) is (encoding == "utf-8" and locale != "C")


def test_numbers_for_people() -> None:
    assert [number(n) for n in (12408, -1, 2.0, 26.44, None)] == ["12,408", "-1", "2", "26.4", "-"]
    shares = [percent(x) for x in (0.031, 0, 0.0001, 0.9999, 1, None)]
    assert shares == ["3.1%", "0%", "<0.1%", ">99.9%", "100%", "-"]
    sizes = [bytes_text(n) for n in (0, 1023, 1024, 1_258_291, 1024**2 - 1, None)]
    assert sizes == ["0 B", "1023 B", "1.0 KiB", "1.2 MiB", "1.0 MiB", "-"]


def test_a_bar_is_drawn_for_a_person_once_it_takes_long(monkeypatch: pytest.MonkeyPatch) -> None:
    for terminal, delay, drawn in ((True, 0, True), (True, 3600, False), (False, 0, False)):
        monkeypatch.setattr(render, "FIRST_DRAW", delay)
        with streams(terminal, COLUMNS=100) as (out, err):
            with render.progress("purging [red]\x1b[2J", 400, unit="jobs") as bar:
                out.terminal = False
                bar.advance(300)
                print("1042")
            assert bool(re.search(r"purging \[red\]\\x1b\[2J .*300 of 400 jobs", err.text())) is drawn
            assert (out.text(), sys.stdout) == ("1042\n", out)


def test_a_picture_stands_alone() -> None:
    with streams(False, NO_COLOR=1):
        picture = svg_of("\x1b[31m✗\x1b[0m <failed>\nplain\n", "qctl & friends")
    assert re.findall("http[^\"']*", picture) == ["http://www.w3.org/2000/svg"]
    assert all(part in picture for part in ("✗", "&lt;failed&gt;", "qctl&#160;&amp;&#160;friends"))
    assert len(set(re.findall(r"\{ fill: (#\w+)", picture))) == 2


def test_a_picture_can_be_light_and_of_a_whole_screen() -> None:
    from qctl.cli.picture import screen

    assert svg_of("x", "t", light=True) != svg_of("x", "t")
    drawn = (
        "\x1b[?1049h\x1b[1;1H\x1b[0m\x1b[Kold\x1b[0m\x1b[3;1H\x1b[0m\x1b[Klast\x1b[0m\x1b[1;1H\x1b[0m\x1b[Knew\x1b[0m"
    )
    assert screen(drawn, 3) == "new\x1b[0m\n\nlast\x1b[0m"
