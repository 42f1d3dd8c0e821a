"""Known mistakes in the moments and corrections that Adam and its relatives share, and in what each adds."""

# ruff: noqa: E501  (a table: one entry a line)
from __future__ import annotations

from descend.check.mistake import M, Mistake, after, before, put
from descend.rules import COUNT, POWER, SQUARE

__all__ = ["moment_mistakes"]

EARLY = "The first steps are the wrong length; the difference fades as the powers of β die out, so the loss still falls."
SCALE = "Steps are the wrong length throughout, so no published learning rate carries over."


def first_moment(rule: str) -> list[Mistake]:
    """Mistakes in m ← β₁·m + (1 − β₁)·g."""
    look = "Look at the line for the first moment: what weighs the old mean, what weighs the new gradient?"
    return [
        M(rule, "m", "beta1 * s.m + g", "the new gradient is not weighted by 1 − β1", f"Steps are 1/(1 − β1) times too long: {SCALE.lower()}", look),
        M(rule, "m", "(1 - beta1) * s.m + beta1 * g", "β1 and 1 − β1 are swapped in the first moment", "Almost no momentum: the mean follows each gradient and its noise.", look),
        M(rule, "m", "beta2 * s.m + (1 - beta2) * g", "the first moment uses β2", "The momentum is ten or a hundred times longer than meant: it overshoots and rings.", look),
        M(rule, "m", "beta1 * s.m + (1 - beta2) * g", "the new gradient is weighted by 1 − β2 in the first moment", "Steps are too short by (1 − β2)/(1 − β1).", look),
        M(rule, "m", "(1 - beta1) * g", "the first moment is not kept from step to step", "There is no momentum, and the correction for a zero start shrinks the steps more and more.", "Print m at step 2: does it still know of the first gradient?"),
        M(rule, "m", "s.m + (1 - beta1) * g", "the first moment only grows: the old mean is not multiplied by β1", "Momentum never forgets: the descent overshoots further and further.", look),
        M(rule, "m", "where(s.k1 == 1.0, g, beta1 * s.m + (1 - beta1) * g)", "the first moment starts at the first gradient and is corrected all the same", "The first step is 1/(1 − β1) times too long, and the excess decays only with β1.", "What is m before the first step?"),
        M(rule, "m", "beta1 * s.m - (1 - beta1) * g", "the gradient enters the first moment with a minus", "It climbs: the loss rises from the first step.", look),
        M(rule, "m", "beta1 * (s.m + (1 - beta1) * g)", "β1 multiplies the new gradient too", "Every step is β1 times as long as it should be.", look),
        M(rule, "m", "where(g == 0, s.m, beta1 * s.m + (1 - beta1) * g)", "entries with a zero gradient leave the first moment as it is", "Rarely used weights keep an old momentum: dense and sparse gradients train differently.", "What should m do while the gradient is zero?"),
    ]  # fmt: skip


def second_moment(rule: str, beta: str = "beta2") -> list[Mistake]:
    """Mistakes in v ← β₂·v + (1 − β₂)·g²."""
    look = "Look at the line for the second moment: what is averaged, and with what weights?"
    new = f"{beta} * s.v + (1 - {beta}) * "
    found = [
        M(rule, "v", f"{beta} * s.v + g**2", "the new square is not weighted by 1 − β2", "The denominator is 1/√(1 − β2) times too large: steps are about thirty times too short.", look),
        M(rule, "v", f"(1 - {beta}) * s.v + {beta} * g**2", "β2 and 1 − β2 are swapped in the second moment", "The size of the gradient is hardly averaged: each step is close to a sign step, noise and all.", look),
        M(rule, "v", new + "abs(g)", "the second moment averages |g| in place of g²", "The step depends on the gradient's scale: rescaling the loss changes the run.", look),
        M(rule, "v", new + "(g - s.m)**2", "the second moment averages (g − m)², as AdaBelief does", "It divides by the spread, not the size: steady gradients get enormous steps.", look),
        M(rule, "v", new + "s.m**2", "the second moment averages m² in place of g²", "The denominator is too small where gradients alternate: steps explode on noise.", look),
        M(rule, "v", "s.v + g**2", "the second moment is a sum, as in Adagrad", "The denominator only grows: learning slows to a halt.", look),
        M(rule, "v", f"maximum({beta} * s.v, g**2)", "the second moment is a decaying maximum in place of a mean", "Steps are too short after every large gradient.", look),
        M(rule, "v", f"(1 - {beta}) * g**2", "the second moment is not kept from step to step", "Each step sees its own gradient alone, and the correction distorts it more and more.", "Print v at step 2: does it still know of the first gradient?"),
        M(rule, "v", f"{beta} * s.v + ((1 - {beta}) * g)**2", "the weight 1 − β2 is squared with the gradient", "The denominator is √(1 − β2) times too small: steps are far too long.", look),
        M(rule, "v", f"{beta} * s.v - (1 - {beta}) * g**2", "the square enters the second moment with a minus", "The root of a negative number: NaN at the first step.", look),
        M(rule, "v", new + "mean(g**2)", "the second moment averages over the entries of the array", "All entries of an array share one rate: the point of the method is lost.", look, whole=True),
        M(rule, "v", f"where(g == 0, s.v, {beta} * s.v + (1 - {beta}) * g**2)", "entries with a zero gradient leave the second moment as it is", "Rarely used weights keep an old denominator.", "What should v do while the gradient is zero?"),
        M(rule, "v", (), "the second moment starts at 1 in place of 0", "The first steps are far too short, for about 1/(1 − β2) steps.", "What is v before the first step?", slots={"v": SQUARE.filled(1.0)}),
    ]  # fmt: skip
    if beta == "beta2":
        found += [
            M(rule, "v", "beta1 * s.v + (1 - beta1) * g**2", "the second moment uses β1", "The denominator follows the noise: steps vary far too much.", look),
            M(rule, "v", "where(s.k2 == 1.0, g**2, beta2 * s.v + (1 - beta2) * g**2)", "the second moment starts at the first square and is corrected all the same", "The first steps are √(1 − β2) times too short; one odd first gradient is remembered for long.", "What is v before the first step?"),
        ]  # fmt: skip
    return found


