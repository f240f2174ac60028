"""Who may import whom, where SQL may stand, and how long a file may be."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "qctl"
FILES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 320  # lines

# A layer: what it may import. The innermost first; `qctl` is the package itself, with its version and lazy names.
MAY: dict[str, set[str]] = {
    "model": set(),
    "rules": {"model"},
    "store": {"rules", "model"},
    "context": {"queue", "rules", "model"},
    "handlers": {"context", "rules", "model"},
    "calling": {"context", "handlers", "rules", "model"},
    "program": {"rules", "model"},
    "zone": {"rules", "model"},
    "inspection": {"store", "rules", "model"},
    "scheduling": {"store", "rules", "model", "zone"},
    "flows": {"store", "rules", "model"},
    "builder": {"model"},
    "typesettings": {"store", "rules", "model", "program"},
    "queue": {"inspection", "store", "rules", "model", "program", "inline", "scheduling", "typesettings", "flows"},
    "keeping": {"queue", "store", "rules", "model"},
    "inline": {"queue", "context", "handlers", "calling", "rules", "model"},
    "worker": {"store", "context", "handlers", "calling", "rules", "model", "zone"},
    "web": {"queue", "rules", "model"},
    "demo": {"qctl", "queue", "handlers", "program", "worker", "rules", "model"},
    "cli": {"qctl", "queue", "keeping", "scheduling", "handlers", "program", "worker", "rules", "model", "demo", "web"},
    "qctl": {"queue", "context", "handlers", "builder", "model"},
    "__main__": {"cli"},
}

# Exceptions: (who, whom): why.
EXCEPTIONS = {
    ("cli/bulk.py", "store.sqlite.insert"): "IdTaken tells which line of the file asked for an id that is taken",
    ("cli/completion.py", "store.sqlite.suggest"): "a TAB reads in passing; a Queue would open the file for writing",
    ("context.py", "store.sqlite.once"): "a mark of what was done is a row, and joins the caller's transaction",
    ("context.py", "store.sqlite.insert"): "new_id: a child's id is given out before it is stored",
    ("cli/init.py", "store.sqlite.migrate"): "a Queue is opened on a queue file, and here there is none yet",
    ("store/sqlite/steer.py", "queue"): "a type alone, for `edit`, which prepares a job as `enqueue` does",
    ("store/sqlite/mend.py", "queue"): "a type alone, for `dlq edit`, which checks a payload as `enqueue` does",
    ("store/sqlite/steer.py", "program"): "`edit` settles a changed command as `enqueue` does",
}

# Third-party packages, and who may import them.
PACKAGES = {
    "typer": {"cli/face.py"},
    "rich": {"cli/render.py", "cli/table.py", "cli/picture.py", "cli/follow.py", "demo/view.py"},
    "croniter": {"rules/cron.py"},
    "jsonschema": {"rules/schema.py"},
    "prometheus_client": {"web/metrics.py"},
    "referencing": {"rules/schema.py"},
}

SQL = re.compile(r"\b(?:SELECT |UPDATE |INSERT INTO|DELETE FROM)")
SQL_EXCEPTIONS = {
    "demo/tour.py": "it plays a program of another make, which enqueues with plain SQL",
    "demo/orders.py": "it is an application, with tables of its own beside the queue",
    "demo/shop.py": "it plays what happens to that application, the passing of a day included",
    "demo/audit.py": "it looks at the tables of that application, and at the open format from outside",
}

CLOCKS = {("time", "time"), ("time", "monotonic"), ("time", "perf_counter"), ("time", "time_ns"), ("time", "sleep")}
CLOCKS |= {("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")}


def name_of(file: Path) -> str:
    return file.relative_to(PACKAGE).as_posix()


def layer_of(module: str) -> str:
    """The layer of a dotted name below qctl ("" is the package itself)."""
    return module.partition(".")[0] or "qctl"


@cache
def tree_of(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@cache
def modules_of(file: Path) -> tuple[str, ...]:
    """Every module that a file imports, those inside functions and under TYPE_CHECKING included, as dotted names."""
    return tuple(imported(file))


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name_of(file)}: imports are absolute here"
            for alias in node.names:
                path = ROOT.joinpath(*(node.module or "").split("."), alias.name)
                is_module = path.is_dir() or path.with_suffix(".py").exists()
                yield f"{node.module}.{alias.name}" if is_module else str(node.module)


def own_imports(file: Path) -> set[str]:
    """What it imports of qctl, without the leading `qctl.`; "" for the package itself."""
    return {module[5:] for module in modules_of(file) if module == "qctl" or module.startswith("qctl.")}


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_layer_imports_only_what_is_below_it(file: Path) -> None:
    here = name_of(file)
    layer = "qctl" if here == "__init__.py" else here.removesuffix(".py").partition("/")[0]
    for module in own_imports(file):
        there = layer_of(module)
        allowed = there in (layer, *MAY.get(layer, ())) or (here, module) in EXCEPTIONS
        assert allowed, f"{here} imports qctl.{module}: see MAY above"


def test_every_exception_is_still_needed() -> None:
    for here, module in EXCEPTIONS:
        assert module in own_imports(PACKAGE / here), f"{here} does not import qctl.{module} any more"


def test_nothing_imports_the_command_line_but_itself() -> None:
    for file in FILES:
        if name_of(file).partition("/")[0] != "cli" and name_of(file) != "__main__.py":
            assert not [module for module in own_imports(file) if layer_of(module) == "cli"], name_of(file)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_framework_stands_behind_one_door(package: str) -> None:
    users = {name_of(file) for file in FILES if any(one.partition(".")[0] == package for one in modules_of(file))}
    assert users <= PACKAGES[package]


def test_the_lazy_names_of_the_package_are_there() -> None:
    import qctl

    for name in qctl.__all__:
        assert getattr(qctl, name) is not None


# -- SQL -------------------------------------------------------------------------------------------------------------


def texts_of(tree: ast.AST) -> Iterator[ast.Constant]:
    """The string literals of a module, docstrings left out."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node


