"""A rule read from its own source: its equations as mathematics, its intermediate values, and the same rule with one changed.

Nothing about a rule is written down twice. What is printed, what a checker compares and what a mistake swaps are the lines
of the function themselves.
"""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

from descend.errors import DescendError
from descend.grouping import Groups
from descend.rules import COMMON, Optimizer, Rule, Slots

__all__ = ["Equation", "equations", "intermediate", "latex", "lines", "swap"]

Hyper = Mapping[str, Any]


@dataclass(frozen=True)
class Equation:
    """One assignment of a rule: `target` is what it defines, `slot` whether that is carried to the next step."""

    target: str
    slot: bool
    node: ast.expr
    hidden: bool = False

    @property
    def source(self) -> str:
        """The right-hand side as it stands in the function, and as `swap` takes it."""
        return ast.unparse(self.node)

    def text(self, powers: Mapping[str, str] | None = None) -> str:
        """The equation in Unicode: ← where something carried is renewed, = where a name is given."""
        arrow = "←" if self.slot or self.target in ("p", "g") else "="
        return f"{_name(self.target)} {arrow} {_Unicode(powers or {}).write(self.node)}"


@lru_cache(maxsize=512)
def _function_ast(rule: Rule) -> ast.FunctionDef:
    source = getattr(rule.function, "__descend_source__", None) or inspect.getsource(rule.function)
    module = ast.parse(textwrap.dedent(source))
    definition = module.body[0]
    assert isinstance(definition, ast.FunctionDef)
    definition.decorator_list = []
    return definition


def equations(rule: Rule, values: Hyper | None = None) -> list[Equation]:
    """The equations of a rule in order. With `values`, those that hold for them: structure is decided, dead terms are gone.

    >>> from descend.optimizers import momentum
    >>> [e.text() for e in equations(momentum, {"dampening": 0.0})]
    ['b ← β·b + g', 'p ← p − lr·b']
    """
    found = [_equation(rule, statement) for statement in _function_ast(rule).body if isinstance(statement, ast.Assign)]
    return found if values is None else _specialise(rule, found, values)


def lines(optimizer: Optimizer | Rule) -> list[str]:
    """The update as lines of Unicode mathematics, shared options such as weight decay included; of groups, each under its name.

    >>> from descend.optimizers import adam
    >>> lines(adam())[0], lines(adam())[-1]
    ('m ← β₁·m + (1 − β₁)·g', 'p ← p − lr·m̂/(√v̂ + ε)')
    """
    bound = optimizer() if isinstance(optimizer, Rule) else optimizer
    if isinstance(bound, Groups):
        return [f"{key}: {line}" for key, member in bound.members.items() for line in lines(member)]
    powers = _powers(bound.rule)
    return [e.text(powers) for e in _around(bound) + equations(bound.rule, bound.values) if not e.hidden]


def latex(optimizer: Optimizer | Rule) -> list[str]:
    """The update as lines of LaTeX, with the step as an index; shared options and groups as in `lines`.

    The gradient is g where nothing changes it before the rule, and ∇f where an option such as weight decay makes g of it.

    >>> from descend.optimizers import sgd
    >>> latex(sgd())
    ['p_{t} = p_{t-1} - \\\\mathrm{lr} \\\\, g_{t}']
    """
    bound = optimizer() if isinstance(optimizer, Rule) else optimizer
    if isinstance(bound, Groups):
        return [rf"\text{{{key}: }} {line}" for key, member in bound.members.items() for line in latex(member)]
    rule, written = bound.rule, []
    found = _around(bound) + equations(rule, bound.values)
    given = any(e.target == "g" for e in found)
    primes = {"g": 0} if given else {}  # of what was renewed and will be renewed again in the same step: one for each time
    renewed: set[str] = set()
    for place, equation in enumerate(found):
        again = any(later.target == equation.target for later in found[place + 1 :])
        count = primes.get(equation.target, 0) + 1 if again else 0
        if not equation.hidden:
            right = _Latex(rule, renewed, primes, raw=given).write(equation.node)
            left = _latex_name(equation.target, "t" if _indexed(rule, equation.target) else None, primes=count)
            written.append(f"{left} = {right}")
        renewed.add(equation.target)
        primes[equation.target] = count
    return written


