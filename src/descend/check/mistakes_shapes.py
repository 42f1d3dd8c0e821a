"""Known mistakes in Lion, Adafactor, Muon, the schedule-free rules and Prodigy."""

# ruff: noqa: E501  (a table: one entry a line)
from __future__ import annotations

from dataclasses import replace

from descend.check.mistake import M, Mistake, after, before, put
from descend.rules import POWER, ZERO

__all__ = ["shape_mistakes"]

CLIMBS = "It climbs: the loss rises from the first step."
DOWN = "Descent goes against the gradient."
RATE = "Where is lr?"
DECAY = ("weight_decay",)


def lion() -> list[Mistake]:
    """Mistakes in c = β₁·m + (1 − β₁)·g, p ← p − lr·(sign(c) + wd·p), m ← β₂·m + (1 − β₂)·g."""
    one, look = "lion", "β1 mixes what the sign is taken of, β2 the memory; and in which order?"
    return [
        M(one, "c", (put("c", "beta2 * s.m + (1 - beta2) * g"), put("m", "beta1 * s.m + (1 - beta1) * g")), "β1 and β2 are swapped", "The memory is too short and the sign too sluggish.", look),
        M(one, "c", "beta2 * s.m + (1 - beta2) * g", "β2 is used for both: there is only one β", "The sign hardly sees the new gradient.", look),
        M(one, "m", "beta1 * s.m + (1 - beta1) * g", "β1 is used for both: there is only one β", "The memory is too short.", look),
        M(one, "c", (before("start", "s.m = beta2 * s.m + (1 - beta2) * g"), put("m", "s.m")), "the memory is renewed before the step and not after it", "The gradient counts twice in the sign.", "In which order are p and m renewed?"),
        M(one, "m", "beta2 * beta1 * s.m + (1 - beta2) * g", "the memory is multiplied by β1 as well: the mixture is made in its place", "The memory is shorter than β2 says.", "Which arrays are changed in place?"),
        M(one, "m", "beta2 * c + (1 - beta2) * g", "the memory is renewed from the mixture and not from the memory", "The gradient counts twice in the memory.", "Which arrays are changed in place?"),
        M(one, "c", "s.m", "the sign is taken of the memory alone", "Every step is one gradient late.", look),
        M(one, "c", "g", "the sign is taken of the gradient alone", "It is sign descent: noise decides.", look),
        M(one, "c", "(1 - beta1) * s.m + beta1 * g", "β1 and 1 − β1 are swapped", "Noise decides the sign.", look),
        M(one, "c", "beta1 * s.m + g", "the gradient is not weighted by 1 − β1 in what the sign is taken of", "The sign follows the new gradient too closely.", look),
        M(one, "c", "beta1 * s.m - (1 - beta1) * g", "the gradient enters the sign with a minus", "It climbs where gradients are steady.", look),
        M(one, "m", "(1 - beta2) * s.m + beta2 * g", "β2 and 1 − β2 are swapped", "There is hardly a memory.", look),
        M(one, "m", "beta2 * s.m + g", "the gradient is not weighted by 1 − β2 in the memory", "The memory outweighs every new gradient a hundred times.", look),
        M(one, "m", "(1 - beta2) * g", "the memory is not kept from step to step", "It is nearly sign descent.", "Print m at step 2."),
        M(one, "m", "beta2 * s.m + (1 - beta2) * sign(g)", "the memory adds up signs", "Large gradients count no more than small ones.", look),
        M(one, "p", "p + lr * (sign(c) + weight_decay * p)", "the step has the wrong sign", CLIMBS, DOWN),
        M(one, "p", "p - lr * (c + weight_decay * p)", "the sign is missing", "It is plain momentum.", look),
        M(one, "p", "p - sign(c) - lr * weight_decay * p", "the step is not multiplied by the learning rate", "Steps of length one.", RATE),
        M(one, "p", "p - lr * (where(c >= 0, 1.0, -1.0) + weight_decay * p)", "the sign of zero is taken as 1", "Entries without a gradient drift.", "What is sign(0)?"),
        M(one, "p", "p - lr * sign(c + weight_decay * p)", "the decay stands inside the sign", "Decay only tips the balance of the sign.", "Set the gradient to zero: by what factor should p shrink?", needs=DECAY),
        M(one, "g", (before("start", "g = g + weight_decay * p"), put("p", "p - lr * sign(c)")), "the decay is L2: it is added to the gradient", "Decay only tips the balance of the sign.", "Set the gradient to zero: by what factor should p shrink?", needs=DECAY),
        M(one, "p", "p - lr * sign(c)", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * sign(c) - weight_decay * p", "the decay is not multiplied by the learning rate", "Weights shrink 1/lr times too fast.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * (sign(c) - weight_decay * p)", "the decay has the wrong sign", "Weights grow.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * (sign(c) + lr * weight_decay * p)", "the decay is multiplied by the learning rate twice", "There is practically no decay.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p * (1 - lr * weight_decay) - lr * (1 - lr * weight_decay) * sign(c)", "the decay comes after the step and not before it", "A difference of lr²·wd a step.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * sign(c) * norm(c)", "the sign is multiplied by the norm", "The step depends on the gradient's size.", look, whole=True),
    ]  # fmt: skip


def adafactor() -> list[Mistake]:
    """Mistakes in Adafactor."""
    one, look = "adafactor", "Rows, columns, and what they are divided by: check a rank-one g² by hand."
    return [
        M(one, "u", "g / sqrt(v_hat + e)", "eps1 is added inside the root and is no floor under it", "Small gradients are damped.", look),
        M(one, "u", "g / maximum(v_hat, e**2)", "the root of the second moment is missing", "Steps depend on the gradient's scale.", look),
        M(one, "u", "g * sqrt(maximum(v_hat, e**2))", "the root multiplies and does not divide", "Large gradients are made larger still.", look),
        M(one, "u", "g", "the gradient is not divided by the root of the second moment", "It is SGD with a limit on the step.", look),
        M(one, "v_hat", "s.r * s.c if p.ndim > 1 else s.v", "the product of rows and columns is not divided by the mean of the rows", "The estimate has the units of g⁴.", look),
        M(one, "v_hat", "s.r + s.c if p.ndim > 1 else s.v", "rows and columns are added and not multiplied", "The estimate is twice too large and not of rank one.", look),
        M(one, "v_hat", "s.r * mean(s.c, -1) / maximum(mean(s.r, -2), e) if p.ndim > 1 else s.v", "the columns are averaged away", "One rate per row.", look),
        M(one, "v_hat", "sqrt(s.r * s.c) / maximum(mean(s.r, -2), e) if p.ndim > 1 else s.v", "the root is taken of rows times columns as well", "Steps depend on the gradient's scale.", look),
        M(one, "r", "(1 - w) * s.r + w * (mean(g, -1) if p.ndim > 1 else 0.0)", "the rows average g and not g²", "The estimate can be negative.", look),
        M(one, "r", "w * s.r + (1 - w) * (mean(g**2, -1) if p.ndim > 1 else 0.0)", "w and 1 − w are swapped in the rows", "The mean forgets at the wrong pace.", look),
        M(one, "c", "w * s.c + (1 - w) * (mean(g**2, -2) if p.ndim > 1 else 0.0)", "w and 1 − w are swapped in the columns", "The mean forgets at the wrong pace.", look),
        M(one, "c", "(1 - w) * s.c + w * (mean(abs(g), -2) if p.ndim > 1 else 0.0)", "the columns average |g| and not g²", "Rows and columns have different units.", look),
        M(one, "c", "(1 - w) * s.c + w * (total(g**2, -2) if p.ndim > 1 else 0.0)", "the columns are sums and not means", "The estimate grows with the number of rows.", look),
        M(one, "v", "w * s.v + (1 - w) * g**2", "w and 1 − w are swapped in the second moment of vectors", "The mean forgets at the wrong pace.", "Follow a vector through the lines."),
        M(one, "v", "s.v + g**2", "the second moment of vectors is a sum", "Steps of vectors shrink to nothing.", "Follow a vector through the lines."),
        M(one, "w", "0.1", "the share of the new square does not fall with t: it stands at 0.1", "The first steps are too long.", "How fast does the mean forget at step 1, and at step 100?"),
        M(one, "w", "(s.t + 1)**beta2_decay", "the share of the new square is counted from t + 1", "The first square enters at less than full weight.", "What is w at the first step?"),
        M(one, "w", "s.t**(2 * beta2_decay)", "the exponent of the share is doubled", "The mean forgets too slowly.", "How fast does the mean forget?"),
        M(one, "rho", "lr", "the rate is not capped by 1/√t", "Steps do not shrink as they should.", "What is the rate at step 100?"),
        M(one, "rho", "1 / sqrt(s.t)", "lr does not cap the rate", "The first steps are far too long.", RATE),
        M(one, "rho", "maximum(lr, 1 / sqrt(s.t))", "the larger of lr and 1/√t is taken and not the smaller", "Steps are far too long.", RATE),
        M(one, "rho", "lr / sqrt(s.t)", "the rate is lr/√t and not the smaller of both", "Steps shrink too soon.", RATE),
        M(one, "alpha", "rho", "the rate is not relative to the size of the parameters", "Small weights get steps that are far too long.", "In what units is lr?"),
        M(one, "alpha", "rms(p) * rho", "there is no floor under the size of the parameters", "Parameters that start at zero never move.", "What if p is zero?"),
        M(one, "alpha", "maximum(eps2, norm(p)) * rho", "the norm stands where the root mean square should", "Steps are √n times too long.", "In what units is lr?"),
        M(one, "alpha", "(eps2 + rms(p)) * rho", "eps2 is added and is no floor", "Steps are slightly too long.", "What if p is zero?"),
        M(one, "p", "p - alpha * u", "the update is not limited to a root mean square of d", "Sudden large gradients are not caught.", "What happens to an update larger than d?", occurrence=1),
        M(one, "p", "p - alpha * u / (rms(u) / d)", "the update is always scaled to d and not only where it is larger", "Small updates are blown up.", "What happens to an update smaller than d?", occurrence=1),
        M(one, "p", "p - alpha * u / maximum(1.0, norm(u) / d)", "the norm limits the update and not the root mean square", "Large arrays hardly move.", "What happens to an update larger than d?", occurrence=1),
        M(one, "p", "p + alpha * u / maximum(1.0, rms(u) / d)", "the step has the wrong sign", CLIMBS, DOWN, occurrence=1),
        M(one, "p", "p", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - weight_decay * p", "the decay is not multiplied by the learning rate", "Weights shrink 1/lr times too fast.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - rho * weight_decay * p", "the decay is multiplied by the falling rate and not by lr", "The decay fades.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p + lr * weight_decay * p", "the decay has the wrong sign", "Weights grow.", "Where does the decay act?", needs=DECAY),
    ]  # fmt: skip


def _iterations() -> list[Mistake]:
    """The Newton–Schulz iteration, x ← a·x + (b·x·xᵀ + c·(x·xᵀ)²)·x on x/‖x‖, written otherwise."""
    right = "x ← a·x + (b·x·xᵀ + c·(x·xᵀ)²)·x"
    ways = [
        ("ns_a * x + (ns_b * gram + ns_c * gram) @ x", "maximum(norm(x), eps)", "c multiplies x·xᵀ and not its square: the term in x⁵ is missing", right, "x ← a·x + (b + c)·x·xᵀ·x"),
        ("ns_a * x + ns_b * gram @ x", "maximum(norm(x), eps)", "the term in x⁵ is left out", right, "x ← a·x + b·x·xᵀ·x"),
        ("(ns_b * gram + ns_c * gram @ gram) @ x", "maximum(norm(x), eps)", "the term a·x is left out", right, "x ← (b·x·xᵀ + c·(x·xᵀ)²)·x"),
        ("ns_a * x + (ns_b * gram + ns_c * gram * gram) @ x", "maximum(norm(x), eps)", "x·xᵀ is squared entry by entry and not as a matrix", right, "x ← a·x + (b·x·xᵀ + c·(x·xᵀ)∘(x·xᵀ))·x"),
        ("x + ns_a * x + (ns_b * gram + ns_c * gram @ gram) @ x", "maximum(norm(x), eps)", "x is added once more in each step of the iteration", right, "x ← x + a·x + (b·x·xᵀ + c·(x·xᵀ)²)·x"),
        ("ns_a * x + (ns_b * gram + ns_c * gram @ gram) @ x", "1.0", "the matrix is not divided by its norm before the iteration", "x = d/‖d‖", "x = d"),
        ("ns_a * x + (ns_b * gram + ns_c * gram @ gram) @ x", "maximum(norm(x), eps)**2", "the matrix is divided by the square of its norm before the iteration", "x = d/‖d‖", "x = d/‖d‖²"),
    ]  # fmt: skip
    ways.append(
        (
            "ns_a * x + (ns_b * first + ns_c * first @ first) @ x",
            "maximum(norm(x), eps)",
            "x·xᵀ is computed once, before the iteration, and not in each of its steps",
            right,
            "x ← a·x + (b·x₀·x₀ᵀ + c·(x₀·x₀ᵀ)²)·x",
        )
    )
    found = []
    for line, size, name, expected, yours in ways:
        code = f"x = d.T if d.shape[0] > d.shape[1] else d\nx = x / {size}\nfirst = x @ x.T\nfor _ in range(ns_steps):\n    gram = x @ x.T\n    x = {line}"
        one = M(
            "muon",
            "o",
            (before("o", code), put("o", "x.T if d.shape[0] > d.shape[1] else x")),
            name,
            "Singular values do not come to about 1: steps have the wrong length, or the iteration diverges.",
            "Run the iteration on a diagonal matrix: where do its entries go?",
        )
        found.append(replace(one, written=(expected, yours)))
    return found


def muon() -> list[Mistake]:
    """Mistakes in Muon."""
    one, look = "muon", "The step is an orthogonal matrix of the shape of p: what are its singular values?"
    return [
        M(one, "b", "(1 - momentum) * s.b + momentum * g", "β and 1 − β are swapped", "Almost no memory.", "Look at the velocity."),
        M(one, "b", "(1 - momentum) * g", "the velocity is not kept from step to step", "There is no momentum.", "Print the velocity at step 2."),
        M(one, "b", "s.b + (1 - momentum) * g", "the velocity is not multiplied by β", "It never forgets.", "Look at the velocity."),
        M(one, "b", "momentum * s.b - (1 - momentum) * g", "the gradient enters the velocity with a minus", CLIMBS, DOWN),
        M(one, "d", "s.b", "nesterov is ignored: there is no look-ahead", "It rings a little more.", "What does nesterov add?"),
        M(one, "d", "g + momentum * s.b", "the gradient is not weighted by 1 − β in the look-ahead", "The new gradient outweighs the memory.", "What does nesterov add?"),
        M(one, "d", "g", "the velocity is not used", "There is no momentum.", "What is orthogonalized?"),
        M(one, "d", "(1 - momentum) * g + s.b", "β is missing in the look-ahead", "It looks too far ahead.", "What does nesterov add?"),
        M(one, "o", "d", "the velocity is not orthogonalized", "It is momentum.", look),
        M(one, "o", "d / maximum(norm(d), eps)", "the velocity is divided by its norm and not orthogonalized", "One direction still dominates.", look),
        M(one, "o", "orthogonalize(d, ns_steps - 1, ns_a, ns_b, ns_c, eps)", "one Newton–Schulz step is missing", "Singular values further from 1.", look),
        M(one, "o", "orthogonalize(d, 1, ns_a, ns_b, ns_c, eps)", "there is only one Newton–Schulz step", "Small singular values stay small.", look),
        M(one, "o", "orthogonalize(d, ns_steps, ns_a, ns_c, ns_b, eps)", "the coefficients of x³ and x⁵ are swapped", "The iteration diverges.", look),
        M(one, "o", "orthogonalize(d, ns_steps, ns_a, -ns_b, ns_c, eps)", "the coefficient of x³ has the wrong sign", "The iteration diverges.", look),
        M(one, "o", "orthogonalize(d, ns_steps, 1.5, -0.5, 0.0, eps)", "the cubic coefficients 3/2 and −1/2 are used", "Singular values converge more slowly.", look),
        *_iterations(),
        M(one, "o", "sign(d)", "the sign is taken entry by entry", "It is Lion's kind of step.", look),
        M(one, "o", (before("o", "d = sign(d)"),), "signs are orthogonalized and not the velocity", "Sizes within the matrix are lost.", look),
        M(one, "b", (before("start", "g = orthogonalize(g, ns_steps, ns_a, ns_b, ns_c, eps)"), put("o", "d")), "the gradient is orthogonalized before the momentum", "The step is a mean of orthogonal matrices, shorter than one.", look),
        M(one, "b", (before("start", "g = orthogonalize(g, ns_steps, ns_a, ns_b, ns_c, eps)"), put("b", "momentum * s.b + g"), put("d", "g + momentum * s.b if nesterov else s.b"), put("o", "d")), "the gradient is orthogonalized before the momentum, which adds up", "The step is a sum of orthogonal matrices, up to 1/(1 − β) times longer than one.", look),
        M(one, "p", "p - lr * spectral_scale(p.shape, 'transposed') * o", "rows and columns have changed places in the scale", "Wide weights get steps that are too long, tall ones too short; right where inputs lie in rows, as in optax.", "Do the rows of your weights belong to outputs or to inputs?", occurrence=1, written=("p ← p − lr·√max(1, rows/columns)·o", "p ← p − lr·√max(1, columns/rows)·o")),
        M(one, "p", "p - weight_decay * p", "the decay is not multiplied by the learning rate", "Weights shrink 1/lr times too fast.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p + lr * weight_decay * p", "the decay has the wrong sign", "Weights grow.", "Where does the decay act?", needs=DECAY),
        M(one, "g", (before("start", "g = g + weight_decay * p"), put("p", "p")), "the decay is L2: it is added to the gradient", "The decay is orthogonalized away.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * o / spectral_scale(p.shape, scale)", "the scale of the shape divides and does not multiply", "Tall matrices move too little.", "How does the step grow with the shape?", occurrence=1),
        M(one, "p", "p - spectral_scale(p.shape, scale) * o", "the step is not multiplied by the learning rate", "lr does nothing.", RATE, occurrence=1),
        M(one, "p", "p + lr * spectral_scale(p.shape, scale) * o", "the step has the wrong sign", CLIMBS, DOWN, occurrence=1),
        M(one, "p", "p - lr * spectral_scale(p.shape, scale)**2 * o", "the scale of the shape is squared", "Tall matrices move too much.", "How does the step grow with the shape?", occurrence=1),
    ]  # fmt: skip


def schedule_free(one: str, u: str) -> list[Mistake]:
    """Mistakes that both schedule-free rules know."""
    look = "Three points: z moves fast, x is its mean, y = p lies between them. Which one does each line move?"
    step = f"lr * (1 - beta1 * (1 - c)) * {u}"
    return [
        M(one, "p", f"(1 - c) * p + c * s.z - lr * {u}", "the gradient step of y is not multiplied by 1 − β1·(1 − c)", "y runs ahead of x: the averaging is lost.", look),
        M(one, "p", f"(1 - c) * p + c * s.z - lr * (1 - beta1) * {u}", "the average takes in z before its step: c is missing in the gradient step of y", "The mean is one step behind.", look),
        M(one, "p", f"(1 - c) * p + c * s.z - lr * beta1 * (1 - c) * {u}", "1 is missing in the gradient step of y: β1·(1 − c) stands alone", "y moves ten times too far.", look),
        M(one, "p", f"p - {step}", "y is not drawn towards z", "There is no averaging.", look),
        M(one, "p", f"c * p + (1 - c) * s.z - {step}", "c and 1 − c are swapped", "y follows z: there is no averaging.", look),
        M(one, "p", f"(1 - c) * p + c * s.z + {step}", "the step of y has the wrong sign", CLIMBS, DOWN),
        M(one, "p", f"(1 - c) * p + c * s.z - (1 - beta1 * (1 - c)) * {u}", "the step of y is not multiplied by the learning rate", "lr does nothing.", RATE),
        M(one, "p", (put("p", f"(1 - c) * p + c * (s.z - lr * {u}) - {step}"),), "y is drawn towards the new z: z is renewed first", "The gradient counts once too often.", "In which order are y and z renewed?"),
        M(one, "z", "s.z", "z is not moved", "The average never leaves the start.", look),
        M(one, "z", f"s.z + lr * {u}", "the step of z has the wrong sign", CLIMBS, DOWN),
        M(one, "z", f"s.z - {u}", "the step of z is not multiplied by the learning rate", "lr does nothing for z.", RATE),
        M(one, "z", f"p - lr * {u}", "z starts each step from y", "z is lost: it is SGD.", look),
        M(one, "z", f"s.z - lr * (1 - beta1) * {u}", "the step of z is multiplied by 1 − β1", "Ten times too slow.", look),
        M(one, "c", "w / maximum(s.weights + w, 1e-30)", "the weight is counted twice in the sum", "The mean lags behind.", "What is c at the first step?"),
        M(one, "c", "1 - w / maximum(s.weights, 1e-30)", "c and 1 − c are swapped in the weight itself", "The mean keeps the oldest points.", "What is c at the first step?"),
        M(one, "c", "0.1", "the weight of the new point is fixed at 0.1", "An exponential mean, which never settles.", "How does c fall with t?"),
        M(one, "c", "beta1", "β1 stands where the weight of the new point should", "The mean forgets within a step.", "How does c fall with t?"),
        M(one, "w", "lr**weight_lr_power", "the current rate stands where the largest so far should", "After a warm-up and a drop the mean weighs points wrongly.", "Which rate weighs a point?"),
        M(one, "w", "1.0", "all points weigh the same", "Points of a warm-up weigh too much.", "Which rate weighs a point?"),
        M(one, "w", "s.lr_max", "the power of the rate in the weight is missing", "Points of a warm-up weigh too much.", "Which rate weighs a point?"),
        M(one, "weights", "w", "the sum of the weights is not kept", "c is always 1: there is no averaging.", "What is c at the second step?"),
    ]  # fmt: skip


def schedule_free_adamw() -> list[Mistake]:
    """What schedule-free AdamW adds."""
    one, look = "schedule_free_adamw", "Look at v and its correction."
    rest = " + weight_decay * p"
    return [
        M(one, "u", (before("start", "s.m = beta1 * s.m + (1 - beta1) * g"), put("u", "s.m / (sqrt(v_hat) + eps)" + rest)), "a running mean of the gradients is used, as Adam's first moment", "Averaged twice: β1 belongs to the points and not to the gradients.", "What does β1 average here?", slots={"m": ZERO}),
        M(one, "u", (before("start", "s.m = beta1 * s.m + (1 - beta1) * g\ns.k1 = beta1 * s.k1"), put("u", "s.m / (1 - s.k1) / (sqrt(v_hat) + eps)" + rest)), "a corrected running mean of the gradients is used, as Adam's first moment", "Averaged twice: β1 belongs to the points and not to the gradients.", "What does β1 average here?", slots={"m": ZERO, "k1": POWER("beta1")}),
        M(one, "v", "beta2 * s.v + g**2", "the new square is not weighted by 1 − β2", "Steps are too short.", look),
        M(one, "v", "beta1 * s.v + (1 - beta1) * g**2", "the second moment uses β1", "The denominator follows the noise.", look),
        M(one, "v", "(1 - beta2) * s.v + beta2 * g**2", "β2 and 1 − β2 are swapped", "The size is hardly averaged.", look),
        M(one, "v_hat", "s.v", "the second moment is not corrected", "The first steps are too long.", look),
        M(one, "v_hat", "s.v / (1 - s.k2)**2", "the second moment is corrected twice", "The first steps are too short.", look),
        M(one, "v_hat", "s.v / (1 - beta2)", "the second moment is divided by 1 − β2 in place of 1 − β2ᵗ", "Steps are too short.", look),
        M(one, "u", "g / sqrt(v_hat + eps)" + rest, "ε stands inside the root", "Small gradients are damped too early.", look),
        M(one, "u", "g / maximum(sqrt(v_hat), 1e-30)" + rest, "ε is left out", "0/0 at a zero gradient.", look),
        M(one, "u", "g / (v_hat + eps)" + rest, "the root of the second moment is missing", "Steps grow as 1/g.", look),
        M(one, "u", "g" + rest, "the gradient is not divided by the root of the second moment", "It is schedule-free SGD.", look),
        M(one, "u", "g / (sqrt(v_hat) + eps)", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", needs=DECAY),
        M(one, "u", "g / (sqrt(v_hat) + eps) + weight_decay * s.z", "the decay acts at z and not at y", "Another regularisation than the authors'.", "At which point does the decay act?", needs=DECAY),
        M(one, "u", "g / (sqrt(v_hat) + eps) - weight_decay * p", "the decay has the wrong sign", "Weights grow.", "Where does the decay act?", needs=DECAY),
        M(one, "u", "g / (sqrt(v_hat) + eps) + lr * weight_decay * p", "the decay is multiplied by the learning rate twice", "There is practically no decay.", "Where does the decay act?", needs=DECAY),
        M(one, "g", (before("start", "g = g + weight_decay * p"), put("u", "g / (sqrt(v_hat) + eps)")), "the decay is L2: it is added to the gradient", "The decay is divided by √v̂.", "Where does the decay act?", needs=DECAY),
    ]  # fmt: skip


def prodigy() -> list[Mistake]:
    """Mistakes in Prodigy."""
    one, look = "prodigy", "Which quantities are multiplied by d, and how often?"
    return [
        M(one, "m", "beta1 * s.m + (1 - beta1) * g", "d is missing in the first moment", "Steps are 1/d times too long.", look),
        M(one, "m", "beta1 * s.m + s.d * g", "the new gradient is not weighted by 1 − β1", "Steps are too long.", look),
        M(one, "m", "(1 - beta1) * s.m + beta1 * s.d * g", "β1 and 1 − β1 are swapped in the first moment", "Almost no momentum.", look),
        M(one, "v", "beta2 * s.v + (1 - beta2) * g**2", "d² is missing in the second moment", "Steps are d times too short.", look),
        M(one, "v", "beta2 * s.v + (1 - beta2) * s.d * g**2", "d is not squared in the second moment", "Steps are √d times too short.", look),
        M(one, "v", "beta2 * s.v + s.d**2 * g**2", "the new square is not weighted by 1 − β2", "Steps are too short.", look),
        M(one, "beta3", "beta2", "β3 is β2 and not its root", "The estimate remembers half as long.", "What is β3?"),
        M(one, "s", "beta3 * s.s + s.d / d0 * g", "the rate is missing in the sum of gradients", "d is underestimated.", look),
        M(one, "s", "beta3 * s.s + rate * g", "d/d0 is missing in the sum of gradients", "d is misjudged.", look),
        M(one, "s", "s.s + s.d / d0 * rate * g", "the sum of gradients does not decay", "d is underestimated more and more.", look),
        M(one, "(dot, den)", "(yield total(g * (p - s.p0)), total(abs(s.s)))", "the distance from the start has the wrong sign", "d never grows: it stays at d0.", "Which way does p move from p0?"),
        M(one, "(dot, den)", "(yield total(g * p), total(abs(s.s)))", "the start is not subtracted from the parameters", "d depends on the origin.", "Distance from where?"),
        M(one, "(dot, den)", "(yield total(g * (s.p0 - p)), sqrt(total(s.s**2)))", "the Euclidean norm stands where the sum of |s| should", "d is overestimated.", "Which norm stands in the denominator?"),
        M(one, "(dot, den)", "(yield total(abs(g * (s.p0 - p))), total(abs(s.s)))", "the absolute value is taken within the scalar product", "d is overestimated.", look),
        M(one, "num", "beta3 * s.num + s.d / d0 * dot", "the rate is missing in the numerator", "d is misjudged.", look),
        M(one, "num", "s.num + s.d / d0 * rate * dot", "the numerator does not decay", "d is overestimated.", look),
        M(one, "num", "beta3 * s.num + rate * dot", "d/d0 is missing in the numerator", "d is misjudged.", look),
        M(one, "num", "s.d / d0 * rate * dot", "the numerator is not kept from step to step", "d is underestimated.", look),
        M(one, "d", "d_coef * s.num / maximum(den, 1e-30)", "d may fall: the maximum is missing", "The rate jumps about.", "May d fall?"),
        M(one, "d", "s.d", "d is not renewed", "It is AdamW at a rate of d0.", "Where is d renewed?"),
        M(one, "d", "minimum(s.d, d_coef * s.num / maximum(den, 1e-30))", "the smaller estimate is kept and not the larger", "d falls to nothing.", "May d fall?"),
        M(one, "d", "maximum(s.d, s.num / maximum(den, 1e-30) / 2)", "the estimate is halved", "d grows too slowly.", look),
        M(one, "p", "p", "the weight decay is ignored", "No regularisation.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - lr * weight_decay * p", "the decay is multiplied by lr and not by the estimated rate", "Weights shrink 1/d times too fast.", "Which rate does the decay use?", needs=DECAY),
        M(one, "p", "p + rate * weight_decay * p", "the decay has the wrong sign", "Weights grow.", "Where does the decay act?", needs=DECAY),
        M(one, "p", "p - rate * s.m / (sqrt(s.v) + eps)", "d is missing beside ε", "ε counts 1/d times too much.", look, occurrence=1),
        M(one, "p", "p - rate * s.m / sqrt(s.v + eps)", "ε stands inside the root", "ε counts far too much.", look, occurrence=1),
        M(one, "p", "p + rate * s.m / (sqrt(s.v) + s.d * eps)", "the step has the wrong sign", CLIMBS, DOWN, occurrence=1),
        M(one, "p", "p - lr * s.m / (sqrt(s.v) + s.d * eps)", "the step is multiplied by lr and not by the estimated rate", "The estimate is not used.", look, occurrence=1),
        M(one, "p", "p - rate * s.m", "the step is not divided by the root of the second moment", "Steps depend on the gradient's scale.", look, occurrence=1),
        M(one, "rate", "s.d * (sqrt(1 - s.k2) / (1 - s.k1) if bias_correction else 1.0)", "lr is ignored", "A schedule has no effect.", RATE),
        M(one, "d", (put("d", "maximum(s.d, d_coef * s.num / maximum(den, 1e-30))"), after("d", "s.p0 = p")), "the point of the start is renewed at each step", "d never grows: the distance is always that of one step.", "Distance from where?"),
    ]  # fmt: skip


def shape_mistakes() -> list[Mistake]:
    """All of them."""
    found = lion() + adafactor() + muon() + prodigy()
    found += schedule_free("schedule_free_sgd", "g") + schedule_free("schedule_free_adamw", "u")
    return found + schedule_free_adamw()
