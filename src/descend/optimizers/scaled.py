"""Rules that divide each coordinate by the size of its own gradients."""

from __future__ import annotations

from typing import Any

from descend.arrays import epsilon, maximum, mean, minimum, rms, sign, sqrt, where
from descend.rules import COUNT, SQUARE, ZERO, Slot, rule

__all__ = ["adadelta", "adafactor", "adagrad", "rmsprop", "rprop"]

Array = Any
INF = float("inf")


@rule(
    v=SQUARE.filled("v0"),
    a=ZERO.only("centered"),
    b=ZERO.only("momentum"),
    title="RMSProp",
    paper="Tieleman & Hinton 2012, lecture 6.5",
    convention="torch.optim.RMSprop: eps outside the root, v starts at 0",
    fixes="One rate for all coordinates: divides each by the recent size of its own gradient.",
    avoid="When the last digit matters: at a constant rate it hovers about lr away from the minimum.",
    usual_lr="1e-3 to 1e-2",
    kind="adaptive",
    meanings={
        "momentum": "share of the velocity kept; 0 is without",
        "centered": "divide by the spread of the gradient instead of its size",
    },
)
def rmsprop(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-2,
    rho: float = 0.99,
    eps: float = 1e-8,
    momentum: float = 0.0,
    centered: bool = False,
    eps_in_root: bool = False,
    lr_in_velocity: bool = False,
    v0: float = 0.0,
) -> Any:
    """Each coordinate is divided by the root of a running mean of its squared gradients.

    Dialects: Keras and optax add eps inside the root (`eps_in_root=True`); Keras keeps the rate inside the velocity
    (`lr_in_velocity=True`); TensorFlow 1 starts the mean square at 1 (`v0=1`).
    """
    s.v = rho * s.v + (1 - rho) * g**2
    s.a = rho * s.a + (1 - rho) * g
    var = maximum(s.v - s.a**2, 0.0) if centered else s.v
    r = sqrt(var + eps) if eps_in_root else sqrt(var) + eps
    s.b = momentum * s.b + (lr * g / r if lr_in_velocity else g / r)
    p = p - (s.b if lr_in_velocity else lr * s.b)
    return p, s


@rule(
    v=SQUARE.filled("v0"),
    t=COUNT.only("lr_decay"),
    title="Adagrad",
    paper="Duchi, Hazan & Singer 2011",
    convention="torch.optim.Adagrad: eps outside the root, the sum starts at 0",
    fixes="Rare features: a coordinate that seldom gets a gradient keeps a large step.",
    avoid="Long runs: the sum only grows, so every step shrinks and the descent stalls.",
    usual_lr="0.01",
    kind="adaptive",
    bounds={"lr_decay": (0.0, INF, True, False)},
    meanings={
        "lr_decay": "the rate falls as 1/(1 + lr_decay·t)",
    },
)
def adagrad(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-2,
    lr_decay: float = 0.0,
    eps: float = 1e-10,
    v0: float = 0.0,
    eps_in_root: bool = False,
) -> Any:
    """Each coordinate is divided by the root of the sum of all its squared gradients.

    Dialects: Keras and optax add eps inside the root and start the sum at 0.1 (`eps_in_root=True, v0=0.1`).
    """
    rate = lr / (1 + lr_decay * s.t)
    s.t = s.t + 1
    s.v = s.v + g**2
    r = sqrt(s.v + eps) if eps_in_root else sqrt(s.v) + eps
    p = p - rate * g / r
    return p, s


@rule(
    v=SQUARE,
    u=SQUARE,
    title="Adadelta",
    paper="Zeiler 2012, algorithm 1",
    convention="torch.optim.Adadelta: both eps inside the roots, lr multiplies the step",
    fixes="Choosing a rate: the step is measured in units of earlier steps.",
    avoid="In a hurry: the first steps are about √eps long and have to grow.",
    usual_lr="1.0",
    kind="adaptive",
    degree=None,  # its first step comes from eps
    meanings={
        "lr": "multiplies a step that has a length of its own",
    },
)
def adadelta(g: Array, p: Array, s: Any, *, lr: float = 1.0, rho: float = 0.9, eps: float = 1e-6) -> Any:
    """The ratio of the recent size of the steps to the recent size of the gradients takes the rate's place."""
    s.v = rho * s.v + (1 - rho) * g**2
    d = sqrt(s.u + eps) / sqrt(s.v + eps) * g
    s.u = rho * s.u + (1 - rho) * d**2
    p = p - lr * d
    return p, s


