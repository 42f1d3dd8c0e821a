"""Text logs: "step 10 loss 2.31", "{'loss': 0.5, ...}", "iter 100: loss 3.4, time 12ms", progress bars, Keras' progress.

Every number on a line is named by the words before it. Lines that differ only in their numbers share one template, so the
words are judged once per template and not once per line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from descend.errors import DescendError
from descend.logs.collect import Raw, Table
from descend.logs.roles import axis_rank, guess, words
from descend.logs.stream import Utf8

__all__ = ["KerasText", "PlainText", "looks_like_keras", "names_of"]

_NUMBER = re.compile(
    r"(?<![\w.@])([-+]?(?:\d+(?:,\d{3})+(?![\d,])|\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[-+]?(?:nan|inf|infinity)(?![\w]))(?![\d.]*\d)",
    re.IGNORECASE,
)
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_BREAK = re.compile(r"[|,;\t{}()\[\]]|\s[-–—>]+\s|  +|\. ")
_SPLIT_ALONE = re.compile(r"(?:test|val|valid|validation|eval|evaluation)$", re.IGNORECASE)
_BATCHES = re.compile(r"(?:batch(?:es)?|it(?:er(?:ation)?)?s?|steps?)\b", re.IGNORECASE)
_PHASE = re.compile(r"\((train|val|valid|test|eval)\)(?=\W*$)", re.IGNORECASE)  # "Epoch(train) [1][50/300]"
_MOST_TEMPLATES = 20_000
_LONGEST_LINE = 4000
_KERAS_EPOCH = re.compile(r"^Epoch (\d+)(?:/\d+)?\s*$", re.MULTILINE)
_KERAS_PAIR = re.compile(r"([A-Za-z_][\w./@-]*): ([-+]?(?:\d[\d.]*(?:e[-+]?\d+)?|nan|inf))", re.IGNORECASE)
_WORDS_OF_TIME = {
    "time",
    "ms",
    "s",
    "sec",
    "eta",
    "elapsed",
    "remaining",
    "gb",
    "mb",
    "it",
    "mfu",
    "port",
    "pid",
    "line",
    "version",
}
#: For one template: name of each number that counts, and its place among the numbers of the line.
Template = list[tuple[int, str]]
Matcher = Callable[[str], "re.Match[str] | None"]
#: A template, whether its lines count as records, and a faster way to see that a line is of the same template.
Known = tuple[Template, bool, Matcher]


def names_of(parts: list[str]) -> Template:
    """Names for the numbers of a line, given the text before, between and after them.

    >>> names_of(["step ", ": train loss ", ", val loss ", ""])
    [(0, 'step'), (1, 'train loss'), (2, 'val loss')]
    """
    named: Template = []
    split, beside, taken = "", "", set()
    for i, before in enumerate(parts[:-1]):
        text, after = before.lstrip(), parts[i + 1]
        if i and text.strip() in ("/", "of", "("):  # a total, a percentage or an average in brackets
            continue
        if after.strip() == "/" and (claim := guess(_name(before))) and claim.role.endswith("accuracy"):
            share = i + 2 < len(parts) - 1 and parts[i + 2].strip() == "(" and parts[i + 3].startswith("%")
            if share:  # "Accuracy: 9800/10000 (98%)": the share, not the count
                named.append((i + 2, f"{_split_of(before) or split} {_name(before)}".strip()))
            continue
        if after.startswith("%") and not guess(_name(before)):  # "mfu 3.2%", but keep "accuracy: 93.1%"
            continue
        name = _name(before)
        if not name:
            name = _unnamed(parts, i)
            if name != "epoch" and (_split_of(before) or split) == "val":
                name = ""  # "Val | [10/40]" counts the validation set's batches: no step of the training
        elif _SPLIT_ALONE.match(name):  # "Test: [10/40]": the same
            split, name = _split_of(name), ""
        if not name:
            continue
        claim = guess(name)
        if not _split_of(name) or (claim and claim.role == "epoch"):
            split = _split_of(before) or split  # "Test set: loss 0.1, accuracy 0.9": both are the test set's
        if claim and split and claim.role in ("loss", "accuracy") and not _split_of(name):
            name = f"{split} {name}"
        elif claim and beside and claim.role == "accuracy":
            name = f"{beside} {name}"
        elif claim and claim.role.endswith("loss") and name.startswith(("train ", "val ")):
            beside = name.partition(" ")[0]  # "val Loss: 0.4 Acc: 0.9": the accuracy is validation's as well
        if name not in taken:
            taken.add(name)
            named.append((i, name))
    return named


def _unnamed(parts: list[str], i: int) -> str:
    """What a number without a name counts: the 30 of "3%|▎ | 30/1000 [00:01, loss=0.5]", the 640 of "[640/60000 (1%)]".

    Also the 2 and 2000 of "[2,  2000] loss: 1.2", the 7 of "[7] loss: 1.2", the 200 of "epoch 1 | 200/2983 batches | loss 5".
    """
    if parts[0].strip() == "[" and i < 2:
        if parts[1].startswith("]"):
            return "iter" if i == 0 else ""
        if parts[1].strip() == "," and parts[2:] and parts[2].startswith("]"):
            return ("epoch", "batch")[i]
    if parts[i + 1].strip() != "/" or i + 2 >= len(parts):
        return ""
    after = parts[i + 2].lstrip()
    if "|" in parts[i] and after.startswith("["):
        return "step"
    if _BATCHES.match(after):
        return "batch"
    if parts[i].rstrip().endswith("["):
        return "samples" if after.startswith("(") else "batch"
    return ""


def _split_of(text: str) -> str:
    """ "val" after "Test set:" or "validation -", "train" after "Train Epoch:"."""
    found = [w for w in words(text) if w in ("test", "val", "valid", "validation", "eval", "evaluation", "train", "training")]
    return "" if not found else "train" if found[-1].startswith("train") else "val"


def _name(before: str) -> str:
    """The name right before a number: the longest run of last words that is known, else the last words."""
    text = _PHASE.sub(r" \1", before).rstrip()
    if text.endswith(("/", "%", "<", ">", "~")):
        return ""
    text = text.rstrip("=:[('\" \t→-")
    piece = _BREAK.split(text)[-1].strip("'\" =:")
    tokens = re.findall(r"[A-Za-z_@][\w./@-]*", piece)
    if not tokens or tokens[0].lower() == "best":  # "Best val Acc: 0.94" repeats one of the curve's values
        return ""
    for size in (4, 3, 2, 1):
        name = " ".join(tokens[-size:])
        if len(tokens) >= size and (guess(name) or axis_rank(name) is not None):
            return name
    last = " ".join(tokens[-2:])
    return "" if tokens[-1].lower() in _WORDS_OF_TIME or len(tokens) > 3 else last


class PlainText:
    """Reads a text log line by line; a line counts when it holds a loss, an accuracy, a learning rate or a gradient norm."""

    def __init__(self, name: str, source: str) -> None:
        self._text, self._rest = Utf8(), ""
        self._templates: dict[tuple[str, ...], Known] = {}
        self.table = Table(Raw(name, source, "text"))
        self._source, self._last = source, ""
        self.records = 0

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        text = self._rest + self._text(data).decode("utf-8", "replace").replace("\r\n", "\n")
        cut = max(text.rfind("\n"), text.rfind("\r", 0, -1)) + 1
        self._rest = text[cut:][-_LONGEST_LINE:]
        self._lines(text[:cut])

    def finish(self) -> None:
        """The file has ended: read an unfinished last line unless its last number looks cut off."""
        line, self._rest = self._rest + self._text.finish().decode("utf-8", "replace"), ""
        numbers, before = _NUMBER.findall(line), _NUMBER.findall(self._last)
        if numbers and before and len(numbers[-1]) < 0.6 * len(before[-1]) and line.rstrip().endswith(numbers[-1]):
            self.table.raw.note("its last line is cut off and was left out")
        elif line:
            self._lines(line)
        if not self.records:
            raise DescendError(
                f"{self._source!r} is text without a line that names a loss and a number, such as 'step 10 loss 2.31': "
                "not a training log"
            )

    def runs(self) -> list[Raw]:
        """The run so far."""
        return [self.table.result()]

    def _lines(self, text: str) -> None:
        kept: dict[int, tuple[Template, list[int], list[Sequence[str]]]] = {}
        quick: Matcher = _never
        mine: tuple[Template, list[int], list[Sequence[str]]] = ([], [], [])
        counts, count = False, 0
        if "\x1b" in text:
            text = _ESCAPE.sub("", text)
        for line in re.split(r"[\r\n]+", text):
            like_last = quick(line) if len(line) <= _LONGEST_LINE else None
            if like_last:
                self.records += counts
                self._last = line if counts else self._last
                mine[1].append(count)
                mine[2].append(like_last.groups())
                count += 1
                continue
            pieces = _NUMBER.split(line[:_LONGEST_LINE])
            if len(pieces) < 3:
                continue
            template, counts, quick = self._template(tuple(pieces[::2]))
            if not template:
                quick = _never
                continue
            if counts:
                self._last = line
            mine = kept.setdefault(id(template), (template, [], []))
            mine[1].append(count)
            mine[2].append(pieces[1::2])
            self.records += counts
            count += 1
        if count:
            self.table.add(count, _columns(list(kept.values())))

    def _is_trainer(self) -> None:
        """What Hugging Face's Trainer prints has its averaging and its NaN filter."""
        raw = self.table.raw
        raw.format = "hugging face"
        raw.config["nan_filtered"] = True
        raw.lose("window_mean", "each loss is the mean over the steps since the last, so single spikes are flattened")

    def _template(self, parts: tuple[str, ...]) -> Known:
        known = self._templates.get(parts)
        if known is None:
            named = names_of(list(parts))
            if any(name == "train_runtime" for _, name in named):
                named = []  # the Trainer's closing line: means over the whole training
            roles = {g.role.split("/")[0] for _, name in named if (g := guess(name))}
            counts = bool(roles - {"epoch"})
            axis = any(axis_rank(name) is not None for _, name in named) or "epoch" in roles
            # A line with only a counter ("Epoch 3/10") is kept for its counter; one with neither is no record.
            known = (
                _one_counter(named) if counts else _one_counter([n for n in named if _is_counter(n[1])]) if axis else [],
                counts,
                _quick(parts),
            )
            if re.match(r"\s*\{'(loss|eval_loss)': '?$", parts[0]):
                self._is_trainer()
            if len(self._templates) < _MOST_TEMPLATES:
                self._templates[parts] = known
        return known