def corrections(rule: str, m: bool = True, v: bool = True) -> list[Mistake]:
    """Mistakes in m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ)."""
    look = "Write down m̂ and v̂ at step 1 by hand: both should give back g and g²."
    count = "What is t at the first step?"
    found: list[Mistake] = []
    if m:
        found += [
            M(rule, "m_hat", "s.m", "the first moment is not corrected", f"The first step is 1 − β1 of what it should be. {EARLY}", look),
            M(rule, "m_hat", "s.m / (1 - s.k1)**2", "the first moment is corrected twice", f"The first step is 1/(1 − β1) times too long. {EARLY}", look),
            M(rule, "m_hat", "s.m / (1 - beta1)", "the first moment is divided by 1 − β1 in place of 1 − β1ᵗ", "From the second step on, steps grow to 1/(1 − β1) times too long.", look),
            M(rule, "m_hat", "s.m * (1 - s.k1)", "the first moment is multiplied by 1 − β1ᵗ", f"The first step is (1 − β1)² of what it should be. {EARLY}", look),
            M(rule, "m_hat", "s.m / sqrt(1 - s.k1)", "the first moment is divided by the root of 1 − β1ᵗ", EARLY, look),
            M(rule, "m_hat", "s.m / (1 + s.k1)", "the first moment is divided by 1 + β1ᵗ", EARLY, look),
            M(rule, "m_hat", "s.m / (1 - beta1 * s.k1)", "the first moment is corrected with t + 1", EARLY, count),
            M(rule, "m_hat", "s.m / (1 - s.k1**2)", "the first moment is corrected with 2t: the step is counted twice", EARLY, count),
            M(rule, "m_hat", (after("m_hat", "s.m = m_hat"),), "the corrected first moment is stored in place of the first moment", "The correction is applied again at every step: the momentum grows without bound.", "Is m after the step the same as before the correction?"),
            M(rule, "m_hat", (before("start", "old = s.m"), put("m_hat", "old / (1 - s.k1)")), "the first moment is used before it is renewed", "Every step is one gradient late, and the first step does nothing.", "In which order are m and p renewed?"),
        ]  # fmt: skip
    if m and v:
        found.append(
            M(
                rule,
                "m_hat",
                (put("k1", "0.9 * s.k1"), put("k2", "0.999 * s.k2")),
                "both corrections use 0.9 and 0.999, whatever the arguments say",
                "Right with the usual β alone: with others the first steps are the wrong length.",
                "Change β2 to 0.9: what is v̂ at step 1?",
                written=("m̂ = m/(1 − β₁ᵗ) and v̂ = v/(1 − β₂ᵗ)", "m̂ = m/(1 − 0.9ᵗ) and v̂ = v/(1 − 0.999ᵗ)"),
            )
        )
    if v:
        found += [
            M(rule, "v_hat", "s.v", "the second moment is not corrected", "The first steps are up to 1/√(1 − β2) ≈ 30 times too long: the start can be thrown far away.", look),
            M(rule, "v_hat", "s.v / (1 - s.k2)**2", "the second moment is corrected twice", "The first steps are √(1 − β2) times too short.", look),
            M(rule, "v_hat", "s.v / (1 - beta2)", "the second moment is divided by 1 − β2 in place of 1 − β2ᵗ", "Steps shrink to √(1 − β2) ≈ 1/30 of what they should be.", look),
            M(rule, "v_hat", "s.v * (1 - s.k2)", "the second moment is multiplied by 1 − β2ᵗ", "The first steps are 1/(1 − β2) times too long.", look),
            M(rule, "v_hat", "s.v / sqrt(1 - s.k2)", "the second moment is divided by the root of 1 − β2ᵗ", EARLY, look),
            M(rule, "v_hat", "s.v / (1 + s.k2)", "the second moment is divided by 1 + β2ᵗ", EARLY, look),
            M(rule, "v_hat", "s.v / (1 - beta2 * s.k2)", "the second moment is corrected with t + 1", EARLY, count),
            M(rule, "v_hat", "s.v / (1 - s.k2**2)", "the second moment is corrected with 2t: the step is counted twice", EARLY, count),
            M(rule, "v_hat", (after("v_hat", "s.v = v_hat"),), "the corrected second moment is stored in place of the second moment", "The correction is applied again at every step: steps shrink without end.", "Is v after the step the same as before the correction?"),
            M(rule, "v_hat", (before("start", "old = s.v"), put("v_hat", "old / (1 - s.k2)")), "the second moment is used before it is renewed", "The first step is divided by eps alone: it is enormous.", "In which order are v and p renewed?"),
        ]  # fmt: skip
    if m and v:
        found += [
            M(rule, "v_hat", "s.v / (1 - s.k1)", "the second moment is corrected with β1", "The first step is √((1 − β1)/(1 − β2)) ≈ 10 times too long; the difference fades with β2ᵗ.", "Which β belongs to which moment?"),
            M(rule, "m_hat", "s.m / (1 - s.k2)", "the first moment is corrected with β2", "The first steps are up to (1 − β1)/(1 − β2) ≈ 100 times too long.", "Which β belongs to which moment?"),
            M(rule, "m_hat", (put("m_hat", "s.m / (1 - s.k2)"), put("v_hat", "s.v / (1 - s.k1)")), "β1 and β2 are swapped in the corrections", "The first steps are hundreds of times too long.", "Which β belongs to which moment?"),
            M(rule, "m_hat", (put("m_hat", "s.m"), put("v_hat", "s.v")), "neither moment is corrected", "The first steps are (1 − β1)/√(1 − β2) ≈ 3 times too long, later ones longer still, for hundreds of steps.", look),
            M(rule, "m_hat", (put("m_hat", "s.m / (1 - beta1 * s.k1)"), put("v_hat", "s.v / (1 - beta2 * s.k2)")), "both corrections use t + 1", f"The first step is three quarters of what it should be. {EARLY}", count),
            M(rule, "m_hat", (put("m_hat", "s.m / (1 - s.k1**2)"), put("v_hat", "s.v / (1 - s.k2**2)")), "the step is counted twice: both corrections use 2t", f"The first step is three quarters of what it should be. {EARLY}", count),
            M(rule, "m_hat", (put("m_hat", "s.m / (1 - beta1)"), put("v_hat", "s.v / (1 - beta2)")), "both corrections stand still: they use β in place of βᵗ", "From the second step on, steps are the wrong length for good.", look),
            M(rule, "m_hat", (put("m_hat", "s.m / (1 - s.k1)**2"), put("v_hat", "s.v / (1 - s.k2)**2")), "both corrections are applied twice", f"The first step is a third of what it should be. {EARLY}", look),
            M(rule, "m_hat", (after("m_hat", "s.m = m_hat"), after("v_hat", "s.v = v_hat")), "both corrected moments are stored in place of the moments", "The corrections are applied again at every step and pile up.", "Are m and v after the step the same as before the corrections?"),
            M(rule, "start", (before("start", "s.m = where(g == 0, s.m, beta1 * s.m + (1 - beta1) * g)\ns.v = where(g == 0, s.v, beta2 * s.v + (1 - beta2) * g**2)"), put("m", "s.m"), put("v", "s.v")), "both moments skip entries with a zero gradient", "Rarely used weights keep old moments: dense and sparse gradients train differently.", "What should m and v do while the gradient is zero?"),
        ]  # fmt: skip
    return found