@pytest.mark.parametrize("file", [file for file in FILES if not name_of(file).startswith("store/")], ids=name_of)
def test_sql_stands_in_the_store_alone(file: Path) -> None:
    found = [node.lineno for node in texts_of(tree_of(file)) if SQL.search(str(node.value))]
    assert bool(found) == (name_of(file) in SQL_EXCEPTIONS), f"{name_of(file)}, lines {found}"


def test_the_search_for_sql_finds_it() -> None:
    found = [file for file in FILES for node in texts_of(tree_of(file)) if SQL.search(str(node.value))]
    assert {name_of(file).partition("/")[0] for file in found} == {"store", "demo"}


@pytest.mark.parametrize("file", sorted((PACKAGE / "store" / "sqlite" / "queries").glob("*.sql")), ids=lambda f: f.stem)
def test_a_query_is_one_statement_and_is_used(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    statement = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    assert ";" not in statement.rstrip().removesuffix(";")
    assert f'"{file.stem}"' in sources()


@cache
def sources() -> str:
    return "".join(one.read_text(encoding="utf-8") for one in FILES)


# -- rules -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted((PACKAGE / "rules").glob("*.py")), ids=name_of)
def test_rules_have_no_clock_and_open_no_file(file: Path) -> None:
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            assert (node.value.id, node.attr) not in CLOCKS, f"{name_of(file)}, line {node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("open", "print", "input"), f"{name_of(file)}, line {node.lineno}"
    modules = {module.partition(".")[0] for module in modules_of(file)}
    assert modules & {"os", "sqlite3", "random", "subprocess", "socket", "pathlib"} == set()
    for node in ast.walk(tree_of(file)):
        if isinstance(node, ast.ImportFrom) and node.module in ("time", "datetime"):
            assert not {alias.name for alias in node.names} & {"time", "monotonic", "time_ns", "sleep"}


# -- size ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=name_of)
def test_a_file_fits_in_the_head(file: Path) -> None:
    lines = len(file.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST


def test_a_file_is_not_called_after_nothing() -> None:
    empty = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "tools"}
    assert not {file.stem for file in FILES} & empty
    assert not {folder.name for folder in PACKAGE.rglob("*") if folder.is_dir()} & empty


# -- what is installed -----------------------------------------------------------------------------------------------


def test_every_file_that_the_package_reads_is_installed_with_it() -> None:
    settings = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
    installed = {PACKAGE.parent / name for name in settings["script-files"]}
    for package, patterns in settings["package-data"].items():
        folder = PACKAGE.parent / package.replace(".", "/")
        installed |= {file for pattern in patterns for file in folder.glob(pattern)}
    there = {file for kind in ("*.sql", "*.txt", "*.html", "py.typed") for file in PACKAGE.rglob(kind)}
    assert there and there <= installed