def _never(line: str) -> re.Match[str] | None:
    return None


def _quick(parts: tuple[str, ...]) -> Matcher:
    """Matches lines of this template only, several times faster than looking for numbers; where that is not certain, none.

    A word that a neighbouring number could take a sign, a point, an exponent or thousands from makes it uncertain.
    """
    inner, before = parts[1:-1], parts[:-1]
    takes = any(p[:1] in (".", "e", "E") for p in parts[1:]) or any(p in ("", ",") or p[1:2].isdigit() for p in inner)
    lends = before[0].endswith(("+", "-")) or any(p.endswith(("+", "-")) and len(p) > 1 for p in inner)
    if takes or lends:
        return _never
    number = r"([-+]?\d++(?:\.\d*+)?(?:[eE][-+]?\d++)?)"
    return re.compile(number.join(map(re.escape, parts)), re.ASCII).fullmatch


def _columns(kept: list[tuple[Template, list[int], list[Sequence[str]]]]) -> dict[str, tuple[Any, Any]]:
    """The numbers of each name in the order of their lines, from lines grouped by template."""
    found: dict[str, list[tuple[Any, Any]]] = {}
    for template, rows, numbers in kept:
        at, columns = np.array(rows, np.int64), list(zip(*numbers, strict=True))
        for place, name in template:
            found.setdefault(name, []).append((at, np.array(_numbers(columns[place]), np.float64)))
    out = {}
    for name, parts in found.items():
        at, values = (np.concatenate(c) for c in zip(*parts, strict=True))
        order = np.argsort(at, kind="stable")
        out[name] = at[order], values[order]
    return out


