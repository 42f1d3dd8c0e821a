"""Adam and what grew out of it: momentum divided by a running size of the gradient."""

from __future__ import annotations

from typing import Any, Literal

from descend.arrays import maximum, sqrt, where
from descend.rules import COUNT, POWER, SQUARE, ZERO, Slot, rule

__all__ = ["adam", "adam_hat", "adamax", "adamw", "adan", "ademamix", "amsgrad", "nadam", "radam"]

Array = Any
INF = float("inf")
MaxOf = Literal["raw", "corrected"]
WarmUp = Literal["momentum", "frozen"]


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


@rule(
    m=ZERO,
    v=SQUARE,
    v_max=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="AMSGrad",
    paper="Reddi, Kale & Kumar 2018, algorithm 2",
    convention="torch.optim.Adam(amsgrad=True): the maximum comes before the correction; decoupled decay makes it AdamW's",
    fixes="Adam forgetting a rare large gradient: divides by the largest mean square seen so far.",
    avoid="When gradients shrink by orders of magnitude: one early spike slows every later step.",
    usual_lr="1e-3",
    kind="adaptive",
    meanings={
        "max_of": "take the maximum of the raw or of the corrected moments",
    },
)
def amsgrad(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    max_of: MaxOf = "raw",
) -> Any:
    """Adam whose second moment never falls.

    Dialect: `max_of="corrected"` takes the maximum of the corrected moments, as optax does.
    """
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    s.v_max = maximum(s.v_max, s.v / (1 - s.k2) if max_of == "corrected" else s.v)
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v_max if max_of == "corrected" else s.v_max / (1 - s.k2)
    p = p - lr * m_hat / (sqrt(v_hat) + eps)
    return p, s


@rule(
    m=ZERO,
    u=SQUARE,
    k1=POWER("beta1"),
    title="Adamax",
    paper="Kingma & Ba 2015, algorithm 2",
    convention="torch.optim.Adamax: eps is added to |g| inside the maximum",
    fixes="Sparse or spiking gradients: divides by a decaying maximum, which one outlier cannot inflate twice.",
    avoid="Where Adam works: it reacts more slowly once a large gradient has passed.",
    usual_lr="2e-3",
    kind="adaptive",
    meanings={
        "beta2": "share of the largest gradient kept from step to step",
    },
)
def adamax(g: Array, p: Array, s: Any, *, lr: float = 2e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8) -> Any:
    """Adam with the decaying maximum of |g| in place of the root mean square."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.u = maximum(beta2 * s.u, abs(g) + eps)
    s.k1 = beta1 * s.k1
    m_hat = s.m / (1 - s.k1)
    p = p - lr * m_hat / s.u
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    q=POWER("momentum_decay", base=0.96),
    mu_product=Slot(1.0, "scalar", limit=0.0),
    k2=POWER("beta2"),
    title="NAdam",
    paper="Dozat 2016",
    convention="torch.optim.NAdam: μ_t = β1(1 − ½·0.96^(t·momentum_decay)); Keras has momentum_decay 1, optax none (infinity)",
    fixes="Adam's late turns: looks ahead along the momentum as Nesterov does.",
    avoid="Very noisy gradients: the look-ahead is then mostly noise.",
    usual_lr="2e-3",
    kind="adaptive",
    bounds={"momentum_decay": (0.0, INF, True, True)},
    meanings={
        "momentum_decay": "how fast the momentum warms up: 0.96^(t·momentum_decay)",
    },
)
def nadam(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 2e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    momentum_decay: float = 4e-3,
) -> Any:
    """Adam with Nesterov's look-ahead and a momentum that warms up."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k2 = beta2 * s.k2
    s.q = 0.96**momentum_decay * s.q
    mu = beta1 * (1 - 0.5 * s.q)
    mu_next = beta1 * (1 - 0.5 * 0.96**momentum_decay * s.q)
    s.mu_product = mu * s.mu_product
    m_hat = mu_next * s.m / (1 - mu_next * s.mu_product)
    g_hat = (1 - mu) * g / (1 - s.mu_product)
    v_hat = s.v / (1 - s.k2)
    p = p - lr * (m_hat + g_hat) / (sqrt(v_hat) + eps)
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    t=COUNT,
    title="RAdam",
    paper="Liu et al. 2020, algorithm 2",
    convention="torch.optim.RAdam: eps before the correction; plain momentum until the variance is tractable (ρ > 5)",
    fixes="The need for a warm-up: trusts the second moment only as far as it has been measured.",
    avoid="With a warm-up schedule already: both slow the same first steps.",
    usual_lr="1e-3",
    kind="adaptive",
    degree=None,  # its first steps are plain momentum
    bounds={"threshold": (4.0, INF, True, False)},
    meanings={
        "threshold": "length of the average from which the second moment is trusted",
        "warm_up": "what is done before that: plain momentum, or nothing",
        "eps_after": "add eps to the corrected root (optax)",
    },
)
def radam(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    eps: float = 1e-8,
    threshold: float = 5.0,
    warm_up: WarmUp = "momentum",
    eps_after: bool = False,
) -> Any:
    """Adam rectified: the adaptive rate enters as its variance becomes known.

    Dialects: `warm_up="frozen"` makes no step before that (the authors' code, degenerated_to_sgd off); `eps_after=True`
    adds eps to the corrected root, as optax does; `threshold` is 4 in the paper.
    """
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    s.t = s.t + 1
    m_hat = s.m / (1 - s.k1)
    rho_inf = 2 / (1 - beta2) - 1
    rho = rho_inf - 2 * s.t * s.k2 / (1 - s.k2)
    top = maximum((rho - 4) * (rho - 2) * rho_inf, 0.0)
    r = sqrt(top / maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1e-9))
    root = sqrt(s.v / (1 - s.k2)) + eps if eps_after else (sqrt(s.v) + eps) / sqrt(1 - s.k2)
    early = 0.0 * m_hat if warm_up == "frozen" else m_hat
    p = p - lr * where(rho > threshold, r * m_hat / root, early)
    return p, s


