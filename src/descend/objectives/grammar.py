"""From words to a formula: an operator-precedence parser without recursion.

The formula is a flat list of nodes, children before parents, so that evaluating, printing and translating it are loops and no
depth of brackets can exhaust the stack. How it is read:

- `-x^2` is −(x²), `2^-x` works, `a^b^c` is a^(b^c);
- implicit multiplication (`2x`, `x y`, `2(x+1)`) ranks with `*` and `/`, from left to right: `1/2x` is (1/2)·x;
- `√x²` is √(x²), `√(x)²` is (√x)² and `√2x` is (√2)·x;
- a function without brackets takes the implicit product that follows, up to the next function: `sin 2x cos y` is
  sin(2x)·cos(y); `sin²x` and `sin^2(x)` are (sin x)².
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from descend.errors import DescendError
from descend.objectives.functions import FUNCTIONS
from descend.objectives.tokens import Token, marked

__all__ = ["DEEPEST", "Node", "parse_tokens", "subtree"]

#: How deeply brackets may be nested.
DEEPEST = 200


@dataclass(frozen=True)
class Node:
    """One operation: `op` is number, constant, variable, an operator sign, `neg`, or a function's name."""

    op: str
    args: tuple[int, ...] = ()
    text: str = ""
    value: float = 0.0
    #: Where it stands in the text, its own brackets included.
    span: tuple[int, int] = (0, 0)


@dataclass
class _Pending:
    """An operator, bracket or function that waits for its right side."""

    kind: str  # binary, prefix, apply, "(", "|", call
    op: str
    rank: float
    token: Token
    count: int = 1
    power: Token | None = None
    implicit: bool = False


_RANK = {"+": 1.0, "-": 1.0, "*": 2.0, "/": 2.0, "^": 4.0}
#: A leading minus takes the whole product, −(2x); after * / ^ only what stands next to it, 2·(−x)·y.
_MINUS, _APPLY, _PREFIX = 1.5, 2.5, 3.0
_OPENING = ("(", "|", "call")
_STARTS = ("constant", "variable", "function", "(", "|", "√")


