"""What can be minimised: expressions, named surfaces, functions in Python files, callables."""

from descend.objectives.expression import Expression, parse
from descend.objectives.lookup import resolve
from descend.objectives.networks import NETWORKS, trainability
from descend.objectives.noise import noisy
from descend.objectives.objective import Objective
from descend.objectives.surfaces import SURFACES, Surface

__all__ = ["NETWORKS", "SURFACES", "Expression", "Objective", "Surface", "noisy", "parse", "resolve", "trainability"]