def intermediate(rule: Rule, g: Any, p: Any, slots: Slots, hyper: Hyper) -> dict[str, Any]:
    """Every quantity one step defines, by name: slots under their own, the parameter under `p`.

    >>> import numpy as np
    >>> from descend.optimizers import adam
    >>> opt = adam(lr=0.1)
    >>> s = {"m": np.zeros(1), "v": np.zeros(1), "k1": 1.0, "k2": 1.0}
    >>> float(intermediate(adam, np.array([2.0]), np.array([1.0]), s, opt.values)["v_hat"][0])
    4.0
    """
    if rule.sums:
        raise DescendError(f"{rule.name} sums over all arrays; its intermediate values need them all")
    space = SimpleNamespace(**(dict.fromkeys(rule.slots, 0.0) | slots))
    names = _with_locals(rule)(g, p, space, **hyper)
    return {k: v for k, v in names.items() if k not in hyper and k != "s"} | vars(space)


def swap(rule: Rule, target: str, source: str, *, name: str | None = None, occurrence: int = 0) -> Rule:
    """The same rule with one equation changed: what `target` is assigned becomes `source`.

    `source` is Python over the same names, such as `"s.v / (1 - s.k1)"`. The result is not entered in the registry.

    >>> import numpy as np
    >>> from descend.optimizers import adam
    >>> wrong = swap(adam, "v_hat", "s.v / (1 - s.k1)")(lr=1.0)
    >>> p, state = wrong.step(np.zeros(1), np.ones(1), wrong.init(np.zeros(1)))
    >>> round(float(-p[0]), 4)
    10.0
    """
    definition = copy.deepcopy(_function_ast(rule))
    matching = [s for s in definition.body if isinstance(s, ast.Assign) and _target(s.targets[0])[0] == target]
    if occurrence >= len(matching):
        known = ", ".join(dict.fromkeys(e.target for e in equations(rule)))
        raise DescendError(f"{rule.name} has no equation for {target!r}; it has {known}")
    matching[occurrence].value = ast.parse(source, mode="eval").body
    return rebuilt(rule, definition, name or f"{rule.name}_changed")


def rebuilt(rule: Rule, definition: ast.FunctionDef, name: str) -> Rule:
    """A rule compiled from a changed syntax tree, with everything else as it was."""
    from dataclasses import replace

    definition = ast.fix_missing_locations(definition)
    definition.returns = None
    for argument in (*definition.args.args, *definition.args.kwonlyargs):
        argument.annotation = None
    source = ast.unparse(definition)
    function = _compiled(rule, source, definition.name)
    function.__descend_source__ = source
    return replace(rule, name=name, function=function)


def _compiled(rule: Rule, source: str, name: str) -> Any:
    scope = dict(rule.function.__globals__)
    exec(compile(source, f"<rule {rule.name}>", "exec"), scope)  # our own source, never a user's text
    return scope[name]


@lru_cache(maxsize=512)
def _with_locals(rule: Rule) -> Any:
    definition = copy.deepcopy(_function_ast(rule))
    definition.body[-1] = ast.Return(ast.Call(ast.Name("locals", ast.Load()), [], []))
    return rebuilt(rule, definition, rule.name).function


# -- reading --------------------------------------------------------------------------------------------------------------


def _target(node: ast.expr) -> tuple[str, bool]:
    if isinstance(node, ast.Attribute):
        return node.attr, True
    if isinstance(node, ast.Name):
        return node.id, False
    return ast.unparse(node), False


def _equation(rule: Rule, statement: ast.Assign) -> Equation:
    target, slot = _target(statement.targets[0])
    hidden = slot and rule.slots[target].power_of is not None
    return Equation(target, slot, statement.value, hidden)


def _powers(rule: Rule) -> dict[str, str]:
    powers = {name: slot for name, slot in rule.slots.items() if slot.power_of}
    return {n: f"{_name(s.power_of)}ᵗ" if s.base is None else f"{s.base:g}^({_name(s.power_of)}·t)" for n, s in powers.items()}