def update(
    rule: str, num: str = "m_hat", den: str = "v_hat", root: str = "sqrt(v_hat)", occurrence: int = 0, bare: str = "s.m"
) -> list[Mistake]:
    """Mistakes in p ← p − lr·m̂/(√v̂ + ε)."""
    look = "Read the last line aloud: what is divided by what, and where does ε stand?"

    def one(source: str, name: str, consequence: str, **more: object) -> Mistake:
        return M(rule, "p", source, name, consequence, look, occurrence=occurrence, **more)

    return [
        one(f"p + lr * {num} / ({root} + eps)", "the step has the wrong sign", "It climbs: the loss rises from the first step."),
        one(f"p - {num} / ({root} + eps)", "the step is not multiplied by the learning rate", "Steps of length one: it diverges, and lr does nothing."),
        one(f"p - lr**2 * {num} / ({root} + eps)", "the step is multiplied by the learning rate twice", "Steps are about a thousand times too short; a schedule acts twice."),
        one(f"p - lr * {num} / sqrt({den} + eps)", "ε stands inside the root", "Small gradients are damped where √v̂ is near √ε, 10⁻⁴ at the usual ε, in place of 10⁻⁸."),
        one(f"p - lr * {num} / maximum({root}, 1e-30)", "ε is left out", "A gradient that is exactly zero gives 0/0, and tiny ones full-sized steps."),
        one(f"p - lr * {num} / maximum({root}, eps)", "ε is a floor under the root and is not added to it", "Hardly visible at a small ε; with a large one small gradients get longer steps."),
        one(f"p - lr * {num} / (sqrt({den} + eps) + eps)", "ε is added twice, inside the root and outside", "Small gradients are damped far too early."),
        one(f"p - lr * {num} / ({root} + 2 * eps)", "ε is added twice", "Small gradients are damped at twice the size meant."),
        one(f"p - lr * {num} / ({root} + eps**2)", "ε is squared", "A large ε acts like a small one."),
        one(f"p - lr * {num} / ({den} + eps)", "the root of the second moment is missing", "Steps grow as 1/g where gradients are small and vanish where they are large."),
        one(f"p - lr * {num} / (sqrt({root}) + eps)", "the root is taken twice", "The step still depends on the gradient's scale."),
        one(f"p - lr * g / ({root} + eps)", "the gradient stands where its mean should", "There is no momentum: RMSProp with a correction."),
        one(f"p - lr * {num} * ({root} + eps)", "the root multiplies and does not divide", "Large gradients are made larger still: it diverges."),
        one(f"p - lr * {num} / {root} - eps", "a bracket is missing: ε is subtracted from the parameter", "Every step shifts all parameters by ε, and zero gradients divide by zero."),
        one(f"p - lr * ({num} / maximum({root}, 1e-30) + eps)", "ε is added to the quotient and not to the root", "Every parameter drifts by lr·ε a step, and zero gradients divide by zero."),
        one(f"p - lr * {num}", "the step is not divided by the root of the second moment", "It is plain momentum: rates per coordinate are lost."),
        one(f"where(g == 0, p, p - lr * {num} / ({root} + eps))", "entries with a zero gradient are not moved", "Momentum stops where a gradient is exactly zero."),
        one(f"p - lr * sign({num})", "only the sign of the mean gradient is used", "Steps do not shrink near the minimum."),
        one(f"p * (1 - lr) - lr * {num} / ({root} + eps)", "the parameter is shrunk by 1 − lr as well", "Weights are pulled to zero however small the decay is set."),
        M(rule, "g", (before("start", "g = minimum(maximum(g, -1.0), 1.0)"),), "the gradient is clipped at 1", "Large gradients count no more than middling ones.", "What happens to the gradient before the first equation?"),
        M(rule, "g", (before("start", "g = g / maximum(norm(g), 1e-30)"),), "the gradient is divided by its norm", "The rate of one array depends on its number of entries.", "What happens to the gradient before the first equation?", whole=True),
    ]  # fmt: skip