@rule(
    m=ZERO,
    d=ZERO,
    n=SQUARE,
    prev=ZERO,
    seen=Slot(0.0, "scalar", limit=1.0),
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    k3=POWER("beta3"),
    title="Adan",
    paper="Xie et al. 2022, algorithm 1",
    convention="the authors' code: β is what is kept, the first difference is 0, the decay divides by 1 + lr·λ",
    fixes="Slow response of Adam's momentum: adds the change of the gradient, as Nesterov's method does.",
    avoid="When memory is short: four numbers of state per weight.",
    usual_lr="1e-3; up to 10 times Adam's",
    kind="adaptive",
    meanings={
        "beta2": "share of the mean change of the gradient kept",
        "beta3": "share of the mean square kept",
        "prox": "decay by division after the step instead of before it",
    },
)
def adan(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.98,
    beta2: float = 0.92,
    beta3: float = 0.99,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
    prox: bool = True,
) -> Any:
    """Adam with a second memory: of how the gradient changes.

    Dialect: `prox=False` multiplies by 1 − lr·weight_decay before the step, as AdamW does.
    """
    diff = s.seen * (g - s.prev)
    s.prev = g
    s.seen = 1.0
    s.m = beta1 * s.m + (1 - beta1) * g
    s.d = beta2 * s.d + (1 - beta2) * diff
    s.n = beta3 * s.n + (1 - beta3) * (g + beta2 * diff) ** 2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    s.k3 = beta3 * s.k3
    u = s.m / (1 - s.k1) + beta2 * s.d / (1 - s.k2)
    n_hat = s.n / (1 - s.k3)
    p = p if prox else p - lr * weight_decay * p
    p = p - lr * u / (sqrt(n_hat) + eps)
    p = p / (1 + lr * weight_decay) if prox else p
    return p, s


@rule(
    m=ZERO,
    n=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="AdEMAMix",
    paper="Pagliardini, Ablin & Grangier 2024, algorithm 1",
    convention="optax.contrib.ademamix: the slow mean is not corrected; alpha and beta3 warm up by schedules of their own",
    fixes="Gradients forgotten too soon: adds a second, very long memory to Adam's short one.",
    avoid="Runs of fewer steps than the long memory has (1/(1 − beta3)), and when memory is short.",
    usual_lr="1e-3",
    kind="adaptive",
    bounds={"alpha": (0.0, INF, True, False)},
    meanings={
        "beta3": "share of the slow mean gradient kept from step to step",
        "alpha": "weight of the slow mean",
    },
)
def ademamix(
    g: Array,
    p: Array,
    s: Any,
    *,
    lr: float = 1e-3,
    beta1: float = 0.9,
    beta2: float = 0.999,
    beta3: float = 0.9999,
    alpha: float = 5.0,
    eps: float = 1e-8,
    weight_decay: float = 0.0,
) -> Any:
    """AdamW with a mixture of a fast and a slow mean of the gradients."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.n = beta3 * s.n + (1 - beta3) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    m_hat = s.m / (1 - s.k1)
    v_hat = s.v / (1 - s.k2)
    u = (m_hat + alpha * s.n) / (sqrt(v_hat) + eps)
    p = p - lr * (u + weight_decay * p)
    return p, s


@rule(
    m=ZERO,
    v=SQUARE,
    k1=POWER("beta1"),
    k2=POWER("beta2"),
    title="Adam, ε̂ form",
    paper="Kingma & Ba 2015, end of section 2",
    convention="Keras and TensorFlow: eps is added to the root of the uncorrected second moment",
    fixes="Nothing that adam does not: it is here to reproduce runs made with Keras.",
    avoid="A large eps: its effect then changes over the first 1/(1 − beta2) steps.",
    usual_lr="1e-3",
    kind="adaptive",
)
def adam_hat(
    g: Array, p: Array, s: Any, *, lr: float = 1e-3, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-7
) -> Any:
    """Adam with both corrections moved into the rate."""
    s.m = beta1 * s.m + (1 - beta1) * g
    s.v = beta2 * s.v + (1 - beta2) * g**2
    s.k1 = beta1 * s.k1
    s.k2 = beta2 * s.k2
    rate = lr * sqrt(1 - s.k2) / (1 - s.k1)
    p = p - rate * s.m / (sqrt(s.v) + eps)
    return p, s
