"""Who may import whom, read from the syntax tree of every module: data flows one way."""

from __future__ import annotations

import ast
import importlib
import inspect
from functools import lru_cache
from pathlib import Path

import pytest

import descend

ROOT = Path(descend.__file__).parent

#: Plain types and helpers, from the ground up. A module imports from lines above its own only.
GROUND = [
    {"errors", "arrays", "ondata", "trees", "slots", "rows"},
    {"schedules", "around", "trace"},
    {"hyperparameters", "tracing"},
    {"rules", "objectives"},
    {"optimizers", "equations", "gradients", "compiled", "grouping", "torch_recorder"},
    {"engine"},
    {"torch_lists", "torch_names", "optax", "reference", "choose", "steady", "stepwise"},
    {"torch", "foreign", "stopping", "stability"},
    {"judging"},
    {"starting", "book"},
    {"again"},
    {"loop", "planes"},
    {"explain", "store", "figures", "compare", "doctor", "logs", "fitting", "fit_report", "check", "record", "search"},
    {"cli", "lab", "course"},
]
LEVEL = {name: level for level, names in enumerate(GROUND) for name in names}

#: What reads anybody's trace and therefore never runs a descent itself.
READERS = {"doctor", "figures", "compare", "store", "logs"}
#: Commands, pages and lessons: the upper end.
TOP = {"cli", "lab", "course"}
#: Imports inside a function that go up, each with its reason.
LAZY_UP = {
    ("trace", "figures"): "a trace draws itself: plot() and notebook display",
    ("judging", "stability"): "whether a point at rest is a saddle is asked only there",
    ("planes", "figures"): "a plane draws itself",
    ("cli", "lab"): "the command line starts the page",
    ("cli", "course"): "the command line starts the lessons",
}
#: Costly libraries: imported where they are used.
HEAVY = {
    "jax",
    "jaxlib",
    "matplotlib",
    "torch",
    "sympy",
    "scipy",
    "optax",
    "pandas",
    "sklearn",
    "starlette",
    "uvicorn",
    "ray",
    "optuna",
}
#: Adapters to one library import it: nobody imports them but each other and whoever asks for them.
ADAPTERS = {"torch": {"torch"}, "torch_lists": {"torch"}, "torch_recorder": {"torch"}, "optax": {"jax", "optax"}}


