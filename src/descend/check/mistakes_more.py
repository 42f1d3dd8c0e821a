"""Known mistakes in Adan, Rprop and Adadelta."""

# ruff: noqa: E501  (a table: one entry a line)
from __future__ import annotations

from descend.check.mistake import M, Mistake, after, before, put
from descend.rules import ZERO

__all__ = ["more_mistakes"]

CLIMBS = "It climbs: the loss rises from the first step."


def adan() -> list[Mistake]:
    """Mistakes in Adan, whose paper writes β for what its code writes 1 − β."""
    one, look = "adan", "In the paper β is the share of the new, in the code the share of the old: which do you follow?"
    u, n = "s.m / (1 - s.k1) + {} * s.d / (1 - s.k2)", "beta3 * s.n + (1 - beta3) * (g + {} * diff) ** 2"
    return [
        M(one, "u", (put("n", n.format("(1 - beta2)")), put("u", u.format("(1 - beta2)"))), "the change of the gradient counts 1 − β2 and not β2", "The paper's 1 − β2 belongs to the paper's β2. The look-ahead is twelve times too weak: it is nearly Adam.", look),
        M(one, "u", u.format("(1 - beta2)"), "the change of the gradient counts 1 − β2 and not β2 in the update", "The look-ahead is far too weak.", look),
        M(one, "n", n.format("(1 - beta2)"), "the change of the gradient counts 1 − β2 and not β2 in the mean square", "The denominator misses the changes.", look),
        M(one, "u", "s.m / (1 - s.k1)", "the change of the gradient is missing in the update", "It is Adam with another denominator.", look),
        M(one, "n", "beta3 * s.n + (1 - beta3) * g**2", "the change of the gradient is missing in the mean square", "The denominator is too small where gradients change.", look),
        M(one, "u", u.format("1.0"), "β2 is missing before the change of the gradient in the update", "The look-ahead is a little too strong.", look),
        M(one, "diff", "g - s.prev", "the first change is taken against zero and is not zero itself", "The first step counts the gradient twice.", "What is the change at the first step?"),
        M(one, "diff", "s.seen * (s.prev - g)", "the change of the gradient has the wrong sign", "It looks back.", "Which gradient is subtracted from which?"),
        M(one, "prev", "s.prev", "the gradient is not remembered", "There is no change to look at.", "What is kept for the next step?"),
        M(one, "d", "beta2 * s.d + diff", "the change is not weighted by 1 − β2", "The look-ahead is far too strong.", look),
        M(one, "d", "beta1 * s.d + (1 - beta1) * diff", "the mean change uses β1", "The look-ahead is sluggish.", look),
        M(one, "m", "beta2 * s.m + (1 - beta2) * g", "the first moment uses β2", "The momentum is too short.", look),
        M(one, "n_hat", "s.n", "the mean square is not corrected", "The first steps are too long.", "Which of the three means are corrected?"),
        M(one, "u", "s.m / (1 - s.k1) + beta2 * s.d", "the mean change is not corrected", "The look-ahead starts too weak.", "Which of the three means are corrected?"),
        M(one, "p", "p - lr * u / sqrt(n_hat + eps)", "ε stands inside the root", "Small gradients are damped far too early.", "Where does ε stand?", occurrence=1),
        M(one, "p", "p + lr * u / (sqrt(n_hat) + eps)", "the step has the wrong sign", CLIMBS, "Descent goes against the gradient.", occurrence=1),
        M(one, "p", "p", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", occurrence=2, needs=("weight_decay",)),
    ]  # fmt: skip


def rprop() -> list[Mistake]:
    """Mistakes in Rprop."""
    one, look = "rprop", "Follow one coordinate whose sign changes at step 2."
    stale = (
        before("start", "old = s.old"),
        after("prev", "s.old = s.d * sign(s.prev)"),
        put("p", "p - where(c < 0, 0 * old, old)"),
    )
    return [
        M(one, "p", stale, "the step of the iteration before is applied: every step is one gradient late", "The first step does nothing, and every sign change is noticed too late.", "Which step is applied: the one just computed?", slots={"old": ZERO}),
        M(one, "prev", "g", "a coordinate whose sign changed does not rest", "After a sign change the step size shrinks twice, and the step overshoots back.", look),
        M(one, "d", "where(c > 0, eta_minus * s.d, where(c < 0, eta_plus * s.d, s.d))", "η⁺ and η⁻ are swapped", "Steps grow where they overshoot and shrink where they agree.", look),
        M(one, "d", "where(c > 0, eta_plus * s.d, s.d)", "step sizes never shrink", "It overshoots for ever.", look),
        M(one, "d", "where(c < 0, eta_minus * s.d, s.d)", "step sizes never grow", "It crawls.", look),
        M(one, "c", "g * g", "the gradient is compared with itself and not with the one before", "Step sizes only grow.", look),
        M(one, "d", "s.d", "step sizes stay as they are", "It is sign descent.", look),
        M(one, "d", "d", "step sizes are not kept between their bounds", "Steps grow without bound or die.", "Where are step_min and step_max?", occurrence=1),
        M(one, "p", "p + s.d * sign(s.prev)", "the step has the wrong sign", CLIMBS, "Descent goes against the gradient."),
        M(one, "p", "p - s.d * s.prev", "the gradient's size is used and not its sign alone", "Large gradients make large steps.", look),
        M(one, "prev", "where(c < 0, 0 * g, s.prev)", "the gradient is not remembered", "It never moves.", "What is kept for the next step?"),
    ]  # fmt: skip


def adadelta() -> list[Mistake]:
    """Mistakes in Adadelta."""
    one, look = "adadelta", "Two running means: of g² before the step, of the step² after it."
    return [
        M(one, "v", "rho * s.v + g**2", "the new square is not weighted by 1 − ρ", "Steps are too short.", look),
        M(one, "v", "(1 - rho) * s.v + rho * g**2", "ρ and 1 − ρ are swapped in the mean of g²", "The size is hardly averaged.", look),
        M(one, "v", "s.v + (1 - rho) * g**2", "the mean of g² only grows: the old mean is not multiplied by ρ", "Learning slows to a halt.", look),
        M(one, "v", "s.v + g**2", "the mean of g² is a sum, as in Adagrad", "Learning slows to a halt.", look),
        M(one, "u", "(1 - rho) * s.u + rho * d**2", "ρ and 1 − ρ are swapped in the mean of the steps", "The size of the steps is hardly averaged.", look),
        M(one, "u", "s.u + (1 - rho) * d**2", "the mean of the steps only grows: the old mean is not multiplied by ρ", "Steps grow and grow.", look),
        M(one, "u", "rho * s.u + d**2", "the new step is not weighted by 1 − ρ", "Steps grow too fast.", look),
        M(one, "u", "rho * s.u + (1 - rho) * g**2", "the second mean is of g² and not of the step²", "The units do not fit.", look),
        M(one, "u", "rho * s.u + (1 - rho) * (lr * d)**2", "the second mean is of lr·step and not of the step", "lr acts more than once.", look),
        M(one, "u", "s.u", "the mean of the steps is not renewed", "Steps stay √ε long.", look),
        M(one, "d", "sqrt(s.u + eps) / (sqrt(s.v) + eps) * g", "ε stands outside the root below", "Small gradients get other steps.", "Where does ε stand?"),
        M(one, "d", "(sqrt(s.u) + eps) / sqrt(s.v + eps) * g", "ε stands outside the root above", "The first step is √ε times too short.", "Where does ε stand?"),
        M(one, "d", "sqrt(s.u + eps) / sqrt(s.v + eps) * sign(g)", "only the sign of the gradient is used", "The units do not fit.", look),
        M(one, "d", "(s.u + eps) / (s.v + eps) * g", "the roots are missing", "The units do not fit.", look),
        M(one, "d", "g / sqrt(s.v + eps)", "the mean of the steps is not used: it is RMSProp", "lr matters again.", look),
        M(one, "p", "p + lr * d", "the step has the wrong sign", CLIMBS, "Descent goes against the gradient."),
        M(one, "p", "p - d", "lr is ignored", "A schedule has no effect.", "Where is lr?"),
    ]  # fmt: skip


def more_mistakes() -> list[Mistake]:
    """All of them."""
    return adan() + rprop() + adadelta()
