"""An elementwise rule run on many torch tensors at once, in place.

The rule is called once per step on recorders (`descend.torch_recorder`). What it did becomes a short program of multi-tensor
operations (`torch._foreach_*`): sums take in the products beside them, intermediate results are overwritten as soon as they
are dead, and on a CPU the program runs over pieces that stay in the cache.

The arithmetic is the rule's own, up to the rounding of the coefficients.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import torch

from descend.rules import Optimizer
from descend.torch_recorder import NotElementwiseError, Recorded, Recorder

__all__ = ["ListStep", "NotElementwiseError", "Program", "pieces"]

Tensors = list[torch.Tensor]
#: Elements per piece, over all arrays of a step: on a CPU so many per thread that a piece stays in the cache; elsewhere
#: pieces only bound the extra memory.
CPU_PIECE = 1 << 18
GPU_PIECE = 1 << 30

_NARROW = (torch.float16, torch.bfloat16)


# -- programs ------------------------------------------------------------------------------------------------------------

#: name -> (on lists of tensors, on one tensor), making a new value; then the same writing over the first argument.
_each: Callable[..., Any] = lambda f: lambda *lists: [f(*row) for row in zip(*_spread(lists), strict=True)]  # noqa: E731


def _spread(args: Sequence[Any]) -> list[Any]:
    length = next(len(a) for a in args if isinstance(a, list | tuple))
    return [a if isinstance(a, list | tuple) else [a] * length for a in args]


_T = torch
NEW: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "scale": (_T._foreach_mul, _T.mul),
    "mul": (_T._foreach_mul, _T.mul),
    "div": (_T._foreach_div, _T.div),
    "plus": (_T._foreach_add, _T.add),
    "add": (lambda a, b, c: _T._foreach_add(a, b, alpha=c), lambda a, b, c: _T.add(a, b, alpha=c)),
    "lerp": (_T._foreach_lerp, _T.lerp),
    "addcmul": (_T._foreach_addcmul, lambda a, b, c, x: _T.addcmul(a, b, c, value=x)),
    "addcdiv": (_T._foreach_addcdiv, lambda a, b, c, x: _T.addcdiv(a, b, c, value=x)),
    "sqrt": (_T._foreach_sqrt, _T.sqrt),
    "abs": (_T._foreach_abs, _T.abs),
    "sign": (_T._foreach_sign, _T.sign),
    "reciprocal": (_T._foreach_reciprocal, _T.reciprocal),
    "pow": (_T._foreach_pow, _T.pow),
    "maximum": (_T._foreach_maximum, lambda a, b: a.clamp(min=b)),
    "minimum": (_T._foreach_minimum, lambda a, b: a.clamp(max=b)),
    "gt": (_each(operator.gt), operator.gt),
    "lt": (_each(operator.lt), operator.lt),
    "where": (_each(_T.where), _T.where),
}
OVER: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "scale": (_T._foreach_mul_, _T.Tensor.mul_),
    "mul": (_T._foreach_mul_, _T.Tensor.mul_),
    "div": (_T._foreach_div_, _T.Tensor.div_),
    "plus": (_T._foreach_add_, _T.Tensor.add_),
    "add": (lambda a, b, c: _T._foreach_add_(a, b, alpha=c), lambda a, b, c: a.add_(b, alpha=c)),
    "lerp": (_T._foreach_lerp_, _T.Tensor.lerp_),
    "addcmul": (_T._foreach_addcmul_, lambda a, b, c, x: a.addcmul_(b, c, value=x)),
    "addcdiv": (_T._foreach_addcdiv_, lambda a, b, c, x: a.addcdiv_(b, c, value=x)),
    "sqrt": (_T._foreach_sqrt_, _T.Tensor.sqrt_),
    "abs": (_T._foreach_abs_, _T.Tensor.abs_),
    "sign": (_T._foreach_sign_, _T.Tensor.sign_),
    "reciprocal": (_T._foreach_reciprocal_, _T.Tensor.reciprocal_),
    "maximum": (_T._foreach_maximum_, lambda a, b: a.clamp_(min=b)),
    "minimum": (_T._foreach_minimum_, lambda a, b: a.clamp_(max=b)),
}
PLUS = (_T._foreach_add_, _T.Tensor.add_)
_COPY = (_T._foreach_copy_, _T.Tensor.copy_)


class Program:
    """A recorded step as instructions on registers. Registers 0, 1, … are the inputs; `outputs` says where results belong."""

    def __init__(self, nodes: Sequence[tuple[Any, ...]], outputs: Sequence[tuple[int, int]]) -> None:
        self.steps: list[tuple[tuple[Callable[..., Any], ...], int, tuple[int, ...]]] = []
        self._nodes = _fused(nodes, outputs)
        self._register = list(range(len(nodes)))
        self._targets = dict(reversed(outputs))
        self._uses = _uses(self._nodes, outputs)
        self._left = dict(self._uses)
        self._inputs = sum(1 for node in nodes if node[0] == "input")
        for index, node in enumerate(self._nodes):
            if node[0] != "input" and self._uses.get(index):
                self._emit(index, *node)
        self._copies = [(s, self._register[n]) for n, s in outputs if self._register[n] != s]
        #: How often the arrays are gone through: a single pass gains nothing from the cache.
        self.passes = len(self.steps) + len(self._copies)
        del self._nodes, self._targets, self._uses, self._left

    def _emit(self, index: int, op: str, *args: int) -> None:
        if op == "combine":  # a·x + b·y: x is scaled first, over itself if it may be
            x, y, a, b = args
            self._emit_one(index, "scale", (x, a))
            self._step(OVER["add"], -1, (self._register[index], self._register[y], b))
            self._done(y)
            return
        if op in ("addcmul2", "addcdiv2"):  # a·x + b·u·w
            x, a, u, w, b = args
            self._emit_one(index, "scale", (x, a))
            self._step(OVER[op[:-1]], -1, (self._register[index], self._register[u], self._register[w], b))
            self._done(u)
            self._done(w)
            return
        if op == "add" and self._belongs(args[1], index) and self._left[args[1]] == 1 and not self._belongs(args[0], index):
            x, y, b = args  # x + b·y where the result belongs in y's place
            self._emit_one(index, "scale", (y, b))
            self._step(PLUS, -1, (self._register[index], self._register[x]))
            self._done(x)
            return
        self._emit_one(index, op, args)

    def _belongs(self, node: int, index: int) -> bool:
        return self._targets.get(index) == self._register[node]

    def _emit_one(self, index: int, op: str, args: tuple[int, ...]) -> None:
        first = args[0]
        for a in args:
            self._done(a)
        registers = tuple(self._register[a] if a >= 0 else a for a in args)
        if op in OVER and first >= 0 and self._may_overwrite(first, index, args):
            self._register[index] = registers[0]
            self._step(OVER[op], -1, registers)
        else:
            self._step(NEW[op], index, registers)

    def _may_overwrite(self, node: int, index: int, args: tuple[int, ...]) -> bool:
        """A dead value may be written over: an intermediate one by anyone, an input only by the result that belongs there."""
        if self._left.get(node, 0) > 0:
            return False
        register = self._register[node]
        if any(other != node and other >= 0 and self._register[other] == register for other in args[1:]):
            return False
        return register >= self._inputs or self._targets.get(index) == register

    def _done(self, node: int) -> None:
        if node >= 0:
            self._left[node] -= 1

    def _step(self, functions: tuple[Callable[..., Any], ...], target: int, args: tuple[int, ...]) -> None:
        self.steps.append((functions, target, args))

    def run(self, registers: Sequence[Any], numbers: Sequence[float], one: bool) -> None:
        """Run on lists of tensors, or on one tensor each. The inputs that outputs belong to hold the results afterwards."""
        values: dict[int, Any] = dict(enumerate(registers))
        for functions, target, args in self.steps:
            result = functions[one](*[values[a] if a >= 0 else numbers[~a] for a in args])
            if target >= 0:
                values[target] = result
        for storage, register in self._copies:
            _COPY[one](values[storage], values[register])


def _uses(nodes: Sequence[tuple[Any, ...]], outputs: Sequence[tuple[int, int]]) -> dict[int, int]:
    """How often each node is needed, counting only what leads to an output; an output is needed once more, at the end."""
    uses: dict[int, int] = {}
    for node, _ in outputs:
        uses[node] = uses.get(node, 0) + 1
    for index in range(len(nodes) - 1, -1, -1):
        if uses.get(index):
            for a in nodes[index][1:]:
                if a >= 0:
                    uses[a] = uses.get(a, 0) + 1
    return uses


def _fused(nodes: Sequence[tuple[Any, ...]], outputs: Sequence[tuple[int, int]]) -> list[tuple[Any, ...]]:
    """Sums with a product or quotient that nobody else needs become one operation."""
    uses, result = _uses(nodes, outputs), list(nodes)
    for index, node in enumerate(nodes):
        if node[0] not in ("add", "combine") or not uses.get(index):
            continue
        x, y, *numbers = node[1:]
        inner = result[y]
        if uses[y] == 1 and inner[0] in ("mul", "div"):
            op = "addc" + inner[0]
            result[index] = (
                (op, x, *inner[1:], numbers[0]) if node[0] == "add" else (op + "2", x, numbers[0], *inner[1:], numbers[1])
            )
    return result


_PROGRAMS: dict[Any, Program] = {}


class ListStep:
    """One step of a rule, recorded for arrays like `p` whose slots are `slots`, ready to run on any number of them.

    Raises `NotElementwiseError` for a rule that cannot be recorded.
    """

    def __init__(self, optimizer: Optimizer, values: dict[str, Any], slots: dict[str, Any], p: torch.Tensor) -> None:
        #: The slots that are arrays, in the order in which `run` wants them; and the new values of those that are numbers.
        self.arrays = [name for name in slots if optimizer.rule.slots[name].shape != "scalar"]
        recorder = Recorder(2 + len(self.arrays), p.dtype if p.dtype not in _NARROW else torch.float32)
        inputs = {name: recorder.input(2 + i) for i, name in enumerate(self.arrays)}
        numbers = {name: _plain_number(value) for name, value in slots.items() if name not in inputs}
        state = {"t": 0, "slots": [numbers | inputs]}
        (new,), after = optimizer.step_leaves([recorder.input(0)], [recorder.input(1)], state, values)
        (left,) = after["slots"]
        results = [new, *(left[name] for name in self.arrays)]
        if not all(isinstance(x, Recorded) for x in results):
            raise NotElementwiseError("a result that is no array")
        outputs = [(x.made(), place) for x, place in zip(results, [0, *range(2, 2 + len(inputs))], strict=True)]
        self.numbers = {name: left[name] for name in numbers}
        self.written = [place for _, place in outputs]
        self._constants = recorder.numbers
        key = (*recorder.nodes, *outputs)
        if key not in _PROGRAMS:
            _PROGRAMS[key] = Program(recorder.nodes, outputs)
        self._program = _PROGRAMS[key]

    def run(self, lists: Sequence[Tensors]) -> None:
        """Run on parameters, gradients and array slots, in place."""
        first = lists[0][0]
        piece = CPU_PIECE * torch.get_num_threads() if first.device.type == "cpu" else GPU_PIECE
        if self._program.passes == 1:
            piece = GPU_PIECE
        for batch in pieces(lists, piece // len(lists)):
            narrow = first.dtype in _NARROW
            work = [[t.float() for t in tensors] for tensors in batch] if narrow else batch
            if len(work[0]) == 1:
                self._program.run([tensors[0] for tensors in work], self._constants, True)
            else:
                self._program.run(work, self._constants, False)
            for place in self.written if narrow else ():
                torch._foreach_copy_(batch[place], work[place])


def _plain_number(x: Any) -> Any:
    return x.item() if isinstance(x, torch.Tensor) else x


def pieces(lists: Sequence[Tensors], limit: int) -> list[list[Tensors]]:
    """Matching lists of tensors cut and gathered into lists of about `limit` elements."""
    sizes = [t.numel() for t in lists[0]]
    if sum(sizes) <= limit:
        return [list(lists)]
    batches: list[list[Tensors]] = []
    start = size = 0
    for index, count in enumerate(sizes):
        if count > limit and all(tensors[index].is_contiguous() for tensors in lists):
            if start < index:
                batches.append([tensors[start:index] for tensors in lists])
            cut = [torch.split(tensors[index].view(-1), limit) for tensors in lists]
            batches += [[[t] for t in part] for part in zip(*cut, strict=True)]
            start, size = index + 1, 0
        elif (size := size + count) >= limit:
            batches.append([tensors[start : index + 1] for tensors in lists])
            start, size = index + 1, 0
    if start < len(sizes):
        batches.append([tensors[start:] for tensors in lists])
    return batches