class _Parser:
    def __init__(self, text: str, tokens: list[Token]) -> None:
        self.text, self.tokens = text, tokens
        self.nodes: list[Node] = []
        self.operands: list[int] = []
        self.spans: list[tuple[int, int]] = []
        self.pending: list[_Pending] = []
        self.depth = self.waiting = 0
        self.notes: list[str] = []
        self.i = 0

    def parse(self) -> None:
        operand = True
        while True:
            token = self.tokens[self.i]
            if operand:
                operand = self._operand(token)
            elif token.kind == "end":
                break
            else:
                operand = self._operator(token)
        while self.pending:
            self._close_check()
            self._reduce()

    def _close_check(self) -> None:
        top = self.pending[-1]
        if top.kind in _OPENING:
            sign = "|" if top.kind == "|" else "("
            raise marked(
                f"{sign!r} at position {top.token.start + 1} is never closed", self.text, top.token.start, top.token.end
            )

    # --- where an operand is expected -----------------------------------------------------------------------------------

    def _operand(self, token: Token) -> bool:
        """Take one token; True while an operand is still expected."""
        self.i += 1
        if token.kind in ("number", "constant", "variable"):
            self._push(Node(token.kind, text=token.text, value=token.value, span=(token.start, token.end)))
            return False
        if token.kind in ("(", "|"):
            self._open(_Pending(token.kind, token.kind, 0.0, token))
        elif token.kind == "-":
            tight = bool(self.pending) and self.pending[-1].rank > _RANK["+"] and self.pending[-1].kind != "apply"
            self._wait(_Pending("prefix", "neg", _PREFIX if tight else _MINUS, token))
        elif token.kind == "√" and self.tokens[self.i].kind == "(":
            self.i += 1
            self._open(_Pending("call", "sqrt", 0.0, token))
        elif token.kind == "√":
            self._wait(_Pending("prefix", "sqrt", _PREFIX, token))
        elif token.kind == "function":
            self._function(token)
        elif token.kind != "+":
            raise self._missing(token)
        return True

    def _function(self, token: Token) -> None:
        power = self._function_power(token)
        following = self.tokens[self.i]
        if following.kind == "(":
            self.i += 1
            self._open(_Pending("call", token.text, 0.0, token, power=power))
        elif following.kind in ("number", "constant", "variable", "function", "|", "√"):
            self._wait(_Pending("apply", token.text, _APPLY, token, power=power))
        else:
            example = ", ".join("xyz"[: FUNCTIONS[token.text].least])
            sentence = f"{token.text!r} at position {token.start + 1} needs an argument: write {token.text}({example})"
            raise marked(sentence, self.text, token.start, token.end)

    def _function_power(self, token: Token) -> Token | None:
        """The 2 of sin²x or sin^2(x)."""
        power = self.tokens[self.i]
        used = 1
        if power.kind == "^":
            power, used = self.tokens[self.i + 1], 2
        elif power.kind != "power":
            return None
        if power.kind not in ("number", "power") or power.value < 2 or power.value != int(power.value):
            sentence = f"a power of {token.text!r} at position {token.start + 1} belongs after its argument: {token.text}(x)^n"
            raise marked(sentence, self.text, token.start, power.end)
        self.i += used
        return power

    def _missing(self, token: Token) -> DescendError:
        before = self.tokens[self.i - 2] if self.i > 1 else None
        place = f"position {token.start + 1}"
        if token.kind == "end":
            assert before is not None
            return marked(
                f"the expression ends after {before.text!r}: something is missing", self.text, before.start, before.end
            )
        if before is not None and before.kind in ("*", "/", "+", "-", "^"):
            return marked(f"{token.text!r} at {place} cannot follow {before.text!r}", self.text, token.start, token.end)
        if token.kind == ")" and before is not None and before.kind == "(":
            return marked(f"the brackets at position {before.start + 1} are empty", self.text, before.start, token.end)
        return marked(f"something is missing before {token.text!r} at {place}", self.text, token.start, token.end)

    # --- where an operator is expected ----------------------------------------------------------------------------------

    def _operator(self, token: Token) -> bool:
        """Take one token; True when an operand is expected next."""
        if token.kind in _RANK:
            self.i += 1
            self._binary(token, token.kind, implicit=False)
            return True
        if token.kind == "power":
            self.i += 1
            self._raise(token)
            return False
        if token.kind == ")":
            self.i += 1
            self._close(token)
            return False
        if token.kind == ",":
            self.i += 1
            self._comma(token)
            return True
        if token.kind == "|" and self._innermost() == "|":
            self.i += 1
            self._close(token)
            return False
        if token.kind in _STARTS:
            self._binary(token, "*", implicit=True)
            return True
        before = self.tokens[self.i - 1]
        sentence = f"{token.text!r} at position {token.start + 1} follows {before.text!r} without an operator between them"
        raise marked(f"{sentence}; for a product write *", self.text, token.start, token.end)

    def _binary(self, token: Token, op: str, *, implicit: bool) -> None:
        rank = _RANK[op]
        while self.pending and op != "^" and self.pending[-1].rank >= rank:
            if self.pending[-1].kind == "apply" and implicit and token.kind != "function":
                break
            self._reduce()
        if implicit and self.operands and self.nodes[self.operands[-1]].op == "/" and not self._bracketed():
            self._note_division(token)
        self._wait(_Pending("binary", op, rank, token, implicit=implicit))

    def _bracketed(self) -> bool:
        return self.text[self.spans[-1][1] - 1] == ")" and self.text[self.spans[-1][0]] == "("

    def _note_division(self, token: Token) -> None:
        start, end = self.spans[-1]
        left = self.text[start:end].strip()
        if len(left) <= 40:
            whole = self.text[start : token.end]
            self.notes.append(f"{whole}… is read from left to right, as ({left})·{token.text}…; bracket the other reading")

    def _raise(self, token: Token, span: tuple[int, int] | None = None) -> None:
        """The last operand to the power of a number."""
        base, (start, _) = self.operands.pop(), self.spans.pop()
        self.nodes.append(Node("number", text=token.text, value=token.value, span=(token.start, token.end)))
        self._push(Node("^", (base, len(self.nodes) - 1), span=span or (start, token.end)))

    def _innermost(self) -> str | None:
        return next((p.kind for p in reversed(self.pending) if p.kind in _OPENING), None)

    def _unwind(self) -> _Pending | None:
        """Finish what waits inside the innermost bracket; the bracket itself, left in place."""
        while self.pending and self.pending[-1].kind not in _OPENING:
            self._reduce()
        return self.pending[-1] if self.pending else None

    def _comma(self, token: Token) -> None:
        opening = self._unwind()
        if opening is None or opening.kind != "call":
            before, after = self.tokens[self.i - 2], self.tokens[self.i]
            decimal = before.kind == after.kind == "number" and before.end == token.start and token.end == after.start
            hint = f"write {before.text}.{after.text} with a point" if decimal else "it only separates a function's arguments"
            raise marked(f"unexpected comma at position {token.start + 1}: {hint}", self.text, token.start)
        opening.count += 1

    def _close(self, token: Token) -> None:
        opening = self._unwind()
        if opening is None:
            raise marked(f"')' at position {token.start + 1} closes nothing", self.text, token.start)
        if (opening.kind == "|") != (token.kind == "|"):
            sentence = (
                f"'|' at position {opening.token.start + 1} is not closed before {token.text!r} at position {token.start + 1}"
            )
            raise marked(sentence, self.text, opening.token.start, token.end)
        self.pending.pop()
        self.depth -= 1
        if opening.kind == "(":
            self.spans[-1] = (opening.token.start, token.end)
        else:
            self._call("abs" if opening.kind == "|" else opening.op, opening, token.end)

    # --- building -------------------------------------------------------------------------------------------------------

    def _open(self, opening: _Pending) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            sentence = f"brackets are nested more than {DEEPEST} deep at position {opening.token.start + 1}"
            raise marked(sentence, self.text, opening.token.start)
        self.pending.append(opening)

    def _wait(self, pending: _Pending) -> None:
        if pending.kind != "binary" or pending.op == "^":
            self.waiting += 1
        if self.waiting > DEEPEST:
            sentence = f"more than {DEEPEST} operators wait for each other at position {pending.token.start + 1}"
            raise marked(sentence, self.text, pending.token.start)
        self.pending.append(pending)

    def _push(self, node: Node) -> None:
        self.nodes.append(node)
        self.operands.append(len(self.nodes) - 1)
        self.spans.append(node.span)

    def _reduce(self) -> None:
        """Finish the operator that waits on top."""
        top = self.pending.pop()
        if top.kind != "binary" or top.op == "^":
            self.waiting -= 1
        if top.kind == "binary":
            right, left = self.operands.pop(), self.operands.pop()
            last, first = self.spans.pop(), self.spans.pop()
            self._push(Node(top.op, (left, right), span=(first[0], last[1])))
        elif top.kind == "prefix":
            operand, span = self.operands.pop(), self.spans.pop()
            self._push(Node(top.op, (operand,), span=(top.token.start, span[1])))
        else:
            self._call(top.op, top, self.spans[-1][1])

    def _call(self, name: str, opening: _Pending, end: int) -> None:
        function, start = FUNCTIONS[name], opening.token.start
        if opening.count < function.least or (function.most is not None and opening.count > function.most):
            sentence = f"{name!r} at position {start + 1} takes {function.arity()}; it was given {opening.count}"
            raise marked(sentence, self.text, start, end)
        args = tuple(self.operands[-opening.count :])
        del self.operands[-opening.count :], self.spans[-opening.count :]
        self._push(Node(name, args, span=(start, end)))
        if opening.power is not None:
            self._raise(opening.power, (start, end))


def parse_tokens(text: str, tokens: list[Token]) -> tuple[tuple[Node, ...], tuple[str, ...]]:
    """The formula's nodes, children before parents, the whole last; and notes on what could be read in two ways."""
    parser = _Parser(text, tokens)
    parser.parse()
    return tuple(parser.nodes), tuple(parser.notes)


def subtree(nodes: tuple[Node, ...], root: int) -> tuple[Node, ...]:
    """The nodes of one part as a formula of its own (a part's nodes stand together, its root last)."""
    first = root
    waiting = [root]
    while waiting:
        node = waiting.pop()
        first = min(first, node)
        waiting += nodes[node].args
    return tuple(replace(node, args=tuple(i - first for i in node.args)) for node in nodes[first : root + 1])
