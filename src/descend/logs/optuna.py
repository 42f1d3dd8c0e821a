"""Optuna: the intermediate values of each trial, from a journal file; the database is read in `databases`."""

from __future__ import annotations

import json
from typing import Any

from descend.logs.collect import Raw
from descend.logs.records import flat_settings, number
from descend.logs.stream import Utf8

__all__ = ["Journal", "intermediate", "parameter"]

# The operation codes of Optuna's journal.
_CREATE_STUDY, _CREATE_TRIAL, _SET_PARAM, _SET_STATE, _SET_INTERMEDIATE = 0, 4, 5, 6, 7


def intermediate(name: str, source: str, minimised: bool | None) -> Raw:
    """An empty run for the intermediate values of one trial."""
    raw = Raw(name, source, "optuna", axis_name="step")
    if minimised:
        raw.hints["loss"] = "intermediate_value"
        raw.note("Optuna does not say what the reported values are; the study minimises them, so they are read as the loss")
    return raw


def parameter(value: Any, distribution: Any) -> Any:
    """A parameter's value; of a categorical one Optuna keeps the index of the choice."""
    try:
        choices = (json.loads(distribution).get("attributes") or {}).get("choices")
        return choices[int(value)] if choices else value
    except (ValueError, TypeError, IndexError, AttributeError, OverflowError, RecursionError):
        return value


class Journal:
    """Reads a journal file piece by piece."""

    def __init__(self, name: str, source: str) -> None:
        self._name, self._source = name, source
        self._text, self._rest = Utf8(), b""
        self._studies: list[tuple[str, bool | None]] = []
        self._trials: list[tuple[int, dict[str, Any], list[tuple[int, float]]]] = []
        self._bad = 0

    def feed(self, data: bytes) -> None:
        """Append a piece of the file."""
        text = self._rest + self._text(data)
        cut = text.rfind(b"\n") + 1
        self._rest = text[cut:]
        for line in text[:cut].split(b"\n"):
            if line.strip():
                self._line(line)

    def finish(self) -> None:
        """The file has ended."""
        line, self._rest = self._rest + self._text.finish(), b""
        if line.strip():
            self._line(line)

    def runs(self) -> list[Raw]:
        """The trials that reported something."""
        found = []
        for i, (study, params, values) in enumerate(self._trials):
            name, minimised = self._studies[study] if 0 <= study < len(self._studies) else (self._name, None)
            raw = intermediate(f"{name}/trial {i}", self._source, minimised)
            raw.hyperparameters |= params
            raw.add_rows("intermediate_value", values)
            if self._bad:
                raw.note(f"{self._bad} lines are damaged or cut off and were left out")
            found.append(raw)
        return [raw for raw in found if raw.series["intermediate_value"].count]

    def _line(self, line: bytes) -> None:
        try:
            record = json.loads(line)
            self._apply(record, record["op_code"])
        except (ValueError, RecursionError, KeyError, TypeError, IndexError, AttributeError, OverflowError):
            self._bad += 1

    def _apply(self, record: dict[str, Any], code: int) -> None:
        if code == _CREATE_STUDY:
            directions = record.get("directions") or []
            self._studies.append((str(record["study_name"]), directions[0] == 1 if len(directions) == 1 else None))
        elif code == _CREATE_TRIAL:
            values = [(int(s), float(v)) for s, v in (record.get("intermediate_values") or {}).items()]
            params = {k: v for k, v in flat_settings(record.get("params") or {}).items() if "/" not in k}
            self._trials.append((int(record["study_id"]), params, values))
        elif code == _SET_PARAM:
            value = parameter(record["param_value_internal"], record.get("distribution"))
            self._trials[record["trial_id"]][1][str(record["param_name"])] = value
        elif code == _SET_INTERMEDIATE:
            plain, step = number(record["intermediate_value"]), int(record["step"])
            if abs(step) < 2**53:
                self._trials[record["trial_id"]][2].append((step, float("nan") if plain is None else plain))