def decoupled(rule: str, occurrence: int = 0, step: str = "p - lr * m_hat / (sqrt(v_hat) + eps)") -> list[Mistake]:
    """Mistakes in p ← p − lr·wd·p."""
    look = "Set the gradient to zero: by what factor should p shrink in one step?"
    needs = ("weight_decay",)

    def one(source: str | tuple[object, ...], name: str, consequence: str, **more: object) -> Mistake:
        return M(rule, "p", source, name, consequence, look, occurrence=occurrence, needs=needs, **more)  # type: ignore[arg-type]

    return [
        one((before("start", "g = g + weight_decay * p"), put("p", "p", occurrence)), "the decay is L2: it is added to the gradient", "The decay is divided by √v̂ like any gradient: weights with large gradients hardly decay."),
        one("p - lr / (1 - beta1 * s.k1) * weight_decay * p", "the decay is multiplied by the corrected rate lr/(1 − β1ᵗ)", "Weights shrink too fast in the first steps, ten times at the first."),
        one("p - lr * sqrt(1 - beta2 * s.k2) / (1 - beta1 * s.k1) * weight_decay * p", "the decay is multiplied by the corrected rate lr·√(1 − β2ᵗ)/(1 − β1ᵗ)", "Weights shrink at another pace in the first steps."),
        one("p - weight_decay * p", "the decay is not multiplied by the learning rate", "Weights shrink 1/lr times too fast, and a schedule does not slow the decay. The paper's Algorithm 2 has it so, with a schedule beside lr; libraries multiply by lr."),
        one("p - lr**2 * weight_decay * p", "the decay is multiplied by the learning rate twice", "There is practically no decay."),
        one("p + lr * weight_decay * p", "the decay has the wrong sign", "Weights grow without a gradient."),
        one("p", "the weight decay is ignored", "No regularisation, whatever weight_decay says."),
        one("p - 2 * lr * weight_decay * p", "the decay is applied twice", "Weights shrink twice as fast as meant."),
        one("p - 0.5 * lr * weight_decay * p", "the decay is halved", "Weights shrink half as fast as meant."),
        one("p - lr * weight_decay * sign(p)", "the decay pulls with the sign of p: it is L1", "Small weights are driven through zero, large ones hardly shrink."),
        one("p - lr * weight_decay * p**2", "the decay is proportional to p²", "Negative weights are pushed away from zero."),
        one("p - lr * weight_decay", "the decay is a constant: p is missing in it", "All weights drift downwards."),
        one("p * (1 - lr) * (1 - weight_decay)", "the decay multiplies by (1 − lr)·(1 − wd) in place of 1 − lr·wd", "Weights collapse within a few steps."),
        one("p / (1 + lr * weight_decay)", "the decay divides by 1 + lr·wd", "A slightly weaker decay, O(lr²·wd²)."),
        one((before("start", "g = g + weight_decay * p"),), "the decay is applied both ways: decoupled and as L2", "Weights shrink more than meant, and unevenly."),
        one((after("p", "g = g + weight_decay * p", occurrence),), "the decay is applied both ways: decoupled, and as L2 of what that leaves", "Weights shrink more than meant, and unevenly."),
        one("p - lr * weight_decay * p if p.ndim > 1 else p", "arrays of one dimension are not decayed", "Biases and norms keep their size; whoever compares runs sees another optimizer.", whole=True),
        *([one((put("p", "p", occurrence), put("p", step.replace("m_hat", "(m_hat + weight_decay * p)"), occurrence + 1)), "the decay is divided by the root with the step", "Weights with large gradients hardly decay, as with L2, though the moments stay clean.")] if "m_hat /" in step else []),
        one((put("p", "p", occurrence), after("p", "p = p - lr * weight_decay * p", occurrence + 1)), "the decay comes after the step and not before it", "A difference of lr²·wd a step: visible only beside a reference."),
    ]  # fmt: skip


