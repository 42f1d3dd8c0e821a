"""Many descents at once: a complete descent for each point of a grid of hyperparameters or start coordinates.

    surface = ds.plane("rosenbrock", optimizer=ds.adam(), lr=ds.logspace(1e-4, 1, 256), beta1=ds.linspace(0, 0.99, 256))
    surface.best()

One descent is a scalar program (`program`); a chunk of a few thousand of them is that program under vmap, small enough to
stay in a core's cache; chunks run on all cores, or in turn on all accelerators (`compute`). Memory is bounded by the chunk,
not by the grid. What a descent leaves is a few snapshots, from which `verdicts` tells its outcome and its rate.
"""

from descend.planes.axes import Axis, linspace, logspace
from descend.planes.compute import Store, plane
from descend.planes.result import Plane

__all__ = ["Axis", "Plane", "Store", "linspace", "logspace", "plane"]
