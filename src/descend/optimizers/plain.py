"""Rules that are linear in the gradient."""

from __future__ import annotations

from typing import Any

from descend.arrays import maximum
from descend.rules import COUNT, ONE, START, ZERO, Slot, rule

__all__ = ["asgd", "momentum", "nesterov", "sgd"]

Array = Any


@rule(
    title="SGD",
    paper="Robbins & Monro 1951; Cauchy 1847",
    convention="torch.optim.SGD without momentum",
    fixes="Cannot afford the gradient of all the data: take that of a batch and step often.",
    avoid="Directions of very different curvature: one rate must suit the steepest, and the flattest then crawls.",
    usual_lr="0.01 to 0.1",
)
def sgd(g: Array, p: Array, s: Any, *, lr: float = 1e-2) -> Any:
    """Gradient descent: a step against the gradient."""
    p = p - lr * g
    return p, s


@rule(
    b=ZERO,
    w=ONE,
    title="Momentum",
    paper="Polyak 1964; Sutskever et al. 2013",
    convention="torch.optim.SGD: v = βv + g, then p − lr·v; the first gradient enters undampened",
    fixes="No memory of direction: adds up the gradients that agree and cancels those that alternate.",
    avoid="When the rate is near its limit already: a heavy ball overshoots and rings.",
    usual_lr="0.01 to 0.1 at momentum 0.9",
    meanings={
        "damp_first": "dampen the first gradient too, as a running mean does",
    },
)
def momentum(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-2,
    momentum: float = 0.9,
    dampening: float = 0.0,
    damp_first: bool = False,
    lr_in_velocity: bool = False,
) -> Any:
    """Gradient descent with a velocity that remembers earlier gradients.

    Dialects: an average instead of a sum is `dampening=momentum, damp_first=True`; `lr_in_velocity=True` keeps the rate inside
    the velocity, as Keras and Caffe do, which differs only when the rate changes.
    """
    s.b = momentum * s.b + (1 - dampening if damp_first else s.w) * (lr * g if lr_in_velocity else g)
    s.w = 1 - dampening
    p = p - (s.b if lr_in_velocity else lr * s.b)
    return p, s


@rule(
    b=ZERO,
    title="Nesterov momentum",
    paper="Nesterov 1983; Sutskever et al. 2013",
    convention="torch.optim.SGD(nesterov=True): the look-ahead is folded into the step",
    fixes="Momentum's overshoot: looks ahead along the velocity before it turns.",
    avoid="Very noisy gradients: the look-ahead is then mostly noise.",
    usual_lr="0.01 to 0.1 at momentum 0.9",
)
def nesterov(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9, lr_in_velocity: bool = False) -> Any:
    """Momentum that steps from where the velocity is about to carry it."""
    u = lr * g if lr_in_velocity else g
    s.b = momentum * s.b + u
    d = u + momentum * s.b
    p = p - (d if lr_in_velocity else lr * d)
    return p, s


@rule(
    eta=Slot("lr", "scalar", limit="lr"),
    mu=ONE,
    ax=START,
    t=COUNT,
    title="Averaged SGD",
    paper="Polyak & Juditsky 1992; Bottou 2010, section 5",
    convention="torch.optim.ASGD: weights decay by lambd, the rate falls as (1 + lambd·lr·t)^-alpha, averaging starts at t0",
    fixes="The last point of a noisy descent is noisy: reports the mean of the points visited.",
    avoid="When the objective still falls fast: the mean lags behind the last point.",
    usual_lr="0.01",
    at=lambda p, s: s["ax"],
    bounds={
        "lambd": (0, float("inf"), True, False),
        "alpha": (0, float("inf"), True, False),
        "t0": (0, float("inf"), True, True),
    },
    meanings={
        "lambd": "decay of the weights, and of the rate",
        "alpha": "power with which the rate falls",
        "t0": "step at which averaging starts",
    },
)
def asgd(g: Array, p: Array, s: Any, *, lr: float = 1e-2, lambd: float = 1e-4, alpha: float = 0.75, t0: float = 1e6) -> Any:
    """SGD with a falling rate whose result is the running mean of the points."""
    p = p * (1 - lambd * s.eta) - s.eta * g
    s.ax = s.ax + s.mu * (p - s.ax)
    s.t = s.t + 1
    s.eta = lr / (1 + lambd * lr * s.t) ** alpha
    s.mu = 1 / maximum(1.0, s.t - t0)
    return p, s