@rule(
    prev=ZERO,
    d=Slot("lr"),
    title="Rprop",
    paper="Riedmiller & Braun 1993",
    convention="torch.optim.Rprop (iRprop−): a coordinate whose sign changed rests for one step; lr is the first step size",
    fixes="Gradients of wildly different size: uses only their signs and finds a step size per coordinate.",
    avoid="Batches: their noise changes signs for no reason, and the steps shrink to nothing.",
    usual_lr="0.01",
    kind="sign",
    bounds={
        "eta_minus": (0.0, 1.0, False, False),
        "eta_plus": (1.0, INF, False, False),
        "step_min": (0.0, INF, True, False),
        "step_max": (0.0, INF, False, True),
    },
    meanings={
        "lr": "first step size of every coordinate",
        "eta_minus": "factor on the step size where the sign changed",
        "eta_plus": "factor on the step size where it did not",
        "step_min": "smallest step size",
        "step_max": "largest step size",
    },
)
def rprop(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-2,
    eta_minus: float = 0.5,
    eta_plus: float = 1.2,
    step_min: float = 1e-6,
    step_max: float = 50.0,
) -> Any:
    """A step size per coordinate that grows while the gradient keeps its sign and shrinks when it changes."""
    c = g * s.prev
    d = where(c > 0, eta_plus * s.d, where(c < 0, eta_minus * s.d, s.d))
    s.d = minimum(maximum(d, step_min), step_max)
    s.prev = where(c < 0, 0 * g, g)
    p = p - s.d * sign(s.prev)
    return p, s


def _is_matrix(p: Array, hyper: Any) -> bool:
    return bool(p.ndim > 1)


def _is_vector(p: Array, hyper: Any) -> bool:
    return bool(p.ndim <= 1)


@rule(
    r=Slot(shape="rows", square=True).only(_is_matrix),
    c=Slot(shape="columns", square=True).only(_is_matrix),
    v=SQUARE.only(_is_vector),
    t=COUNT,
    title="Adafactor",
    paper="Shazeer & Stern 2018, algorithm 4",
    convention="torch.optim.Adafactor: factored over the last two axes at every size; lr caps the relative rate 1/√t",
    fixes="State that does not fit: keeps a mean per row and one per column instead of one per weight.",
    avoid="When memory is no concern: the factored estimate is coarser than Adam's.",
    usual_lr="0.01 (relative to the weights' size)",
    kind="sign",
    whole_array=True,
    bounds={
        "beta2_decay": (-INF, 0.0, False, True),
        "eps1": (0.0, INF, True, False),
        "eps2": (0.0, INF, True, False),
        "d": (1.0, INF, True, True),
        "weight_decay": (0.0, INF, True, False),
    },
    meanings={
        "lr": "largest rate, relative to the size of the parameters",
        "beta2_decay": "the mean squares forget by t^beta2_decay",
        "eps1": "smallest root of a mean square; 0 is the spacing of the number type",
        "eps2": "smallest size the parameters are taken to have",
        "d": "largest root mean square of a step before the rate",
    },
)
def adafactor(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-2,
    beta2_decay: float = -0.8,
    eps1: float = 0.0,
    eps2: float = 1e-3,
    d: float = 1.0,
    weight_decay: float = 0.0,
) -> Any:
    """RMSProp whose mean squares of a matrix are the product of a mean per row and one per column, in steps relative to p.

    `eps1=0` stands for the spacing of the number type at 1.
    """
    s.t = s.t + 1
    e = where(eps1 > 0, eps1, epsilon(p))
    w = s.t**beta2_decay
    rho = minimum(lr, 1 / sqrt(s.t))
    alpha = maximum(eps2, rms(p)) * rho
    p = p - lr * weight_decay * p
    s.r = (1 - w) * s.r + w * (mean(g**2, -1) if p.ndim > 1 else 0.0)
    s.c = (1 - w) * s.c + w * (mean(g**2, -2) if p.ndim > 1 else 0.0)
    s.v = (1 - w) * s.v + w * g**2
    v_hat = s.r * s.c / maximum(mean(s.r, -2), e) if p.ndim > 1 else s.v
    u = g / sqrt(maximum(v_hat, e**2))
    p = p - alpha * u / maximum(1.0, rms(u) / d)
    return p, s