def _specialise(rule: Rule, found: list[Equation], values: Hyper) -> list[Equation]:
    """Equations with structure decided: conditionals chosen, terms that are 0 dropped, then whatever nothing reads."""
    full = {name: h.default for name, h in rule.hyperparameters.items()} | dict(values)
    known: dict[str, Any] = {n: full[n] for n, h in rule.hyperparameters.items() if h.structural}
    known |= {n: 0 for n in full if isinstance(full[n], int | float) and full[n] == 0}
    constants: dict[str, Any] = {}
    for name, slot in rule.slots.items():
        if isinstance(slot.when, str) and not slot.kept(None, full):
            constants[name] = 0
    for equation in found:  # a number that is renewed to what it started as is a constant
        slot_of = rule.slots.get(equation.target)
        if equation.slot and slot_of is not None and slot_of.shape == "scalar" and slot_of.power_of is None:
            folded = _Fold(known, constants).visit(copy.deepcopy(equation.node))
            if isinstance(folded, ast.Constant) and folded.value == slot_of.fill:
                constants[equation.target] = folded.value
    kept: list[Equation] = []
    gone: dict[str, Any] = dict(constants)
    alias: dict[str, ast.expr] = {}
    for equation in found:
        node = _Fold(known | alias, gone).visit(copy.deepcopy(equation.node))
        if not equation.slot and equation.target not in ("p", "g") and isinstance(node, ast.Name | ast.Attribute):
            alias[equation.target] = node  # a name for a name says nothing
            continue
        if equation.target == "p" and isinstance(node, ast.Name) and node.id == "p":
            continue
        if equation.slot and equation.target in constants:
            if constants[equation.target] != 0 or isinstance(node, ast.Constant):
                continue
            gone.pop(equation.target, None)  # a slot not kept is an ordinary name from here on
            kept.append(Equation(equation.target, False, node, equation.hidden))
        else:
            kept.append(Equation(equation.target, equation.slot, node, equation.hidden))
    return _without_dead(kept)


def _without_dead(found: list[Equation]) -> list[Equation]:
    alive: list[Equation] = []
    wanted = {"p"} | {e.target for e in found if e.slot}
    for equation in reversed(found):
        if equation.target in wanted or equation.target.startswith("("):
            alive.append(equation)
            wanted |= {n.id for n in ast.walk(equation.node) if isinstance(n, ast.Name)}
            wanted |= {n.attr for n in ast.walk(equation.node) if isinstance(n, ast.Attribute)}
    return alive[::-1]


class _Fold(ast.NodeTransformer):
    """Replace what is known, then carry out additions of 0, products with 0 and 1, and choices already made."""

    def __init__(self, names: Mapping[str, Any], slots: Mapping[str, Any]) -> None:
        self.names, self.slots = names, slots

    def visit_Name(self, node: ast.Name) -> ast.expr:
        value = self.names.get(node.id, node)
        return value if isinstance(value, ast.expr) else ast.Constant(value)

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        return ast.Constant(self.slots[node.attr]) if node.attr in self.slots else node

    def visit_IfExp(self, node: ast.IfExp) -> Any:
        test = self.visit(node.test)
        try:
            chosen = eval(compile(ast.Expression(ast.fix_missing_locations(test)), "<test>", "eval"), {"__builtins__": {}})
        except NameError:
            return ast.IfExp(test, self.visit(node.body), self.visit(node.orelse))
        return self.visit(node.body if chosen else node.orelse)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Any:
        operand = self.visit(node.operand)
        if isinstance(node.op, ast.USub) and _number(operand) == 0:
            return operand
        return ast.UnaryOp(node.op, operand)

    def visit_BinOp(self, node: ast.BinOp) -> Any:
        left, right, op = self.visit(node.left), self.visit(node.right), node.op
        a, b = _number(left), _number(right)
        if isinstance(op, ast.Add | ast.Sub):
            if b == 0:
                return left
            if a == 0:
                return right if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), right)
        elif isinstance(op, ast.Mult):
            if 0 in (a, b):
                return ast.Constant(0)
            if 1 in (a, b):
                return right if a == 1 else left
        elif isinstance(op, ast.Div):
            if a == 0:
                return left
            if b == 1:
                return left
        elif isinstance(op, ast.Pow) and a == 0:
            return left
        return ast.BinOp(left, op, right)


def _number(node: ast.AST) -> float | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, int | float) else None


# -- writing --------------------------------------------------------------------------------------------------------------

UNICODE = {
    "beta1": "β₁",
    "beta2": "β₂",
    "beta3": "β₃",
    "eps": "ε",
    "momentum": "β",
    "rho": "ρ",
    "weight_decay": "wd",
    "dampening": "damp",
}
SUPERSCRIPT = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LEVEL = {ast.Add: 1, ast.Sub: 1, ast.Mult: 2, ast.Div: 2, ast.MatMult: 2, ast.Pow: 4}
_COMPARE: dict[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "≤",
    ast.Gt: ">",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
}


def _name(name: str | None) -> str:
    assert name is not None
    if name.endswith("_hat"):
        return name[0] + "\u0302" + name[1:-4]
    return UNICODE.get(name, name)


