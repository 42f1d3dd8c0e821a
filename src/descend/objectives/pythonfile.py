"""A user's function: read from a Python file or given, one parameter or several, and its errors in one sentence."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable
from contextlib import redirect_stdout
from functools import wraps
from numbers import Number
from pathlib import Path
from types import ModuleType
from typing import Any

from descend.errors import DescendError
from descend.objectives.objective import Backend, Objective
from descend.trees import flatten

__all__ = ["function_objective", "gradient_like", "load_function", "why_not_traceable"]


def load_function(path: str, name: str) -> Callable[..., Any]:
    """The function `name` of the Python file at `path`; the file is run once."""
    if not name.isidentifier():
        raise DescendError(f"{path}:{name} names no function: write {path}:f")
    file = Path(path).expanduser()
    if not file.is_file():
        raise DescendError(f"there is no file {path}")
    module = _run_file(file)
    functions = [n for n, v in vars(module).items() if callable(v) and getattr(v, "__module__", "") == module.__name__]
    if not hasattr(module, name):
        listed = f"; it defines {', '.join(functions)}" if functions else "; it defines no function"
        raise DescendError(f"{path} defines no function {name!r}{listed}")
    function = getattr(module, name)
    if not callable(function):
        raise DescendError(f"{name!r} in {path} is not a function")
    return function  # type: ignore[no-any-return]


def _run_file(file: Path) -> ModuleType:
    path = file.resolve()
    name = f"descend_user_{path.stem}_{hashlib.sha1(str(path).encode()).hexdigest()[:8]}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise DescendError(f"{file} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))  # its own imports are found beside it
    try:
        with redirect_stdout(sys.stderr):  # what it prints is no part of our own output, which may be JSON
            spec.loader.exec_module(module)
    except SyntaxError as error:
        line = f":{error.lineno}" if error.lineno else ""
        raise DescendError(f"{Path(error.filename or path).name}{line}: {error.msg}; it is not valid Python") from error
    except (Exception, SystemExit) as error:
        raise _told(error, path, f"while {file.name} was read") from error
    finally:
        sys.path.remove(str(path.parent))
    return module


def _told(error: BaseException, path: Path | None, when: str) -> DescendError:
    """One sentence: file, line, what was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if path is not None and Path(f.filename) == path] or frames[-1:]
    place = f"{Path(own[-1].filename).name}:{own[-1].lineno}" if own else "?"
    message = " ".join(str(error).split())
    if isinstance(error, SystemExit):
        message = f"it ended the program with sys.exit({message if error.code is not None else ''})"
    message = message if len(message) <= 300 else message[:299] + "…"
    kind = "" if isinstance(error, SystemExit) else type(error).__name__ + (": " if message else "")
    return DescendError(f"{place}: {kind}{message} ({when})")


def _parameters(function: Callable[..., Any]) -> tuple[tuple[str, ...], bool]:
    """Names of the required positional parameters, and whether the point is spread over them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ("p",), False
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    required = tuple(p.name for p in parameters if p.kind in positional and p.default is p.empty)
    name = getattr(function, "__name__", "the function")
    if any(p.kind is p.KEYWORD_ONLY and p.default is p.empty for p in parameters):
        raise DescendError(f"{name} has a keyword parameter without a default; it is called with the point alone")
    if required:
        return required, len(required) > 1
    if any(p.kind is p.VAR_POSITIONAL for p in parameters):
        return (), True
    if any(p.kind in positional for p in parameters):
        return ("p",), False
    raise DescendError(f"{name} takes no parameter; an objective takes the point: f(p), or one number each: f(x, y)")


def function_objective(function: Callable[..., Any], *, text: str | None = None, guarded: bool = False) -> Objective:
    """A Python function as objective; `guarded` turns what it raises into one sentence, and its prints aside to stderr."""
    names, spread = _parameters(function)
    name = getattr(function, "__name__", type(function).__name__)
    name = "f" if name == "<lambda>" else name
    fun = _on_point(function, spread)
    return Objective(
        fun=_guard(fun, function, quiet=True) if guarded else fun,
        name=name,
        text=text or f"{name}({', '.join(names) or '*p'})",
        variables=names if len(names) > 1 else (),
        backend=_backend(function),
    )


def _on_point(function: Callable[..., Any], spread: bool) -> Callable[[Any], Any]:
    """The function of the whole point; a result with one element counts as a number."""

    @wraps(function)
    def fun(p: Any) -> Any:
        value = _called(function, p, spread)
        return _one_number(value, p, function)

    return fun


def _called(function: Callable[..., Any], p: Any, spread: bool) -> Any:
    """The function's value at a copy of the point: one that works in place would change the descent itself."""
    own = _copied(p)
    return function(*(own[i] for i in range(len(own)))) if spread else function(own)