def modules() -> list[Path]:
    return sorted(ROOT.rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def family(module: str) -> str:
    """The part of the house a module belongs to: `descend.objectives.tokens` -> `objectives`."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


@lru_cache
def imports(path: Path) -> tuple[frozenset[str], frozenset[str]]:
    """Modules imported when this one is, and modules imported inside its functions. Type checking alone does not count."""
    eager, lazy = set(), set()

    def names(node: ast.Import | ast.ImportFrom) -> list[str]:
        if isinstance(node, ast.Import):
            return [alias.name for alias in node.names]
        assert not node.level, f"{path}: imports are absolute"
        base = node.module or ""
        if base == "descend":  # from descend import optimizers
            return [
                f"descend.{a.name}" if (ROOT / a.name).exists() or (ROOT / f"{a.name}.py").exists() else base
                for a in node.names
            ]
        return [base]

    def walk(node: ast.AST, inside: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import | ast.ImportFrom):
                (lazy if inside else eager).update(names(child))
            elif isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
                continue
            else:
                walk(child, inside or isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda))

    walk(ast.parse(path.read_text(encoding="utf-8")), False)
    return frozenset(eager), frozenset(lazy)


every_module = pytest.mark.parametrize("path", modules(), ids=[dotted(p) for p in modules()])


def inner(names: frozenset[str], own: str) -> set[str]:
    """Families of this package among the names, but for the module's own."""
    return {family(n) for n in names if n.startswith("descend.")} - {own, ""}


@every_module
def test_imports_go_down(path: Path) -> None:
    own = family(dotted(path))
    if own in ("", "__main__"):
        pytest.skip("the root hands out names lazily")
    assert own in LEVEL, f"give {own!r} a level in this test"
    eager, lazy = imports(path)
    for other in inner(eager, own):
        assert LEVEL[other] <= LEVEL[own], f"{dotted(path)} imports {other} from above"
    for other in inner(lazy, own):
        known = (
            LEVEL[other] <= LEVEL[own]
            or (own, other) in LAZY_UP
            or (other in ("loop", "foreign") and own in ("loop", "explain"))
        )
        assert known, f"{dotted(path)} reaches up to {other}: name it in LAZY_UP with its reason"


def test_no_two_families_import_each_other() -> None:
    edges = {(family(dotted(p)), other) for p in modules() for other in inner(imports(p)[0], family(dotted(p)))}
    assert {(a, b) for a, b in edges if (b, a) in edges} == set()
    done: set[str] = set()
    rest = {name for edge in edges for name in edge}
    while rest - done:
        free = {n for n in rest - done if all(b in done for a, b in edges if a == n)}
        assert free, f"a cycle among {sorted(rest - done)}"
        done |= free


@every_module
def test_the_plain_nouns_know_only_each_other(path: Path) -> None:
    own = family(dotted(path))
    allowed = {
        "trace": {"errors"},
        "schedules": {"errors"},
        "optimizers": {"rules", "arrays", "errors"},
        "objectives": {"errors", "trees", "ondata"},
    }
    if own in allowed:
        assert inner(imports(path)[0], own) <= allowed[own]


@every_module
def test_readers_of_traces_never_run_a_descent(path: Path) -> None:
    if family(dotted(path)) in READERS:
        eager, lazy = imports(path)
        assert not inner(eager | lazy, "") & {"loop", "engine", "explain"}


@every_module
def test_nothing_below_imports_the_upper_end_nor_they_each_other(path: Path) -> None:
    own = family(dotted(path))
    eager, lazy = imports(path)
    assert not inner(eager, own) & TOP or own == "__main__"
    if own != "cli":
        assert not inner(lazy, own) & TOP


@every_module
def test_no_module_imports_the_package_root(path: Path) -> None:
    eager, lazy = imports(path)
    if dotted(path) == "descend.cli":
        eager -= {"descend"}  # its version, for --version
        assert "from descend import __version__" in path.read_text(encoding="utf-8")
    assert "descend" not in eager | lazy or dotted(path) == "descend"


@every_module
def test_costly_libraries_are_imported_where_they_are_used(path: Path) -> None:
    eager, _ = imports(path)
    own = family(dotted(path))
    assert not {name.partition(".")[0] for name in eager} & (HEAVY - ADAPTERS.get(own, set()))
    assert own in ADAPTERS or not inner(eager, own) & set(ADAPTERS)


def test_every_exception_is_used() -> None:
    """An exception that nobody needs any more is taken off the list, once its module is there."""
    reached = {(family(dotted(p)), other) for p in modules() for other in inner(imports(p)[1], family(dotted(p)))}
    for own, other in LAZY_UP:
        there = (ROOT / other).exists() or (ROOT / f"{other}.py").exists()
        assert not there or (own, other) in reached, (own, other)


def test_no_module_shares_a_public_functions_name() -> None:
    """`ds.plane` would be the function once and the module later."""
    public = {n for n in dir(descend) if not n.startswith("_") and not inspect.ismodule(getattr(descend, n))}
    assert "adam" in public
    direct = {p.stem for p in ROOT.glob("*.py")} | {p.name for p in ROOT.iterdir() if p.is_dir()}
    assert public & direct == set()


def test_every_public_name_is_there() -> None:
    for name in dir(descend):
        if not name.startswith("__"):
            assert getattr(descend, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = descend.nothing


@every_module
def test_what_a_module_says_it_offers_it_has(path: Path) -> None:
    if path.stem == "__main__":
        return
    module = importlib.import_module(dotted(path))
    for name in getattr(module, "__all__", ()):
        assert hasattr(module, name), f"{dotted(path)} lists {name}"