class _Unicode:
    """Expressions as people write them: β₁·m + (1 − β₁)·g."""

    def __init__(self, powers: Mapping[str, str]) -> None:
        self.powers = powers

    def write(self, node: ast.expr, level: int = 0) -> str:
        if isinstance(node, ast.BinOp):
            own = _LEVEL[type(node.op)]
            text = self.binary(node, own)
            return f"({text})" if own < level else text
        if isinstance(node, ast.UnaryOp):
            return f"−{self.write(node.operand, 3)}"
        if isinstance(node, ast.Attribute):
            return self.powers.get(node.attr, _name(node.attr))
        if isinstance(node, ast.Name):
            return _name(node.id)
        if isinstance(node, ast.Constant):
            return f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.IfExp):
            text = f"{self.write(node.body)} if {self.write(node.test)} else {self.write(node.orelse)}"
            return f"({text})"
        if isinstance(node, ast.Compare):
            return f"{self.write(node.left, 2)} {_COMPARE[type(node.ops[0])]} {self.write(node.comparators[0], 2)}"
        if isinstance(node, ast.Yield):
            assert node.value is not None
            return f"sums over all arrays of {self.write(node.value)}"
        if isinstance(node, ast.Tuple):
            return ", ".join(self.write(e) for e in node.elts)
        return ast.unparse(node)

    def binary(self, node: ast.BinOp, own: int) -> str:
        op = node.op
        if isinstance(op, ast.Pow):
            base = self.write(node.left, 5)
            power = node.right
            if isinstance(power, ast.Constant) and isinstance(power.value, int):
                return base + str(power.value).translate(SUPERSCRIPT)
            return f"{base}^{self.write(power, 5)}"
        left = self.write(node.left, own)
        right = self.write(node.right, own + (0 if isinstance(op, ast.Add | ast.Mult) else 1))
        sign = {ast.Add: " + ", ast.Sub: " − ", ast.Mult: "·", ast.Div: "/", ast.MatMult: "·"}[type(op)]
        return f"{left}{sign}{right}"

    def call(self, node: ast.Call) -> str:
        name = ast.unparse(node.func)
        args = [self.write(a) for a in node.args]
        if name == "sqrt":
            plain = isinstance(node.args[0], ast.Name | ast.Attribute)
            return f"√{args[0]}" if plain else f"√({args[0]})"
        if name == "abs":
            return f"|{args[0]}|"
        if name in ("norm", "norm_of_all"):
            return f"‖{args[0]}‖" if name == "norm" else f"‖all {args[0]}‖"
        if name == "where":
            condition, a, b = args
            return f"({a} if {condition} else {b})"
        short = {"maximum": "max", "minimum": "min", "total": "Σ"}.get(name, name)
        return f"{short}({', '.join(args)})"


LATEX = {
    "beta1": r"\beta_1",
    "beta2": r"\beta_2",
    "beta3": r"\beta_3",
    "eps": r"\epsilon",
    "momentum": r"\beta",
    "rho": r"\rho",
    "weight_decay": r"\mathrm{wd}",
    "dampening": r"\mathrm{damp}",
}


def _indexed(rule: Rule, name: str) -> bool:
    """Whether a quantity has a value per step: everything but hyperparameters and loose names of one step."""
    return name in rule.slots or name in ("p", "g") or name.endswith("_hat")


def _latex_name(name: str, index: str | None, *, primes: int = 0) -> str:
    if name in LATEX:
        return LATEX[name]
    stem = name.removesuffix("_hat")
    body = stem if len(stem) == 1 else rf"\mathrm{{{stem}}}".replace("_", r"\_")
    if name.endswith("_hat"):
        body = rf"\hat{{{body}}}"
    body += "'" * primes
    return body if index is None else f"{body}_{{{index}}}"