def coupled(rule: str) -> list[Mistake]:
    """Mistakes in g ← g + wd·p, where torch puts a decay in rules that have none of their own."""
    look = "Write the gradient of the loss plus ½·wd·‖p‖²."
    line = "g"

    def one(source: str | tuple[object, ...], name: str, consequence: str, **more: object) -> Mistake:
        return M(rule, line, source, name, consequence, look, needs=("weight_decay",), decays=True, **more)  # type: ignore[arg-type]

    return [
        one("g - weight_decay * p", "the L2 term has the wrong sign", "Weights are pushed away from zero."),
        one((before("start", "old = p"), put("g", "g"), after("p", "p = p + weight_decay * old")), "the decay is added after the gradient has been multiplied by −lr", "Weights grow, and lr has no say in it.", written=("p ← p − lr·(g + wd·p)", "p ← p − lr·g + wd·p")),
        one("g", "the weight decay is ignored", "No regularisation, whatever weight_decay says."),
        one("g + 2 * weight_decay * p", "the L2 term counts twice", "The penalty is wd·‖p‖² in place of ½·wd·‖p‖²."),
        one("g + lr * weight_decay * p", "the L2 term is multiplied by the learning rate", "There is practically no decay."),
        one("g + weight_decay * sign(p)", "the L2 term is the sign of p: it is L1", "Small weights are driven through zero."),
        one("g + weight_decay", "p is missing in the L2 term", "All weights drift downwards."),
        one("g * (1 + weight_decay)", "the decay multiplies the gradient and not the parameter", "A longer step, and no decay."),
        one((put("g", "g"), after("p", "p = p - lr * weight_decay * p")), "the decay comes after the step, of the parameters as they are then", "A difference of lr²·wd a step: visible only beside a reference."),
    ]  # fmt: skip


def amsgrad() -> list[Mistake]:
    """What AMSGrad adds."""
    look = "After a spike in the gradient, may the denominator fall again?"
    one = "amsgrad"
    return [
        M(one, "v_max", "s.v", "the maximum is missing: it is Adam", "A rare large gradient is forgotten, which AMSGrad is there to prevent.", look),
        M(one, "v_max", "minimum(s.v_max, s.v)", "the minimum is kept in place of the maximum", "The denominator stays at 0: steps are divided by eps alone.", look),
        M(one, "v_max", "maximum(beta2 * s.v_max, s.v)", "the maximum is allowed to decay", "Large gradients are forgotten after all.", look),
        M(one, "v_max", "maximum(s.v_max, g**2)", "the maximum is taken of g² and not of its mean", "One noisy gradient slows the run for good.", look),
        M(one, "v_max", (after("v_max", "s.v = s.v_max"),), "the maximum is written back into the second moment", "The second moment never falls and grows with every large gradient.", look),
        M(one, "v_max", (before("v", "s.v_max = maximum(s.v_max, s.v)"), put("v_max", "s.v_max")), "the maximum is taken before the second moment is renewed", "The first step is divided by eps alone.", "In which order are v and its maximum renewed?"),
        M(one, "v_hat", "s.v_max", "the maximum is not corrected", "The first steps are up to 1/√(1 − β2) ≈ 30 times too long.", "Does the maximum need the correction for a zero start?"),
        M(one, "v_hat", "s.v_max / (1 - s.k1)", "the maximum is corrected with β1", "The first step is √((1 − β1)/(1 − β2)) times too long.", "Which β belongs to which moment?"),
        M(one, "v_hat", "s.v_max / (1 - s.k2)**2", "the maximum is corrected twice", "The first steps are too short.", "Does the maximum need the correction for a zero start?"),
        M(one, "v_hat", "s.v_max / (1 - beta2)", "the maximum is divided by 1 − β2 in place of 1 − β2ᵗ", "Steps shrink to √(1 − β2) of what they should be.", "What is t in the correction?"),
    ]  # fmt: skip


