"""Known mistakes that show after hundreds of steps only: counters that overflow, powers that underflow, states that start anew."""

# ruff: noqa: E501  (a table: one entry a line)
from __future__ import annotations

from dataclasses import replace

from descend.check.mistake import M, Mistake, before, put
from descend.rules import COUNT, OPTIMIZERS

__all__ = ["RESETS", "late_mistakes"]

#: How often people begin anew: a hundred, a power of two, an epoch.
RESETS = (100, 128, 256, 500, 512, 1000, 1024)
#: What a rule remembers, and the running powers of its corrections, with the right and the wrong line for a count of steps.
MEMORY = {
    "momentum": ("b",), "nesterov": ("b",), "rmsprop": ("v",), "adagrad": ("v",), "adam": ("m", "v"), "adamw": ("m", "v"),
    "amsgrad": ("m", "v", "v_max"), "adamax": ("m", "u"), "nadam": ("m", "v"), "radam": ("m", "v"), "lion": ("m",), "lamb": ("m", "v"),
}  # fmt: skip
BOTH = ("adam", "adamw", "lamb")
COUNTED = "s.n = s.n + 1"
LOOK = "Run it for a thousand steps of one constant gradient: where does the path break?"


def late_mistakes() -> list[Mistake]:
    """All of them."""
    found: list[Mistake] = []
    for rule, slots in MEMORY.items():
        found += [_reset(rule, slots, n) for n in RESETS]
    for rule in (*BOTH, "amsgrad", "adamax"):
        found += _counters(rule) + _powers(rule)
    return found


def _written(mistake: Mistake, expected: str, yours: str) -> Mistake:
    return replace(mistake, written=(expected, yours), late=True)


def _reset(rule: str, slots: tuple[str, ...], n: int) -> Mistake:
    zeros = "\n".join(f"s.{name} = where(s.n % {n} == 0, 0.0 * s.{name}, s.{name})" for name in slots)
    powers = [name for name, slot in OPTIMIZERS[rule].slots.items() if slot.power_of]
    one = M(
        rule, slots[0], (before("start", f"{zeros}\n{COUNTED}"),), f"the state is set back to zero every {n} steps",
        "The memory is lost again and again" + (": steps shrink each time while the corrections stay near 1." if powers else "."), LOOK,
        slots={"n": COUNT},
    )  # fmt: skip
    kept = ", ".join(slots)
    return _written(
        one,
        f"{kept} are kept as long as the run lasts" if len(slots) > 1 else f"{kept} is kept as long as the run lasts",
        f"{kept} ← 0 every {n} steps",
    )


def _counters(rule: str) -> list[Mistake]:
    """t in the corrections, as a small integer or an epoch's own count has it."""
    kinds = [
        ("(s.n % 256)", "the step count holds 8 bits without a sign and starts again at 0 after 255", "At step 256 t is 0: the corrections divide by zero, and everything is NaN.", "t ← (t + 1) mod 256"),
        ("((s.n + 128) % 256 - 128)", "the step count holds 8 bits and becomes −128 after 127", "At step 128 the corrections are negative: the root gives NaN, or the step turns round.", "t ← t + 1 in 8 bits: 127 + 1 = −128"),
        *(
            (f"((s.n - 1) % {n} + 1)", f"the step count starts again at 1 every {n} steps", "The corrections blow the steps up again at every restart, while the moments are already warm.", f"t ← 1 every {n} steps")
            for n in RESETS
        ),
    ]  # fmt: skip
    found = []
    for count, name, consequence, yours in kinds:
        changes = [before("start", COUNTED), put("m_hat", f"s.m / (1 - beta1**{count})")]
        if rule != "adamax":
            changes.append(put("v_hat", f"{'s.v_max' if rule == 'amsgrad' else 's.v'} / (1 - beta2**{count})"))
        one = M(rule, "t", tuple(changes), name, consequence, LOOK, slots={"n": COUNT})
        found.append(_written(one, "t ← t + 1", yours))
    return found


def _powers(rule: str) -> list[Mistake]:
    """Sums that grow as 1/βᵗ: right until the power underflows."""
    found = []
    for slot, beta, power, new in (("m", "beta1", "s.k1", "g"), ("v", "beta2", "s.k2", "g**2")):
        if slot == "v" and rule == "adamax":
            continue
        b = beta.replace("beta1", "β₁").replace("beta2", "β₂")
        source = f"({beta} * s.{slot} + (1 - {beta}) * {new}) * where({power} * {beta} == 0, 0.0 / ({power} * {beta}), 1.0)"
        name = f"the {'first' if slot == 'm' else 'second'} moment is written with {b}⁻ᵗ, which overflows"
        said = f"Right until {b}ᵗ is below 10⁻³⁰⁸; then 0 · ∞: everything is NaN."
        square = "²" if slot == "v" else ""
        one = M(rule, slot, source, name, said, LOOK, overflows=True)
        found.append(
            _written(one, f"{slot} ← {b}·{slot} + (1 − {b})·g{square}", f"S ← S + (1 − {b})·g{square}/{b}ᵗ; {slot} = {b}ᵗ·S")
        )
    return found