class _Latex:
    """The same expressions in LaTeX, with t and t−1 for what is new and what was carried."""

    def __init__(self, rule: Rule, renewed: set[str], primes: Mapping[str, int], *, raw: bool = False) -> None:
        self.rule, self.renewed, self.primes, self.raw = rule, renewed, primes, raw

    def symbol(self, name: str, slot: bool) -> str:
        power = self.rule.slots[name].power_of if slot else None
        if power is not None:
            base = self.rule.slots[name].base
            return f"{LATEX.get(power, power)}^{{t}}" if base is None else f"{base:g}^{{{_latex_name(power, None)} \\, t}}"
        primes = self.primes.get(name, 0)
        if not slot and name not in ("p", "g"):
            return _latex_name(name, "t" if name.endswith("_hat") else None, primes=primes)
        if name == "g" and self.raw and name not in self.renewed:
            return r"\nabla f(p_{t-1})"
        old = (slot or name == "p") and name not in self.renewed
        return _latex_name(name, "t-1" if old else "t", primes=primes)

    def write(self, node: ast.expr, level: int = 0) -> str:
        if isinstance(node, ast.BinOp):
            return self.binary(node, level)
        if isinstance(node, ast.UnaryOp):
            return f"-{self.write(node.operand, 3)}"
        if isinstance(node, ast.Attribute):
            slot = node.attr in self.rule.slots  # p.ndim is no slot
            return self.symbol(node.attr, slot=True) if slot else rf"\mathrm{{{node.attr}}}"
        if isinstance(node, ast.Name):
            return self.symbol(node.id, slot=False)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Constant):
            return f"{node.value:g}" if isinstance(node.value, float) else str(node.value)
        if isinstance(node, ast.Yield):
            assert node.value is not None
            return rf"\sum_{{\text{{arrays}}}} {self.write(node.value)}"
        if isinstance(node, ast.Tuple):
            return ",\\; ".join(self.write(e) for e in node.elts)
        if isinstance(node, ast.Compare):
            sign = {"≤": r"\le", "≥": r"\ge", "≠": r"\ne"}.get(_COMPARE[type(node.ops[0])], _COMPARE[type(node.ops[0])])
            return f"{self.write(node.left, 2)} {sign} {self.write(node.comparators[0], 2)}"
        if isinstance(node, ast.IfExp):
            return rf"({self.write(node.body)} \text{{ if }} {self.write(node.test)} \text{{ else }} {self.write(node.orelse)})"
        return rf"\text{{{ast.unparse(node)}}}"

    def binary(self, node: ast.BinOp, level: int) -> str:
        op, own = node.op, _LEVEL[type(node.op)]
        if isinstance(op, ast.Div):
            return rf"\frac{{{self.write(node.left)}}}{{{self.write(node.right)}}}"
        if isinstance(op, ast.Pow):
            base = self.write(node.left, 5)
            if isinstance(node.left, ast.Name | ast.Attribute) and "_{" in base:
                stem, index = base.split("_{", 1)
                return f"{stem}_{{{index}^{{{self.write(node.right)}}}"
            return f"{base}^{{{self.write(node.right)}}}"
        left = self.write(node.left, own)
        right = self.write(node.right, own + (0 if isinstance(op, ast.Add | ast.Mult) else 1))
        sign = {ast.Add: " + ", ast.Sub: " - ", ast.Mult: r" \, ", ast.MatMult: r" \, "}[type(op)]
        text = f"{left}{sign}{right}"
        return rf"\left({text}\right)" if own < level else text

    def call(self, node: ast.Call) -> str:
        name = ast.unparse(node.func)
        args = [self.write(a) for a in node.args]
        forms = {"sqrt": r"\sqrt{%s}", "abs": r"\left|%s\right|", "norm": r"\left\|%s\right\|", "total": r"\sum %s"}
        forms["norm_of_all"] = r"\left\|\text{all } %s\right\|"
        if name in forms:
            return forms[name] % args[0]
        if name == "where":
            return rf"({args[1]} \text{{ if }} {args[0]} \text{{ else }} {args[2]})"
        short = {"maximum": r"\max", "minimum": r"\min", "sign": r"\operatorname{sign}", "mean": r"\operatorname{mean}"}
        operator = short.get(name, rf"\operatorname{{{name}}}")
        return rf"{operator}\left({', '.join(args)}\right)"


def _around(optimizer: Optimizer) -> list[Equation]:
    """The shared options that are on, as equations before the rule's own."""
    on = optimizer.common
    assert set(on) <= set(COMMON)
    more = " + clip_eps" if "clip_eps" in on else ""
    sources = {
        "maximize": "g = -g",
        "clip_value": "g = minimum(maximum(g, -clip_value), clip_value)",
        "clip_norm": f"g = g * minimum(1, clip_norm / (norm(g){more}))",
        "clip_global_norm": f"g = g * minimum(1, clip_global_norm / (norm_of_all(g){more}))",
        "weight_decay": "p = p - lr * weight_decay * p" if on.get("decoupled") else "g = g + weight_decay * p",
    }
    found = []
    for name, source in sources.items():
        if name in on:
            statement = ast.parse(source).body[0]
            assert isinstance(statement, ast.Assign)
            found.append(_equation(optimizer.rule, statement))
    return found