def adamax() -> list[Mistake]:
    """What Adamax has in the place of a second moment."""
    look = "Look at the line for u: what decays, what is compared with it?"
    one = "adamax"
    return [
        M(one, "u", "maximum(s.u, abs(g) + eps)", "the maximum does not decay", "One large gradient slows the run for good.", look),
        M(one, "u", "maximum(beta1 * s.u, abs(g) + eps)", "the maximum decays with β1", "The denominator forgets within ten steps.", look),
        M(one, "u", "maximum(beta2 * s.u, g + eps)", "the maximum is taken of g and not of |g|", "Negative gradients are divided by what is left of the positive ones.", look),
        M(one, "u", "maximum(beta2 * s.u, g**2 + eps)", "the maximum is taken of g² and not of |g|", "Steps depend on the gradient's scale.", look),
        M(one, "u", "maximum(beta2 * s.u, (1 - beta2) * abs(g) + eps)", "|g| is weighted by 1 − β2", "The denominator is 1/(1 − β2) times too small.", look),
        M(one, "u", "beta2 * s.u + (1 - beta2) * abs(g) + eps", "a running mean stands in place of the maximum", "The denominator starts far too small.", look),
        M(one, "u", "beta2 * maximum(s.u, abs(g) + eps)", "β2 multiplies the new gradient too", "Steps are 1/β2 times too long.", look),
        M(one, "u", "maximum(beta2 * s.u, abs(g))", "ε is left out", "A gradient that is exactly zero from the start gives 0/0.", look),
        M(one, "u", "minimum(beta2 * s.u, abs(g) + eps)", "the minimum stands in place of the maximum", "The denominator stays at 0.", look),
        M(one, "p", (before("start", "s.k2 = beta2 * s.k2"), put("p", "p - lr * m_hat / (s.u / (1 - s.k2))")), "the maximum is corrected for a zero start, which it does not have", "The first steps are 1 − β2 of what they should be.", "Is a maximum that starts at 0 too small?", slots={"k2": POWER("beta2")}),
        M(one, "p", "p - lr * m_hat / sqrt(s.u)", "a root is taken of the maximum", "Steps depend on the gradient's scale.", "u has the units of g already."),
        M(one, "p", "p - lr * m_hat / (s.u + eps)", "ε is added twice, inside the maximum and outside", "Small gradients are damped at twice the size meant.", look),
        M(one, "p", "p + lr * m_hat / s.u", "the step has the wrong sign", "It climbs.", "Descent goes against the gradient."),
        M(one, "p", "p - m_hat / s.u", "the step is not multiplied by the learning rate", "lr does nothing.", "Where is lr?"),
        M(one, "p", "p - lr * g / s.u", "the gradient stands where its mean should", "There is no momentum.", "Which quantity carries the momentum?"),
        M(one, "p", "p - lr * m_hat", "the step is not divided by the maximum", "It is plain momentum.", "Where is u used?"),
    ]  # fmt: skip


def nadam() -> list[Mistake]:
    """What NAdam adds."""
    one = "nadam"
    look = "Two momenta act in one step: μ_t on the gradient, μ_{t+1} on the mean."
    return [
        M(one, "mu", "beta1", "the warm-up of the momentum is missing in μ_t", "The look-ahead is at full strength from the first step.", look),
        M(one, "mu_next", "mu", "μ_t stands where μ_{t+1} should", "The look-ahead is one step behind.", look),
        M(one, "mu", "beta1 * (1 - s.q)", "the factor ½ is missing in the warm-up of μ", "The first momenta are near 0 in place of β1/2.", look),
        M(one, "mu_product", "mu", "the product of the μ is not kept: μ alone stands in its place", "The correction never fades.", "What replaces β1ᵗ when β1 changes from step to step?"),
        M(one, "mu_product", (before("start", "s.n = s.n + 1"), put("mu_product", "mu**s.n")), "μₜᵗ stands where the product of all μ should", "The correction is that of a μ that was the same in every step.", "What replaces β1ᵗ when β1 changes from step to step?", slots={"n": COUNT}),
        M(one, "mu_product", "mu**2 * s.mu_product", "each μ enters the product twice", EARLY, "How often is μ_t multiplied in?"),
        M(one, "m_hat", "mu_next * s.m / (1 - s.mu_product)", "the mean is corrected with the product up to t and not t + 1", EARLY, look),
        M(one, "m_hat", "mu_next * s.m", "the mean is not corrected", EARLY, look),
        M(one, "m_hat", "s.m / (1 - mu_next * s.mu_product)", "the mean is not multiplied by μ_{t+1}", "Steps are too long by about (1 − β1) of the gradient.", look),
        M(one, "g_hat", "g / (1 - s.mu_product)", "the gradient is not multiplied by 1 − μ_t", "The look-ahead counts ten times too much.", look),
        M(one, "g_hat", "(1 - mu) * g", "the gradient is not corrected", EARLY, look),
        M(one, "g_hat", "(1 - mu) * g / (1 - mu_next * s.mu_product)", "the gradient is corrected with the product up to t + 1", EARLY, look),
        M(one, "g_hat", "0.0 * g", "the look-ahead is missing: the gradient itself does not enter", "It is Adam with steps β1 times as long.", look),
        M(one, "g_hat", "(1 - beta1) * g / (1 - s.mu_product)", "the gradient is weighted by 1 − β1 and not by 1 − μ_t", "The look-ahead is too weak at first.", look),
    ]  # fmt: skip


