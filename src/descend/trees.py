"""Parameters may be any nesting of dicts, lists and tuples of arrays: flatten them and put them back."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

__all__ = ["flatten", "leaves_or_none"]


def flatten(tree: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """The arrays of a tree in a fixed order, and a function that puts as many others in their places.

    >>> leaves, rebuild = flatten({"w": [1, 2], "b": 3})
    >>> leaves, rebuild([10, 20, 30])
    ([3, 1, 2], {'b': 10, 'w': [20, 30]})
    """
    if "jax" in sys.modules:  # JAX's own pytrees, registered classes included
        import jax  # waits where another thread is in the midst of importing it

        leaves, structure = jax.tree_util.tree_flatten(tree)
        return leaves, lambda new: jax.tree_util.tree_unflatten(structure, new)
    leaves = []
    shape = _walk(tree, leaves)
    return leaves, lambda new: _rebuild(shape, iter(new))


def leaves_or_none(tree: Any) -> list[Any]:
    """The arrays of a tree in the order of `flatten`, with None where there is none.

    >>> leaves_or_none({"w": [1, None], "b": 3})
    [3, 1, None]
    """
    if "jax" in sys.modules:
        import jax

        return list(jax.tree_util.tree_leaves(tree, is_leaf=lambda x: x is None))
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree) for leaf in leaves_or_none(tree[key])]
    if isinstance(tree, list | tuple):
        return [leaf for node in tree for leaf in leaves_or_none(node)]
    return [tree]


def _walk(node: Any, leaves: list[Any]) -> Any:
    if isinstance(node, dict):
        return {k: _walk(node[k], leaves) for k in sorted(node)}
    if isinstance(node, tuple) and hasattr(node, "_fields"):
        return type(node)(*(_walk(v, leaves) for v in node))
    if isinstance(node, list | tuple):
        return type(node)(_walk(v, leaves) for v in node)
    if node is None:
        return None
    leaves.append(node)
    return ...


def _rebuild(shape: Any, values: Any) -> Any:
    if isinstance(shape, dict):
        return {k: _rebuild(v, values) for k, v in shape.items()}
    if isinstance(shape, tuple) and hasattr(shape, "_fields"):
        return type(shape)(*(_rebuild(v, values) for v in shape))
    if isinstance(shape, list | tuple):
        return type(shape)(_rebuild(v, values) for v in shape)
    return None if shape is None else next(values)