def _copied(tree: Any) -> Any:
    """The same tree with NumPy's arrays copied; those of other libraries are JAX's, which do not change, or torch's."""
    import numpy as np

    if isinstance(tree, np.ndarray):
        return tree.copy()
    if not isinstance(tree, dict | list | tuple):
        return tree
    leaves, rebuild = flatten(tree)
    return rebuild([leaf.copy() if isinstance(leaf, np.ndarray) else leaf for leaf in leaves])


def _one_number(value: Any, p: Any, function: Callable[..., Any]) -> Any:
    """The value where it is a number, or a sentence that says what it is."""
    shape = getattr(value, "shape", None)
    if shape is not None and tuple(shape) == (1,):
        return value.reshape(())
    if isinstance(value, Number) or (shape is not None and (tuple(shape) == () or getattr(p, "ndim", 1) > 1)):
        return value  # a function of one point may be handed many at once, one per column
    if shape is not None and type(value).__module__.partition(".")[0] == "torch":
        return value  # torch's engine has a sentence of its own
    got = f"shape {tuple(shape)}" if shape is not None else _kind(value)
    name = getattr(function, "__name__", "the function")
    raise DescendError(f"{name} must return one number; it returned {got}{_defaults(function, p)}")


def _kind(value: Any) -> str:
    if value is None:
        return "nothing (None): is a `return` missing?"
    if isinstance(value, str):
        return f"the text {value if len(value) <= 40 else value[:39] + '…'!r}"
    if isinstance(value, dict | list | tuple | set):
        kind = type(value).__name__
        return f"{len(value)} values" if len(value) > 1 else f"a {kind} of one value" if value else f"an empty {kind}"
    return f"an object of type {type(value).__name__}"


def _defaults(function: Callable[..., Any], p: Any) -> str:
    """A hint where f(x, y=3.) was called with a point of two coordinates: all of it went into x."""
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return ""
    plain = [q for q in parameters if q.kind in (q.POSITIONAL_ONLY, q.POSITIONAL_OR_KEYWORD)]
    optional = [q.name for q in plain if q.default is not q.empty]
    if not optional or len(plain) - len(optional) > 1 or getattr(p, "ndim", 0) != 1 or len(p) < 2:
        return ""
    kept = f"{' and '.join(optional)} {'keeps its default' if len(optional) == 1 else 'keep their defaults'}"
    return f"; {plain[0].name} receives the whole point of {len(p)} numbers, since {kept}"


def _guard(fun: Callable[[Any], Any], function: Callable[..., Any], *, quiet: bool = False) -> Callable[[Any], Any]:
    """Errors in one sentence; `quiet` sends what the function prints to stderr."""
    code = getattr(inspect.unwrap(function), "__code__", None)
    path = Path(code.co_filename) if code is not None else None

    @wraps(fun)
    def guarded(p: Any) -> Any:
        try:
            if not quiet:
                return fun(p)
            with redirect_stdout(sys.stderr):
                return fun(p)
        except DescendError:
            raise
        except (Exception, SystemExit) as error:
            if type(error).__module__.startswith("jax"):  # "this cannot be traced" is for the loop to handle
                raise
            name = getattr(function, "__name__", "the function")
            raise _told(error, path, f"while {name} was calculated") from error

    return guarded