def _numbers(texts: Sequence[str]) -> list[float]:
    try:
        return list(map(float, texts))
    except ValueError:
        return [_number(text) for text in texts]


def _one_counter(named: Template) -> Template:
    """Lines of one log may call their counter "iter" or "step": it becomes "step" in all of them."""
    ranked = sorted((rank, place) for place, name in named if (rank := axis_rank(name)) is not None)
    if not ranked or ranked[0][0] >= (axis_rank("batch") or 0):
        return named
    return [(place, "step" if place == ranked[0][1] else name) for place, name in named]


def _is_counter(name: str) -> bool:
    claim = guess(name)
    return axis_rank(name) is not None or (claim is not None and claim.role == "epoch")


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float(text.replace(",", ""))


# -- Keras' progress -----------------------------------------------------------------------------------------------------


def looks_like_keras(text: str) -> bool:
    """Whether a text is what Keras' `fit` prints: "Epoch 3/20" alone on a line, then "loss: 0.41 - val_loss: …".

    >>> looks_like_keras("Epoch 1/2\\n10/10 - 0s - 5ms/step - loss: 0.41\\n")
    True
    """
    plain = _ESCAPE.sub("", text).replace("\r", "\n").replace("\x08", "")
    return bool(_KERAS_EPOCH.search(plain)) and bool(re.search(r"\d+/\d+ .*?(?:step|s|=\]|━) ?- .*?\w+: ", plain))


