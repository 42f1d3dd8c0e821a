"""A function of parameters and data, which is compiled once for all data of the same shapes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["OnData", "data_of", "identity"]


@dataclass(frozen=True, eq=False)
class OnData:
    """An objective on data: called with parameters alone, compiled with the data as arguments.

    What is compiled for some arrays serves all arrays of their shapes: data that changes a little again and again, a point
    that is dragged, is neither traced nor compiled anew.
    """

    #: Of the parameters alone, on NumPy and JAX arrays alike.
    plain: Callable[[Any], Any]
    #: The same of the parameters and `data`; one function for all data.
    on: Callable[..., Any]
    data: tuple[Any, ...]

    def __call__(self, p: Any) -> Any:
        return self.plain(p)


def data_of(fun: Any) -> list[Any]:
    """The arrays that a program of this function takes beside the parameters."""
    return list(fun.data) if isinstance(fun, OnData) else []


def identity(fun: Any) -> Any:
    """What a function that does not change is found by; functions on data of the same shapes share one.

    JAX hands float64 data over in float32 unless it is told otherwise: what was traced so serves no other setting.
    """
    if not isinstance(fun, OnData):
        return fun
    import jax

    return (fun.on, getattr(jax.config, "jax_enable_x64", False), *((a.shape, a.dtype) for a in fun.data))
