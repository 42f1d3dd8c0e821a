"""descend: a workbench for gradient descent. Run it, see it, find out what is wrong with it, fix it.

    import descend as ds

    trace = ds.descend("x**2 + 3*y**2", [4, 3], ds.sgd(lr=0.4), steps=20)
    print(trace.outcome.message)

Names are imported when they are first used, so that `import descend` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from descend.errors import DescendError as DescendError
    from descend.fitting import Fit as Fit
    from descend.fitting import fit as fit
    from descend.gradients import check_gradient as check_gradient
    from descend.grouping import groups as groups
    from descend.loop import descend as descend
    from descend.objectives import Objective as Objective
    from descend.objectives import noisy as noisy
    from descend.objectives import resolve as objective  # noqa: F401
    from descend.objectives import trainability as trainability
    from descend.optimizers import *  # noqa: F403
    from descend.planes import Plane as Plane
    from descend.planes import linspace as linspace
    from descend.planes import logspace as logspace
    from descend.planes import plane as plane
    from descend.rules import Optimizer as Optimizer
    from descend.trace import Outcome as Outcome
    from descend.trace import Trace as Trace

__version__ = "0.1.0"

#: Public name -> module and name there.
_HOMES = {
    "DescendError": ("descend.errors", "DescendError"),
    "Fit": ("descend.fitting", "Fit"),
    "Objective": ("descend.objectives", "Objective"),
    "Optimizer": ("descend.rules", "Optimizer"),
    "Outcome": ("descend.trace", "Outcome"),
    "Trace": ("descend.trace", "Trace"),
    "check_gradient": ("descend.gradients", "check_gradient"),
    "descend": ("descend.loop", "descend"),
    "Plane": ("descend.planes", "Plane"),
    "linspace": ("descend.planes", "linspace"),
    "logspace": ("descend.planes", "logspace"),
    "fit": ("descend.fitting", "fit"),
    "groups": ("descend.grouping", "groups"),
    "noisy": ("descend.objectives", "noisy"),
    "objective": ("descend.objectives", "resolve"),
    "plane": ("descend.planes", "plane"),
    "trainability": ("descend.objectives", "trainability"),
}


def __getattr__(name: str) -> Any:
    if name.startswith("_"):
        raise AttributeError(name)
    if name in _HOMES:
        module, attribute = _HOMES[name]
        found = globals()[name] = getattr(importlib.import_module(module), attribute)
        return found
    if name in ("optimizers", "schedules", "lab"):
        return importlib.import_module(f"descend.{name}")
    if name in ("torch", "optax"):
        return _adapter(name)
    for home in (importlib.import_module("descend.optimizers"), importlib.import_module("descend.schedules")):
        if name in home.__all__:
            found = globals()[name] = getattr(home, name)
            return found
    raise AttributeError(f"module 'descend' has no attribute {name!r}")


def _adapter(name: str) -> Any:
    """The adapter module of that name, or a sentence that says what to install for it."""
    try:
        return importlib.import_module(f"descend.{name}")
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        from descend.errors import DescendError

        raise DescendError(f"descend.{name} needs {name}, which is not installed: pip install 'descend[{name}]'") from None


def __dir__() -> list[str]:
    homes = [importlib.import_module(f"descend.{name}") for name in ("optimizers", "schedules")]
    return sorted({*_HOMES, "lab", "torch", "optax", *(name for home in homes for name in home.__all__)})