class KerasText:
    """Reads Keras' progress text: the last state of each epoch's bar is what the epoch ended with."""

    def __init__(self, name: str, source: str) -> None:
        self._text, self._rest = Utf8(), ""
        self.raw = Raw(name, source, "keras text", axis="epoch", axis_name="Epoch")
        self._epoch, self._state, self._ended = 0, "", ""
        self._source = source

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        text = self._rest + self._text(data).decode("utf-8", "replace")
        cut = text.rfind("\n") + 1
        self._rest = text[cut:][-100_000:]
        self._lines(text[:cut])

    def finish(self) -> None:
        """The file has ended: the bar of an unfinished epoch is left out, for its loss is a mean over part of the epoch."""
        self._lines(self._rest + self._text.finish().decode("utf-8", "replace") + "\n")
        self._rest = ""
        self._close(unfinished=True)
        if not self.raw.series:
            raise DescendError(f"{self._source!r} looks like Keras' progress text, but no epoch in it is finished")

    def runs(self) -> list[Raw]:
        """The run so far."""
        return [self.raw]

    def _lines(self, text: str) -> None:
        for line in re.split(r"[\r\n]+|\x08+", _ESCAPE.sub("", text)):
            header = _KERAS_EPOCH.match(line)
            if header:
                self._close(unfinished=False)
                self._epoch = int(header[1][:15])
            elif ": " in line and "Epoch " not in line[:12]:
                self._state = line.strip() or self._state

    def _close(self, unfinished: bool) -> None:
        line, self._state = self._state, ""
        if not line or not self._epoch:
            return
        bar = re.match(r"^\s*(\d+)/(\d+|Unknown)\b", line)
        if unfinished and bar and bar[2] != "Unknown" and int(bar[1][:15]) < int(bar[2][:15]):
            self.raw.note(f"epoch {self._epoch} is unfinished and was left out")
            return
        for name, value in _KERAS_PAIR.findall(line):
            if name not in ("ETA", "eta"):
                self.raw.add_rows(name, [(self._epoch, _keras_number(value))])


def _keras_number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