def gradient_like(author: Callable[..., Any], objective: Objective, *, quiet: bool = False) -> Callable[[Any], Any]:
    """The author's gradient as a function of the whole point, in the shape of the point.

    f(x, y) may have a gradient g(x, y) that returns (∂x, ∂y), or g(p). It may work in place: it is handed a copy.
    `quiet` sends what it prints to stderr.
    """
    names, spread = _parameters(author)
    if spread and objective.variables and names and len(names) != len(objective.variables):
        wanted = ", ".join(objective.variables)
        raise DescendError(f"the gradient takes {', '.join(names)}, the objective {wanted}: they must take the same")

    @wraps(author)
    def grad(p: Any) -> Any:
        value = _copied(_called(author, p, spread))  # copied, for it may be a buffer that the next call overwrites
        if value is None or isinstance(value, str):
            name = getattr(author, "__name__", "the gradient")
            raise DescendError(
                f"{name} must return the gradient, numbers in the shape of the point; it returned {_kind(value)}"
            )
        if isinstance(value, list | tuple) and not isinstance(p, list | tuple) and hasattr(p, "shape"):
            return _stack(value, p)
        return value

    return _guard(grad, author, quiet=quiet)


def _stack(parts: Any, like: Any) -> Any:
    home = type(like).__module__.partition(".")[0]
    if home in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(parts)
    if home == "torch":
        import torch

        return torch.stack([torch.as_tensor(v, dtype=like.dtype) for v in parts])
    import numpy as np

    return np.asarray(parts, dtype=like.dtype)


def _backend(function: Callable[..., Any]) -> Backend:
    """torch where the body speaks of torch; JAX otherwise (whether it can be traced shows when it is)."""
    return "torch" if "torch" in _libraries(function, set()) else "jax"


def _libraries(function: Any, seen: set[int]) -> set[str]:
    """Libraries that a function's body names, those of the functions it calls in its own file included."""
    function = inspect.unwrap(getattr(function, "func", function))
    code = getattr(function, "__code__", None)
    if code is None:  # a callable object: what it is derived from tells, as with torch.nn.Module
        return {base.__module__.partition(".")[0] for base in type(function).__mro__}
    if id(code) in seen:
        return set()
    seen.add(id(code))
    space = function.__globals__
    values = [space[name] for name in code.co_names if name in space]
    values += [cell.cell_contents for cell in function.__closure__ or () if cell != type(cell)()]
    found = {name for name in code.co_names if name == "torch"}  # imported inside the body
    for value in values:
        if isinstance(value, ModuleType):
            found.add(value.__name__.partition(".")[0])
        elif inspect.isfunction(value) and value.__globals__ is space:
            found |= _libraries(value, seen)
        else:
            found.add(str(getattr(value, "__module__", "") or "").partition(".")[0])
    return found


def why_not_traceable(objective: Objective, start: Any) -> str | None:
    """None where JAX can trace the objective at `start`; else one sentence that says why not and what to do."""
    if objective.backend == "torch":
        return f"{objective.name} is written with torch, which JAX cannot trace"
    import jax

    try:
        result = jax.eval_shape(objective.fun, start)
    except DescendError as error:
        return str(error)
    except Exception as error:
        if not type(error).__module__.startswith("jax"):
            raise
        libraries = _libraries(objective.fun, set()) & {"numpy", "math", "scipy"}
        cause = f"it calls {' and '.join(sorted(libraries))}" if libraries else "it asks for the values of its parameter"
        remedy = "write it with jax.numpy, or give its gradient (--grad file.py:function, in `run` and `gradient`)"
        return f"{objective.name} cannot be differentiated automatically: {cause}; {remedy}"
    return _not_real(objective, jax.tree_util.tree_leaves(result))


def _not_real(objective: Objective, leaves: list[Any]) -> str | None:
    """A sentence where the traced result is not one real number."""
    shapes = [tuple(leaf.shape) for leaf in leaves]
    if shapes != [()]:
        got = f"shape {shapes[0]}" if len(shapes) == 1 else "nothing" if not shapes else f"{len(shapes)} values"
        return f"{objective.name} must return one number; it returned {got}"
    kind = {"i": "a whole number", "u": "a whole number", "b": "true or false", "c": "a complex number"}.get(
        leaves[0].dtype.kind
    )
    if kind is not None:
        return f"{objective.name} must return a real number; it returned {kind}, which has no gradient"
    return None
