"""The update rules: one pure function each, on one array. One named assignment per equation.

`g` is the gradient, `p` the parameter, `s` the state. The equations shown to people, the intermediate values a checker
compares and its catalogue of mistakes are read from these very lines. A rule is added by writing it in one of the families:

- `plain`: linear in the gradient: SGD, momentum, Nesterov, averaged SGD
- `scaled`: each coordinate by the size of its own gradients: Adagrad, Adadelta, RMSProp, Rprop, Adafactor
- `moments`: Adam and what grew out of it
- `layers`: each array in proportion to its own norm: LARS, LAMB
- `signs`: steps whose size ignores the gradient's
- `spectral`: matrices as matrices: Muon
- `free`: without a schedule or without a rate: schedule-free SGD and AdamW, Prodigy

Not here: L-BFGS (scipy's is used as a reference), Sophia (needs a Hessian), SparseAdam (not dense).
"""

# ruff: noqa: F403, I001  (the order is the registry's: what people meet first comes first)
from descend.optimizers.plain import *
from descend.optimizers.scaled import *
from descend.optimizers.moments import *
from descend.optimizers.layers import *
from descend.optimizers.signs import *
from descend.optimizers.spectral import *
from descend.optimizers.free import *
from descend.rules import OPTIMIZERS

__all__ = [*OPTIMIZERS]