def radam() -> list[Mistake]:
    """What RAdam adds."""
    one = "radam"
    look = "Compute ρ_t and r_t by hand for t = 6 and β2 = 0.9."
    return [
        M(one, "rho_inf", "2 / (1 - beta2)", "ρ_∞ lacks its −1", "The rectification starts at another step and is slightly off.", look),
        M(one, "rho_inf", "1 / (1 - beta2) - 1", "ρ_∞ has 1 where 2 belongs", "The rectification comes too late and is too weak.", look),
        M(one, "rho", "rho_inf - s.t * s.k2 / (1 - s.k2)", "the factor 2 is missing in ρ_t", "The second moment is trusted too early.", look),
        M(one, "rho", "rho_inf - 2 * s.t * s.k1 / (1 - s.k1)", "ρ_t uses β1", "The second moment is trusted too early.", look),
        M(one, "rho", "rho_inf - 2 * s.k2 / (1 - s.k2)", "the step count is missing in ρ_t", "The second moment is trusted at another step.", look),
        M(one, "rho", "rho_inf - 2 * s.t / (1 - s.k2)", "β2ᵗ is missing in ρ_t", "It stays plain momentum.", look),
        M(one, "top", "maximum((rho - 4) * (rho - 2), 0.0)", "ρ_∞ is missing in the numerator of r", "Steps are far too short.", look),
        M(one, "top", "maximum((rho - 4) * rho_inf, 0.0)", "ρ_t − 2 is missing in the numerator of r", "Steps are far too short.", look),
        M(one, "r", "1.0", "the rectification r is missing", "Early adaptive steps have full length, which RAdam is there to prevent.", look),
        M(one, "r", "top / maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1e-9)", "the root is missing in r", "Early steps are too short.", look),
        M(one, "r", "sqrt(maximum((rho_inf - 4) * (rho_inf - 2) * rho, 1e-9) / maximum(top, 1e-9))", "r is inverted", "Early steps are too long, the opposite of a warm-up.", look),
        M(one, "early", "g", "before the variance is tractable the gradient is used and not its mean", "The first steps are plain SGD.", "What is done before ρ_t passes the threshold?"),
        M(one, "early", "s.m", "before the variance is tractable the mean is not corrected", "The first steps are too short.", "What is done before ρ_t passes the threshold?"),
        M(one, "p", "p - lr * where(rho > threshold, m_hat / root, early)", "r is not used in the step", "Early adaptive steps have full length.", "Where is r used?"),
        M(one, "p", "p - lr * r * m_hat / root", "there is no choice before the variance is tractable: r is used always", "The first steps do nothing.", "What is done before ρ_t passes the threshold?"),
        M(one, "p", "p + lr * where(rho > threshold, r * m_hat / root, early)", "the step has the wrong sign", "It climbs.", "Descent goes against the gradient."),
        M(one, "root", "sqrt(s.v) + eps", "the second moment is not corrected", "Steps are too long once they adapt.", "Is v corrected for its zero start?"),
        M(one, "root", "sqrt(s.v / (1 - s.k2) + eps)", "ε stands inside the root", "Small gradients are damped far too early.", "Where does ε stand?"),
        M(one, "root", "sqrt(s.v / (1 - s.k2))", "ε is left out", "A gradient that is exactly zero gives 0/0.", "Where does ε stand?"),
        M(one, "root", "(sqrt(s.v) + eps) / sqrt(1 - s.k1)", "the second moment is corrected with β1", "Steps are too long once they adapt.", "Which β belongs to which moment?"),
        M(one, "m_hat", "s.m", "the first moment is not corrected", EARLY, "Is m corrected for its zero start?"),
        M(one, "m_hat", "s.m / (1 - s.k2)", "the first moment is corrected with β2", "The first steps are far too long.", "Which β belongs to which moment?"),
    ]  # fmt: skip


