"""Known mistakes in SGD, momentum, Nesterov, RMSProp and Adagrad."""

# ruff: noqa: E501  (a table: one entry a line)
from __future__ import annotations

from descend.check.mistake import M, Mistake, after, before, put
from descend.check.mistakes_moments import coupled
from descend.rules import COUNT, SQUARE, ZERO

__all__ = ["plain_mistakes"]

CLIMBS = "It climbs: the loss rises from the first step."
DOWN = "Descent goes against the gradient."
RATE = "Where is lr?"


def sgd() -> list[Mistake]:
    """Mistakes in p ← p − lr·g."""
    one, look = "sgd", "There is one line: what is subtracted from p?"
    return [
        M(one, "p", "p + lr * g", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - g", "the step is not multiplied by the learning rate", "Steps as long as the gradient: it diverges, and lr does nothing.", RATE),
        M(one, "p", "p - lr**2 * g", "the step is multiplied by the learning rate twice", "Steps are a hundred times too short.", RATE),
        M(one, "p", "p - g / lr", "the gradient is divided by the learning rate", "It diverges at once; a smaller lr makes it worse.", RATE),
        M(one, "p", "p - lr * sign(g)", "only the sign of the gradient is used", "Steps do not shrink near the minimum.", look),
        M(one, "p", "p - lr * g**2", "the gradient is squared", "It moves one way only, whatever the sign of the gradient.", look),
        M(one, "p", "p - lr * abs(g)", "the size of the gradient is used and not its sign", "It moves one way only.", look),
        M(one, "p", "(1 - lr) * p - lr * g", "the parameter is shrunk by 1 − lr as well", "Weights are pulled to zero.", look),
        M(one, "p", "p * (1 - lr * g)", "the step is multiplied by the parameter", "A parameter at zero never moves, negative ones climb.", look),
        M(one, "p", "-lr * g", "the old parameter is lost: the step stands in its place", "The parameter is the last step.", look),
        M(one, "p", "p - lr * mean(g)", "the gradient is averaged over the entries of the array", "All entries move alike.", look, whole=True),
        M(one, "p", "p - lr * g / maximum(norm(g), 1e-30)", "the gradient is divided by its norm", "Steps of fixed length: it does not settle.", look, whole=True),
        M(one, "p", (before("start", "s.acc = s.acc + g"), put("p", "p - lr * s.acc")), "gradients add up from step to step: they are never set to zero", "It is momentum with β = 1: it swings ever further.", "What clears the gradient after a step?", slots={"acc": ZERO}),
        M(one, "p", (before("start", "old = s.old\ns.old = g"), put("p", "p - lr * old")), "the gradient of the step before is used", "Every step is one gradient late: stable only at smaller rates.", "Which gradient does a step see?", slots={"old": ZERO}),
        M(one, "p", (before("start", "s.t = s.t + 1"), put("p", "p - lr / s.t * g")), "the learning rate is divided by the step count", "It crawls to a halt.", RATE, slots={"t": COUNT}),
        M(one, "p", "p - lr * minimum(maximum(g, -1.0), 1.0)", "the gradient is clipped at 1", "Large gradients count no more than middling ones.", look),
        M(one, "p", "p - 2 * lr * g", "the step is doubled", "The stability limit is reached at half the rate.", look),
        M(one, "p", "p - 0.5 * lr * g", "the step is halved", "Half the speed.", look),
    ]  # fmt: skip


def momentum() -> list[Mistake]:
    """Mistakes in b ← β·b + g, p ← p − lr·b."""
    one, look = "momentum", "Two lines: what does the velocity remember, and what moves the parameter?"
    g = "(1 - dampening if damp_first else s.w) * g"
    return [
        M(one, "b", f"(1 - momentum) * s.b + momentum * {g}", "β and 1 − β are swapped in the velocity", "Almost no memory.", look),
        M(one, "b", f"s.b + {g}", "the velocity is not multiplied by β", "It never forgets: it swings ever further.", look),
        M(one, "b", f"momentum * (s.b + {g})", "β multiplies the new gradient too", "Every step is β times as long as it should be.", look),
        M(one, "b", f"momentum * s.b - {g}", "the gradient enters the velocity with a minus", CLIMBS, DOWN),
        M(one, "b", g, "the velocity is not kept from step to step", "There is no momentum.", "Print the velocity at step 2."),
        M(one, "b", f"-momentum * s.b + {g}", "the old velocity enters with a minus", "It brakes where it should speed up.", look),
        M(one, "b", f"momentum**2 * s.b + {g}", "β is squared", "Far too little memory.", look),
        M(one, "b", f"s.b + (1 - momentum) * {g}", "the old velocity is not multiplied by β and the gradient is by 1 − β", "It never forgets.", look),
        M(one, "b", "momentum * s.b + sign(g)", "only the sign of the gradient enters the velocity", "The step ignores the gradient's size.", look),
        M(one, "b", f"where(g == 0, s.b, momentum * s.b + {g})", "entries with a zero gradient keep their velocity", "Rarely used weights coast for ever.", "What should the velocity do while the gradient is zero?"),
        M(one, "b", (put("b", f"momentum * s.b + lr * {g}"), put("p", "p - lr * s.b")), "the learning rate is in the velocity and in the step", "Steps are lr times what they should be.", RATE),
        M(one, "p", "p - lr * momentum * s.b", "the step is multiplied by β once more", "Every step is β times as long as it should be.", look),
        M(one, "p", "p - lr * (g + s.b)", "the gradient is added to a velocity that holds it already", "The gradient counts twice.", look),
        M(one, "p", "p - lr * (g + momentum * s.b)", "it looks ahead: that is Nesterov's momentum", "A difference in the second order: it rings less than momentum would.", look),
        M(one, "p", "p - lr * g", "the velocity is not used", "It is SGD.", look),
        M(one, "p", "p + lr * s.b", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - s.b", "the step is not multiplied by the learning rate", "It diverges, and lr does nothing.", RATE),
        M(one, "p", "p - lr**2 * s.b", "the step is multiplied by the learning rate twice", "Steps are a hundred times too short.", RATE),
        M(one, "p", "p - lr * (1 - momentum) * s.b", "the step is multiplied by 1 − β: a mean in place of a sum", "Ten times slower at the same lr.", look),
        M(one, "p", (before("start", "old = s.b"), put("p", "p - lr * old")), "the velocity is used before it is renewed", "Every step is one gradient late, and the first does nothing.", "In which order are velocity and parameter renewed?"),
        M(one, "b", (put("b", "where(s.n == 0, g, 2 * momentum * g)"), after("b", "s.n = s.n + 1")), "the first velocity is the gradient's own array: from then on each gradient is written into it and added to itself", "There is no memory, and steps are 2·β times as long as SGD's.", "Is the first velocity a copy?", slots={"n": COUNT}, written=("b₁ = g, copied; b ← β·b + g", "b₁ is g itself; b ← β·g + β·g")),
        M(one, "b", "momentum * s.b + (1 - dampening) * g", "dampening is applied to the first gradient too", "The first velocity is too small, and everything that grows from it.", "What should the velocity be after one step?", needs=("dampening",)),
        M(one, "w", "1.0", "dampening is ignored", "The velocity is 1/(1 − dampening) times too large.", "What does dampening multiply?", needs=("dampening",)),
        M(one, "w", "dampening", "dampening and 1 − dampening are swapped", "The velocity is too small or too large.", "What does dampening multiply?", needs=("dampening",)),
    ]  # fmt: skip


def nesterov() -> list[Mistake]:
    """Mistakes in b ← β·b + g, d = g + β·b, p ← p − lr·d."""
    one, look = "nesterov", "The step is the gradient plus β times the new velocity."
    return [
        M(one, "b", (after("d", "s.b = where(s.n == 0, d, s.b)\ns.n = s.n + 1"),), "the first velocity is the same array as the step, and is changed with it", "The first gradient counts 1 + β times in the velocity.", "Which arrays share their memory after the first step?", slots={"n": COUNT}),
        M(one, "d", "s.b", "the look-ahead is missing: it is plain momentum", "It rings as momentum does.", look),
        M(one, "d", "g + s.b", "β is missing in the look-ahead", "Steps are too long.", look),
        M(one, "d", "momentum * s.b", "the gradient is missing in the look-ahead", "Every step lacks its own gradient.", look),
        M(one, "d", "g - momentum * s.b", "the look-ahead has the wrong sign", "It looks back.", look),
        M(one, "d", "g + momentum**2 * s.b", "β is squared in the look-ahead", "It looks too little ahead.", look),
        M(one, "d", "s.b + momentum * s.b", "the velocity stands where the gradient should", "The past counts twice.", look),
        M(one, "d", "s.b + momentum * (s.b - g)", "it extrapolates the velocity and not the gradient", "It overshoots.", look),
        M(one, "d", "(1 - momentum) * g + momentum * s.b", "the gradient is weighted by 1 − β in the look-ahead", "Steps are too short.", look),
        M(one, "d", "momentum * g + s.b", "β multiplies the gradient and not the velocity", "Steps are too long.", look),
        M(one, "d", (before("start", "old = s.b"), put("d", "g + momentum * old")), "the look-ahead uses the velocity of the step before", "It is plain momentum in other words.", "Which velocity is looked along: the old or the new?"),
        M(one, "b", "momentum * s.b + (1 - momentum) * g", "the gradient is weighted by 1 − β in the velocity", "The velocity is a tenth of what it should be.", "Look at the velocity."),
        M(one, "b", "(1 - momentum) * s.b + momentum * g", "β and 1 − β are swapped in the velocity", "Almost no memory.", "Look at the velocity."),
        M(one, "b", "s.b + g", "the velocity is not multiplied by β", "It never forgets.", "Look at the velocity."),
        M(one, "b", "g", "the velocity is not kept from step to step", "It is SGD at a rate of lr·(1 + β).", "Print the velocity at step 2."),
        M(one, "b", "momentum * s.b - g", "the gradient enters the velocity with a minus", "Momentum pulls against the gradient.", "Look at the velocity."),
        M(one, "b", "momentum * (s.b + g)", "β multiplies the new gradient too", "The velocity is too small.", "Look at the velocity."),
        M(one, "p", "p + lr * d", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - d", "the step is not multiplied by the learning rate", "It diverges, and lr does nothing.", RATE),
        M(one, "p", "p - lr * g", "the velocity is not used", "It is SGD.", look),
        M(one, "p", "p - lr**2 * d", "the step is multiplied by the learning rate twice", "Steps are a hundred times too short.", RATE),
    ]  # fmt: skip


def rmsprop() -> list[Mistake]:
    """Mistakes in v ← ρ·v + (1 − ρ)·g², p ← p − lr·g/(√v + ε)."""
    one, look, where = (
        "rmsprop",
        "Look at the running mean of the squares: what weighs what?",
        "What is divided by what, and where does ε stand?",
    )
    new = "rho * s.v + (1 - rho) * "
    b = "momentum * s.b + "
    return [
        M("rmsprop", "var", (before("start", "old = s.a"), put("var", "s.v - old**2 if centered else s.v")), "the mean is subtracted as it was a step before", "The variance is not one, and can be negative: NaN.", "In which order are the mean and its square renewed?", written=("var = v − a²", "var = v − aₜ₋₁²")),
        M(one, "v", "(1 - rho) * s.v + rho * g**2", "ρ and 1 − ρ are swapped", "The size of the gradient is hardly averaged: close to a sign step.", look),
        M(one, "v", "rho * s.v + g**2", "the new square is not weighted by 1 − ρ", "Steps are √(1 − ρ) times too short.", look),
        M(one, "v", "s.v + g**2", "the squares are summed, as in Adagrad", "Learning slows to a halt.", look),
        M(one, "v", "s.v + (1 - rho) * g**2", "the old mean is not multiplied by ρ", "Learning slows to a halt.", look),
        M(one, "v", new + "abs(g)", "the mean is of |g| in place of g²", "Steps depend on the gradient's scale.", look),
        M(one, "v", "(1 - rho) * g**2", "the mean is not kept from step to step", "Sign steps, 1/√(1 − ρ) times too long.", "Print v at step 2."),
        M(one, "v", "rho * s.v + ((1 - rho) * g)**2", "the weight 1 − ρ is squared with the gradient", "Steps are 1/√(1 − ρ) times too long.", look),
        M(one, "v", "maximum(rho * s.v, g**2)", "a decaying maximum stands in place of the mean", "Too slow after large gradients.", look),
        M(one, "v", new + "mean(g**2)", "the mean is taken over the entries of the array", "All entries share one rate.", look, whole=True),
        M(one, "v", "where(g == 0, s.v, rho * s.v + (1 - rho) * g**2)", "entries with a zero gradient keep their mean square", "Rarely used weights keep an old denominator.", "What should v do while the gradient is zero?"),
        M(one, "v", (before("start", "old = s.v"), put("var", "maximum(old - s.a**2, 0.0) if centered else old")), "the mean square is used before it is renewed", "The first step is divided by ε alone: it is enormous.", "In which order are v and p renewed?"),
        M(one, "v", (before("start", "s.k = rho * s.k"), put("r", "sqrt(var / (1 - s.k)) + eps")), "the mean square is corrected for its zero start, which RMSProp does not do", "Shorter first steps than every library's RMSProp.", "Does RMSProp have a correction?", slots={"k": COUNT.filled(1.0)}),
        M(one, "r", "var + eps", "the root of the mean square is missing", "Steps grow as 1/g where gradients are small.", where),
        M(one, "r", "maximum(sqrt(var), 1e-30)", "ε is left out", "A gradient that is exactly zero gives 0/0.", where),
        M(one, "r", "maximum(sqrt(var), eps)", "ε is a floor under the root and is not added to it", "Hardly visible at a small ε.", where),
        M(one, "r", "sqrt(var + eps) + eps", "ε is added twice, inside the root and outside", "Small gradients are damped too early.", where),
        M(one, "r", "sqrt(var) + 2 * eps", "ε is added twice", "Small gradients are damped at twice the size meant.", where),
        M(one, "r", "sqrt(var) + eps**2", "ε is squared", "A large ε acts like a small one.", where),
        M(one, "r", "1.0", "the step is not divided by the root mean square", "It is SGD.", where),
        M(one, "b", b + "g", "the velocity adds up gradients that are not divided by their size", "It is plain momentum.", "What does the velocity add up?", needs=("momentum",)),
        M(one, "b", "g / r", "the momentum is ignored", "There is no momentum, whatever it says.", "What does the velocity keep?", needs=("momentum",)),
        M(one, "b", b + "(1 - momentum) * g / r", "the gradient is weighted by 1 − β in the velocity", "Steps are 1 − β of what they should be.", "What does the velocity add up?", needs=("momentum",)),
        M(one, "b", b + "g * r", "the root multiplies and does not divide", "Large gradients are made larger still.", where),
        M(one, "b", b + "sign(g)", "only the sign of the gradient is used", "Steps do not shrink near the minimum.", where),
        M(one, "b", b + "g / r + eps", "a bracket is missing: ε is added to the quotient", "All parameters drift.", where),
        M(one, "var", "s.v", "centered is ignored: the squared mean is not subtracted", "It is plain RMSProp.", "What does centered subtract?", needs=("centered",)),
        M(one, "var", "maximum(s.v - s.a, 0.0) if centered else s.v", "the mean is subtracted and not its square", "The denominator is wrong in size and sign.", "What does centered subtract?", needs=("centered",)),
        M(one, "var", "s.v + s.a**2 if centered else s.v", "the squared mean is added and not subtracted", "Steps are too short.", "What does centered subtract?", needs=("centered",)),
        M(one, "p", "p + lr * s.b", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - s.b", "the step is not multiplied by the learning rate", "Steps of length one.", RATE),
        M(one, "p", "p - lr**2 * s.b", "the step is multiplied by the learning rate twice", "Steps are a hundred times too short.", RATE),
    ]  # fmt: skip


def adagrad() -> list[Mistake]:
    """Mistakes in v ← v + g², p ← p − lr·g/(√v + ε)."""
    one, look, where = (
        "adagrad",
        "What is summed up, from where, and until when?",
        "What is divided by what, and where does ε stand?",
    )
    return [
        M(one, "v", "0.9 * s.v + 0.1 * g**2", "a running mean with weights 0.9 and 0.1 stands in place of the sum", "It is RMSProp: steps do not shrink.", look),
        M(one, "v", "0.99 * s.v + 0.01 * g**2", "a running mean with weights 0.99 and 0.01 stands in place of the sum", "It is RMSProp: steps do not shrink.", look),
        M(one, "v", "0.9 * s.v + g**2", "the sum decays", "Steps do not shrink as they should.", look),
        M(one, "v", "g**2", "the sum is not kept from step to step", "It is sign descent.", "Print v at step 2."),
        M(one, "v", "s.v + abs(g)", "|g| is summed in place of g²", "Steps depend on the gradient's scale.", look),
        M(one, "v", "s.v + g", "g is summed in place of g²", "The root of a negative number: NaN.", look),
        M(one, "v", "s.v - g**2", "the square enters with a minus", "The root of a negative number: NaN.", look),
        M(one, "v", "maximum(s.v, g**2)", "the largest square stands in place of the sum", "Steps hardly shrink.", look),
        M(one, "v", "s.v + mean(g**2)", "the squares are averaged over the entries of the array", "All entries share one rate.", look, whole=True),
        M(one, "v", "s.v + total(g**2)", "the squares are summed over the entries of the array", "All entries share one, far too small rate.", look, whole=True),
        M(one, "v", (before("start", "old = s.v"), put("r", "sqrt(old) + eps")), "the sum is used before it is renewed", "The first step is divided by ε alone: it is enormous.", "In which order are v and p renewed?"),
        M(one, "v", (), "the sum starts at 1 in place of 0", "Early steps are too short.", "What is v before the first step?", slots={"v": SQUARE.filled(1.0)}),
        M(one, "r", "s.v + eps", "the root of the sum is missing", "Steps shrink as 1/t in place of 1/√t.", where),
        M(one, "r", "maximum(sqrt(s.v), 1e-30)", "ε is left out", "A gradient that is exactly zero gives 0/0.", where),
        M(one, "r", "sqrt(s.v + eps) + eps", "ε is added twice, inside the root and outside", "Small gradients are damped too early.", where),
        M(one, "r", "sqrt(s.v) + 2 * eps", "ε is added twice", "Small gradients are damped at twice the size meant.", where),
        M(one, "r", "maximum(sqrt(s.v), eps)", "ε is a floor under the root and is not added to it", "Hardly visible at a small ε.", where),
        M(one, "r", "sqrt(s.v) + eps**2", "ε is squared", "A large ε acts like a small one.", where),
        M(one, "r", "1.0", "the step is not divided by the root of the sum", "It is SGD.", where),
        M(one, "r", "sqrt(s.v / s.t) + eps", "the root is of the mean and not of the sum", "Steps do not shrink.", where, slots={"t": COUNT}),
        M(one, "p", (before("p", "s.q = s.q / r"), put("p", "p - s.q * g")), "the divided rate is stored: every step divides what has been divided before", "Steps shrink to nothing within a few steps.", "What is the rate at step 2 made of?", slots={"q": ZERO.filled("lr")}),
        M(one, "p", (before("start", "s.q = s.q / (1 + lr_decay * s.t)"), put("rate", "s.q")), "the decayed rate is stored: lr_decay acts on what has decayed before", "The rate falls far too fast.", "What is the rate at step 3 made of?", slots={"q": ZERO.filled("lr")}, needs=("lr_decay",)),
        M(one, "p", "p + rate * g / r", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - g / r", "the step is not multiplied by the learning rate", "lr does nothing.", RATE),
        M(one, "p", "p - rate * g * r", "the root multiplies and does not divide", "Large gradients are made larger still.", where),
        M(one, "p", "p - rate * sign(g) / r", "only the sign of the gradient is used", "Steps have the wrong size.", where),
        M(one, "p", "p - lr * rate * g / r", "the step is multiplied by the learning rate twice", "Steps are a hundred times too short.", RATE),
        M(one, "rate", "lr", "lr_decay is ignored", "Steps do not fall as they are told to.", "Where does lr_decay act?", needs=("lr_decay",)),
        M(one, "rate", "lr / (1 + lr_decay * (s.t + 1))", "lr_decay counts from 1 and not from 0", "The first rate is not lr.", "What is the rate at the first step?", needs=("lr_decay",)),
        M(one, "rate", "lr / (1 + lr_decay * s.t)**0.5", "the rate falls with the root of the step", "Steps fall too slowly.", "Where does lr_decay act?", needs=("lr_decay",)),
    ]  # fmt: skip


def plain_mistakes() -> list[Mistake]:
    """All of them."""
    found = sgd() + momentum() + nesterov() + rmsprop() + adagrad()
    return found + coupled("sgd") + coupled("momentum") + coupled("nesterov") + coupled("rmsprop") + coupled("adagrad")
