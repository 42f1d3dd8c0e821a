"""torch's own optimizer inputs (`optim_db`) and how each is answered here; `docs/parity.md` shows the table."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.testing._internal.common_optimizers import optim_db

from descend.errors import DescendError
from descend.torch import as_optimizer, rule_of

#: Classes of torch.optim that no rule here follows, with the reason.
NOT_HERE = {
    "LBFGS": "evaluates the loss several times within a step; descend uses scipy's L-BFGS as its reference",
    "SparseAdam": "takes sparse gradients alone; rules here move dense arrays",
}
#: Equal only when a choice of torch's implementation is taken out of it.
WITH_REASON = {"Muon": "equal with torch's rounding to bfloat16 inside Newton–Schulz taken out; 0.7 to 1.2% apart with it"}

#: Errors of torch that are none here: description of the input -> why.
ACCEPTED = {
    "lr as Tensor doesn't work with foreach & not capturable": "a rate given as a tensor is read as a number at each step",
    "betas must be either both floats or both Tensors": "each β given as a tensor is read as a number",
    r"betas\[0\] as a Tensor is not supported for capturable=False and foreach=True": "each β given as a tensor is a number",
}
#: Errors about the list of parameters, which `torch.optim.Optimizer`, our base class, finds itself.
BY_BASE = {
    "invalid param type",
    "a param group cannot have duplicate parameters",
    "duplicate parameters should not occur across param groups either",
    "all optimizer params should be with/without names",
    "all optimizer param groups should be with/without names.",
}


@dataclass(frozen=True)
class Case:
    """One input of torch's list."""

    cls: type[torch.optim.Optimizer]
    number: int
    desc: str
    input: Any
    error: Any = None

    @property
    def id(self) -> str:
        return f"{self.cls.__name__}-{self.number}-{self.desc}"


def inputs() -> Iterator[Case]:
    """The inputs that torch runs on a CPU. Rates given as tensors are made in float64: torch computes with them as they are."""
    kept = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    items = [(info.optim_cls, info.optim_inputs_func(device="cpu")) for info in optim_db]
    torch.set_default_dtype(kept)
    for cls, listed in items:
        for number, item in enumerate(listed):
            yield Case(cls, number, item.desc, item)


def error_inputs() -> Iterator[Case]:
    """The inputs that torch refuses."""
    for info in optim_db:
        for number, item in enumerate(info.optim_error_inputs_func(device="cpu", dtype=torch.float64)):
            yield Case(info.optim_cls, number, item.optimizer_error_input.desc, item.optimizer_error_input, item)


def expected(case: Case) -> str:
    """Who answers an input that torch refuses: "descend", "torch's base class", "a warning" or "accepted"."""
    if case.cls.__name__ in NOT_HERE:
        return "descend"
    if case.desc in ACCEPTED:
        return "accepted"
    if case.desc == "a param group cannot have duplicate parameters":
        return "a warning"
    return "torch's base class" if case.desc in BY_BASE else "descend"


def answered(case: Case) -> tuple[str, str]:
    """Who answers it indeed, and the sentence."""
    params = case.input.params
    if params is None:
        params = [torch.nn.Parameter(torch.ones(2, 3, dtype=torch.float64))]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            optimizer = as_optimizer(rule_of(case.cls, **case.input.kwargs), params)
            for group in optimizer.param_groups:
                for p in group["params"]:
                    p.grad = torch.ones_like(p)
            optimizer.step()
        except DescendError as error:
            return "descend", str(error)
        except (TypeError, ValueError) as error:
            return "torch's base class", str(error)
    if caught:
        return "a warning", str(caught[0].message)
    return "accepted", ACCEPTED.get(case.desc, "no answer")


def rendered() -> str:
    """`docs/parity.md`."""
    lines = [
        "# Parity with torch.optim",
        "",
        "Written by `scripts/render_parity`; the tests in `tests/adapters` run every row.",
        "",
        "## Inputs",
        "",
        "torch's own list of optimizer inputs, on the CPU: parameters after 12 changing gradients in float64, the largest",
        "difference divided by the largest displacement; and the state, entry by entry. torch keeps ASGD's eta and NAdam's",
        "product in its default number type, which is set to float64 for the comparison.",
        "",
        "| torch.optim | input | rule here | answer |",
        "|---|---|---|---|",
    ]
    for case in inputs():
        name = case.cls.__name__
        if name in NOT_HERE:
            rule, answer = "none", NOT_HERE[name]
        else:
            rule, answer = f"`{rule_of(case.cls, **case.input.kwargs).name}`", WITH_REASON.get(name, "equal to 1e-12")
        lines.append(f"| {name} | {case.desc} | {rule} | {answer} |")
    lines += ["", "## Inputs that torch refuses", "", "| torch.optim | input | answered by | sentence |", "|---|---|---|---|"]
    for case in error_inputs():
        who, sentence = answered(case)
        desc = case.desc.replace("\\", "")
        lines.append(f"| {case.cls.__name__} | {desc} | {who} | {sentence} |")
    return "\n".join(lines) + "\n"
