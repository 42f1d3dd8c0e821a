"""The update rules: one pure function each, on one array. One named assignment per equation.

`g` is the gradient, `p` the parameter, `s` the state. The equations shown to people, the intermediate values a checker
compares and its catalogue of mistakes are read from these very lines.
"""

from __future__ import annotations

from typing import Any

from descend.arrays import sqrt
from descend.rules import ONE, POWER, SQUARE, ZERO, rule

__all__ = ["adam", "adamw", "momentum", "nesterov", "rmsprop", "sgd"]

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
)
def momentum(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9, dampening: float = 0.0) -> Any:
    """Gradient descent with a velocity that remembers earlier gradients."""
    s.b = momentum * s.b + s.w * g
    s.w = 1 - dampening
    p = p - lr * s.b
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
def nesterov(g: Array, p: Array, s: Any, *, lr: float = 1e-2, momentum: float = 0.9) -> Any:
    """Momentum that steps from where the velocity is about to carry it."""
    s.b = momentum * s.b + g
    d = g + momentum * s.b
    p = p - lr * d
    return p, s


@rule(
    v=SQUARE,
    a=ZERO.only("centered"),
    b=ZERO.only("momentum"),
    title="RMSProp",
    paper="Tieleman & Hinton 2012, lecture 6.5",
    convention="torch.optim.RMSprop: eps outside the root, v starts at 0",
    fixes="One rate for all coordinates: divides each by the recent size of its own gradient.",
    avoid="When the last digit matters: at a constant rate it hovers about lr away from the minimum.",
    usual_lr="1e-3 to 1e-2",
    kind="adaptive",
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
) -> Any:
    """Each coordinate is divided by the root of a running mean of its squared gradients."""
    s.v = rho * s.v + (1 - rho) * g**2
    s.a = rho * s.a + (1 - rho) * g
    var = s.v - s.a**2 if centered else s.v
    s.b = momentum * s.b + g / (sqrt(var) + eps)
    p = p - lr * s.b
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="Adam",
    paper="Kingma & Ba 2015, algorithm 1",
    convention="torch.optim.Adam: eps is added to the root of the corrected second moment",
    fixes="One rate for all and no memory: RMSProp's scaling with momentum, both corrected for starting at zero.",
    avoid="With L2 decay (use AdamW), and where plain momentum already does: it keeps twice the state.",
    usual_lr="1e-3",
    kind="adaptive",
)
def adam(g: Array, p: Array, s: Any, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Any:
    """Momentum divided by the root of the running mean square, both corrected for their zero start."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="AdamW",
    paper="Loshchilov & Hutter 2019, algorithm 2",
    convention="torch.optim.AdamW: the decay is multiplied by lr and comes before the step",
    fixes="Decay entangled with Adam's scaling: shrinks the weights apart from the gradient step.",
    avoid="When the weights' size means something, as in fits of physical quantities: decay biases them to zero.",
    usual_lr="1e-3; 3e-4 for transformers",
    kind="adaptive",
)
def adamw(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    weight_decay: float = 1e-2,
) -> Any:
    """Adam with weight decay applied to the parameters themselves."""
    p = p - lr * weight_decay * p
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, s