def lamb() -> list[Mistake]:
    """What LAMB adds."""
    one = "lamb"
    look = "The trust ratio is ‖p‖/‖u‖, one number per array."
    return [
        M(one, "p", (put("u", "r"), put("p", "p - lr * trust * u - lr * weight_decay * p", 1)), "the decay stands outside the trust ratio, beside the step", "Weights shrink at a pace of their own, and the ratio does not see it; Keras decays first and then takes ‖p‖.", look, needs=("weight_decay",)),
        M(one, "p", (put("r", "s.m / (sqrt(s.v) + eps)"), put("u", "r"), put("p", "p - lr * weight_decay * p", 0), put("trust", "where(a > 0, where(b > 0, minimum(a, 10.0) / (b + eps), 1.0), 1.0)"), put("p", "p - lr / (1 - s.k1) * trust * u", 1)), "the correction for the zero start multiplies the step after the trust ratio has set its length", "The first step is 1/(1 − β1) = 10 times lr·‖p‖: the ratio has made the size of the moments cancel already.", "How long should the first step on an array be, in units of ‖p‖?"),
        M(one, "trust", "1.0", "the trust ratio is missing", "It is AdamW: large batches lose their stability.", look),
        M(one, "trust", "where(a > 0, where(b > 0, b / maximum(a, 1e-30), 1.0), 1.0)", "the trust ratio is inverted", "Small arrays get enormous steps.", look),
        M(one, "trust", "where(a > 0, where(b > 0, a / (b + eps), 1.0), 1.0)", "ε is added to the norm of the update", "Steps are slightly too short where the update is small.", look),
        M(one, "trust", "minimum(where(a > 0, where(b > 0, a / maximum(b, 1e-30), 1.0), 1.0), 1.0)", "the trust ratio is clipped at 1", "Large arrays move too slowly.", look),
        M(one, "trust", "where(b > 0, a / maximum(b, 1e-30), 1.0)", "an array at zero has trust ratio 0", "Arrays that start at zero never move.", "What if ‖p‖ is zero?"),
        M(one, "a", "norm(p)**2", "the norm of the parameters is squared", "Steps grow with the square of the weights.", look),
        M(one, "a", "total(abs(p))", "the norm of the parameters is a sum of |p|", "The ratio grows with the number of entries.", look),
        M(one, "a", "rms(p)", "the norm of the parameters is a root mean square", "Steps are 1/√n times too short.", look),
        M(one, "a", "norm(g)", "the norm of the gradient stands for that of the parameters", "Steps grow with the gradient again.", look),
        M(one, "b", "norm(g)", "the norm of the gradient stands for that of the update", "Steps depend on the gradient's scale.", look),
        M(one, "b", "norm(u)**2", "the norm of the update is squared", "Steps are the wrong length for arrays of many entries.", look),
        M(one, "b", "norm(m_hat)", "the norm of the mean gradient stands for that of the update", "Steps depend on the gradient's scale.", look),
        M(one, "b", "norm(r)", "the decay is left out of the norm of the update", "Steps are slightly too long where there is decay.", look, needs=("weight_decay",)),
        M(one, "u", "r", "the weight decay is ignored", "No regularisation.", "Where does the decay enter?", needs=("weight_decay",)),
        M(one, "u", "r - weight_decay * p", "the decay has the wrong sign", "Weights grow.", "Where does the decay enter?", needs=("weight_decay",)),
        M(one, "u", "r + lr * weight_decay * p", "the decay is multiplied by the learning rate twice", "There is practically no decay.", "Where does the decay enter?", needs=("weight_decay",)),
        M(one, "g", (before("start", "g = g + weight_decay * p"), put("u", "r")), "the decay is L2: it is added to the gradient", "The decay is divided by √v̂.", "Where does the decay enter?", needs=("weight_decay",)),
        M(one, "p", "p - trust * u", "the step is not multiplied by the learning rate", "lr does nothing.", "Where is lr?", occurrence=1),
        M(one, "p", "p + lr * trust * u", "the step has the wrong sign", "It climbs.", "Descent goes against the gradient.", occurrence=1),
        M(one, "p", "p - lr * trust * r", "the update without decay is what is applied", "The decay acts on the trust ratio alone.", "Which vector is applied?", occurrence=1, needs=("weight_decay",)),
        M(one, "r", "m_hat / sqrt(v_hat + eps)", "ε stands inside the root", "Small gradients are damped far too early.", "Where does ε stand?"),
        M(one, "r", "m_hat / (v_hat + eps)", "the root of the second moment is missing", "Entries of small gradient dominate the step.", "Where is the root?"),
        M(one, "r", "m_hat / maximum(sqrt(v_hat), 1e-30)", "ε is left out", "A gradient that is exactly zero gives 0/0.", "Where does ε stand?"),
        M(one, "r", "g / (sqrt(v_hat) + eps)", "the gradient stands where its mean should", "There is no momentum.", "Which quantity carries the momentum?"),
        M(one, "r", "m_hat", "the update is not divided by the root of the second moment", "It is LARS with momentum.", "Where is v used?"),
    ]  # fmt: skip


def moment_mistakes() -> list[Mistake]:
    """All of them."""
    found: list[Mistake] = []
    found += first_moment("adam") + second_moment("adam") + corrections("adam") + update("adam") + coupled("adam")
    found += first_moment("adamw") + second_moment("adamw") + corrections("adamw") + update("adamw", occurrence=1)
    found += decoupled("adamw")
    found += first_moment("amsgrad") + second_moment("amsgrad") + corrections("amsgrad", v=False) + amsgrad()
    found += [m for m in update("amsgrad") if "sign of the mean" not in m.name]
    found += first_moment("nadam") + second_moment("nadam") + corrections("nadam", m=False) + nadam()
    found += [m for m in update("nadam", num="(m_hat + g_hat)") if m.name != "the gradient stands where its mean should"]
    found += first_moment("radam") + second_moment("radam") + radam()
    found += first_moment("adamax") + corrections("adamax", v=False) + adamax()
    found += first_moment("lamb") + second_moment("lamb") + corrections("lamb") + lamb()
    found += coupled("amsgrad") + coupled("nadam") + coupled("radam") + coupled("adamax")
    # NAdam has no running power of β1 to tell its first step by
    return [m for m in found if not (m.rule == "nadam" and any("s.k1" in c.source for c in m.changes))]
