"""Gradients looked at closely: anybody's checked by finite differences, an expression's derived and explained."""

from descend.gradients.checking import CoordinateCheck, GradientCheck, check_gradient
from descend.gradients.derivation import ChainCheck, Derivation, describe
from descend.gradients.differences import DifferenceRow, DifferenceTable, difference_table

__all__ = [
    "ChainCheck",
    "CoordinateCheck",
    "Derivation",
    "DifferenceRow",
    "DifferenceTable",
    "GradientCheck",
    "check_gradient",
    "describe",
    "difference_table",
]
