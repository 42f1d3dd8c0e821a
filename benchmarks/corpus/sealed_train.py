"""Three ways to train a task of the sealed split, as people write them: torch.optim, optax, and descend's rules on NumPy.

A trainer has a gradient that accumulates until it is zeroed, an update, and an evaluation; faults of the optimizer are made by
the loop that drives it (`sealed.py`), faults of the model and of the loss formula here.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sealed_tasks import Task

Result = tuple[float, float, float]  # loss, accuracy, gradient norm


def log_softmax(out: np.ndarray) -> np.ndarray:
    low = out - out.max(-1, keepdims=True)
    return low - np.log(np.exp(low).sum(-1, keepdims=True))


def numpy_loss(kind: str, out: np.ndarray, y: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Loss, accuracy and the derivative of the loss by the output, derived by hand."""
    n = out.size if kind != "class" else len(out)
    if kind == "class":
        log_p, rows = log_softmax(out), np.arange(len(y))
        d = np.exp(log_p)
        d[rows, y] -= 1
        return float(-log_p[rows, y].mean()), float((out.argmax(1) == y).mean()), d / n
    if kind == "binary":
        value = np.maximum(out, 0) - out * y + np.log1p(np.exp(-np.abs(out)))
        return float(value.mean()), float(((out > 0) == y).mean()), (1 / (1 + np.exp(-out)) - y) / n
    rest = out - y
    if kind == "reg":
        return float((rest**2).mean()), math.nan, 2 * rest / n
    return float(np.where(np.abs(rest) < 1, rest**2 / 2, np.abs(rest) - 0.5).mean()), math.nan, np.clip(rest, -1, 1) / n


class NumpyTrainer:
    """One or two dense layers with gradients derived by hand and an optimizer of descend."""

    def __init__(self, task: Task, recipe: dict[str, Any]) -> None:
        from descend import optimizers as ds

        rng = np.random.default_rng(recipe["seed"] + 1)
        self.kind, self.fault, self.act = task.kind, recipe["fault"], recipe["extra"].get("act", "tanh")
        self.p = []
        for a, b in zip(task.model, task.model[1:], strict=False):
            self.p += [rng.normal(size=(a, b)) / a**0.5, np.zeros(b)]
        spoil(self.p, [True, False] * (len(self.p) // 2), recipe)
        lr, beta, decay = recipe["lr"], recipe["beta"], recipe["weight_decay"]
        self.decay = 0.0 if recipe["optimizer"] == "adamw" else decay
        self.rule = {
            "sgd": lambda: ds.sgd(lr=lr), "momentum": lambda: ds.momentum(lr=lr, momentum=beta),
            "nesterov": lambda: ds.nesterov(lr=lr, momentum=beta), "adam": lambda: ds.adam(lr=lr, beta1=beta),
            "adamw": lambda: ds.adamw(lr=lr, beta1=beta, weight_decay=decay), "rmsprop": lambda: ds.rmsprop(lr=lr),
        }[recipe["optimizer"]]()  # fmt: skip
        self.state = self.rule.init(self.p)
        self.zero()

    def forward(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        if len(self.p) == 2:
            return x, x @ self.p[0] + self.p[1]
        u = x @ self.p[0] + self.p[1]
        h = {"tanh": np.tanh, "relu": lambda v: np.maximum(v, 0), "sigmoid": lambda v: 1 / (1 + np.exp(-v))}[self.act](u)
        return h, h @ self.p[2] + self.p[3]

    def gradient(self, x: np.ndarray, y: np.ndarray) -> Result:
        h, out = self.forward(x)
        loss, accuracy, d = numpy_loss(self.kind, out, y)
        if self.fault == "sum-loss":
            loss, d = loss * len(y), d * len(y)
        grads = [h.T @ d, d.sum(0)]
        if len(self.p) == 4:
            slope = {"tanh": 1 - h**2, "relu": h > 0, "sigmoid": h * (1 - h)}[self.act]
            inner = (d @ self.p[2].T) * slope
            grads = [x.T @ inner, inner.sum(0), *grads]
        self.g = [a + b for a, b in zip(self.g, grads, strict=True)] if self.fault != "detached" else self.g
        return loss, accuracy, math.sqrt(sum(float((g**2).sum()) for g in self.g))

    def zero(self) -> None:
        self.g = [np.zeros_like(p) for p in self.p]

    def update(self, lr: float, shrink: float) -> None:
        grads = [shrink * g + self.decay * p for g, p in zip(self.g, self.p, strict=True)]
        values = self.rule.at_step(int(self.state["t"])) | {"lr": lr}
        self.p, self.state = self.rule.step(self.p, grads, self.state, values)

    def evaluate(self, x: np.ndarray, y: np.ndarray) -> tuple[float, float]:
        return numpy_loss(self.kind, self.forward(x)[1], y)[:2]

    def finite(self) -> bool:
        return all(bool(np.isfinite(p).all()) for p in self.p)


def spoil(arrays: list[Any], weights: list[bool], recipe: dict[str, Any]) -> None:
    """Bad initial values in place: every weight scaled; hidden biases far below zero; hidden weights far too large."""
    last = max((i for i, w in enumerate(weights) if w), default=0)
    for i, (p, is_weight) in enumerate(zip(arrays, weights, strict=True)):
        if recipe["fault"] == "init-scale":
            p *= recipe["strength"]
        if recipe["fault"] == "dead-units" and not is_weight and i < last:
            p += -recipe["strength"]
        if recipe["fault"] == "saturated-units" and is_weight and i < last:
            p *= recipe["strength"]


def jax_loss(kind: str, fault: str, out: Any, y: Any) -> tuple[Any, Any]:
    import jax
    import jax.numpy as jnp

    if kind == "class":
        out = out.reshape(-1, out.shape[-1])
        y = y.reshape(-1)
        right = (out.argmax(-1) == y).mean()
        p = jax.nn.softmax(out)
        if fault == "missing-log":
            return -p[jnp.arange(len(y)), y].mean(), right
        if fault == "log-zero":
            return -jnp.log(p[jnp.arange(len(y)), y]).mean(), right
        log_p = jax.nn.log_softmax(p if fault == "double-softmax" else out)
        loss = -log_p[jnp.arange(len(y)), y].mean()
    elif kind == "binary":
        loss, right = (jnp.logaddexp(0.0, out) - out * y).mean(), ((out > 0) == y).mean()
    else:
        loss, right = ((out - y) ** 2).mean(), jnp.nan
    return loss * (len(y) if fault == "sum-loss" else 1), right


class JaxTrainer:
    """A functional network with `jax.value_and_grad` and optax; compiled functions are kept per task."""

    kept: dict[Any, Any] = {}  # noqa: RUF012 - compiled functions, shared on purpose

    def __init__(self, task: Task, recipe: dict[str, Any]) -> None:
        import jax

        init, _ = task.model
        params = {k: np.array(v) for k, v in init(jax.random.PRNGKey(recipe["seed"] + 1)).items()}
        names = sorted(params)
        spoil([params[k] for k in names], [k.endswith("w") for k in names], recipe)
        self.p = {k: jax.numpy.asarray(v) for k, v in params.items()}
        self.fault, self.decay, self.optimizer = recipe["fault"], recipe["weight_decay"], recipe["optimizer"]
        fault = self.fault if self.fault in ("missing-log", "log-zero", "double-softmax", "sum-loss") else ""
        self.compiled = self.functions(task, fault, recipe["extra"].get("act", ""))
        self.tx, self.step = self.stepper(task.name, self.optimizer, recipe["beta"])
        self.state = self.tx.init(self.p)
        self.zero()

    def functions(self, task: Task, fault: str, act: str) -> tuple[Any, Any]:
        import jax

        key = (task.name, fault, act)
        if key not in self.kept:
            apply = task.model[1]

            def loss(p: Any, x: Any, y: Any) -> Any:
                return jax_loss(task.kind, fault, apply(p, x, act), y)

            def gradient(p: Any, g: Any, x: Any, y: Any) -> Any:
                (value, right), new = jax.value_and_grad(loss, has_aux=True)(p, x, y)
                g = {k: g[k] + new[k] for k in g}
                return value, right, jax.numpy.sqrt(sum((v**2).sum() for v in g.values())), g

            plain = jax.jit(lambda p, x, y: jax_loss(task.kind, "", apply(p, x, act), y))
            self.kept[key] = jax.jit(gradient), plain
        return self.kept[key]

    def stepper(self, name: str, optimizer: str, beta: float) -> tuple[Any, Any]:
        import jax
        import optax

        key = (name, optimizer, beta)
        if key not in self.kept:
            tx = {
                "sgd": optax.identity, "momentum": lambda: optax.trace(beta),
                "nesterov": lambda: optax.trace(beta, nesterov=True),
                "adam": lambda: optax.scale_by_adam(b1=beta), "adamw": lambda: optax.scale_by_adam(b1=beta),
                "rmsprop": lambda: optax.scale_by_rms(0.99),
            }[optimizer]()  # fmt: skip

            def step(p: Any, g: Any, state: Any, lr: Any, shrink: Any, decay: Any) -> Any:
                coupled = 0.0 if optimizer == "adamw" else decay
                u, state = tx.update({k: shrink * g[k] + coupled * p[k] for k in p}, state, p)
                loose = decay - coupled
                return {k: p[k] - lr * (u[k] + loose * p[k]) for k in p}, state

            self.kept[key] = tx, jax.jit(step)
        return self.kept[key]

    def gradient(self, x: Any, y: Any) -> Result:
        value, right, norm, g = self.compiled[0](self.p, self.g, x, y)
        if self.fault == "detached":
            return float(value), float(right), 0.0
        self.g = g
        return float(value), float(right), float(norm)

    def zero(self) -> None:
        self.g = {k: np.zeros(v.shape, np.float32) for k, v in self.p.items()}

    def update(self, lr: float, shrink: float) -> None:
        self.p, self.state = self.step(self.p, self.g, self.state, lr, shrink, self.decay)

    def evaluate(self, x: Any, y: Any) -> tuple[float, float]:
        loss, right = self.compiled[1](self.p, x, y)
        return float(loss), float(right)

    def finite(self) -> bool:
        return all(bool(np.isfinite(np.asarray(v)).all()) for v in self.p.values())


class TorchTrainer:
    """A module with an optimizer of torch.optim."""

    def __init__(self, task: Task, recipe: dict[str, Any]) -> None:
        import torch
        from torch import nn

        torch.manual_seed(recipe["seed"] + 1)
        self.task, self.fault = task, recipe["fault"]
        act = {"relu": nn.ReLU, "tanh": nn.Tanh, "sigmoid": nn.Sigmoid}.get(recipe["extra"].get("act", ""))
        self.model = task.model(recipe["dropout"], act)
        with torch.no_grad():
            if self.fault == "init-scale":
                for p in self.model.parameters():
                    p.mul_(recipe["strength"])
            else:
                layers = [m for m in self.model.modules() if isinstance(m, nn.Linear | nn.Conv2d)]
                arrays = [a for m in layers for a in (m.weight, m.bias)]
                spoil(arrays, [True, False] * len(layers), recipe)
        lr, beta, decay = recipe["lr"], recipe["beta"], recipe["weight_decay"]
        shown = [nn.Parameter(p.detach().clone()) for p in self.model.parameters()] if self.fault == "not-stepping" else None
        arguments = shown or list(self.model.parameters())  # the classic: an optimizer made for a copy of the model
        self.optimizer = {
            "sgd": lambda: torch.optim.SGD(arguments, lr, weight_decay=decay),
            "momentum": lambda: torch.optim.SGD(arguments, lr, momentum=beta, weight_decay=decay),
            "nesterov": lambda: torch.optim.SGD(arguments, lr, momentum=beta, weight_decay=decay, nesterov=True),
            "adam": lambda: torch.optim.Adam(arguments, lr, (beta, 0.999), weight_decay=decay),
            "adamw": lambda: torch.optim.AdamW(arguments, lr, (beta, 0.999), weight_decay=decay),
            "rmsprop": lambda: torch.optim.RMSprop(arguments, lr, weight_decay=decay),
        }[recipe["optimizer"]]()

    def loss(self, out: Any, y: Any, fault: str) -> tuple[Any, Any]:
        import torch
        import torch.nn.functional as F  # noqa: N812 - the name everyone knows it by

        if self.task.kind == "class":
            out, y = out.reshape(-1, out.shape[-1]), y.reshape(-1)
            right = (out.argmax(-1) == y).float().mean()
            p = torch.softmax(out, -1)
            picked = p.gather(1, y[:, None]).mean() if fault == "missing-log" else -torch.log(p.gather(1, y[:, None])).mean()
            if fault in ("missing-log", "log-zero"):
                return (-picked if fault == "missing-log" else picked), right
            value = F.cross_entropy(p if fault == "double-softmax" else out, y)
        elif self.task.kind == "binary":
            value, right = F.binary_cross_entropy_with_logits(out, y), ((out > 0) == y).float().mean()
        else:
            value, right = F.mse_loss(out, y), torch.tensor(math.nan)
        return value * (len(y) if fault == "sum-loss" else 1), right

    def gradient(self, x: Any, y: Any) -> Result:
        import torch

        value, right = self.loss(self.model(torch.as_tensor(x)), torch.as_tensor(y), self.fault)
        if self.fault != "detached":
            value.backward()
        grads = [p.grad for p in self.model.parameters() if p.grad is not None]
        norm = float(torch.linalg.vector_norm(torch.stack([g.norm() for g in grads]))) if grads else 0.0
        return float(value.detach()), float(right), norm

    def zero(self) -> None:
        for p in self.model.parameters():
            p.grad = None

    def update(self, lr: float, shrink: float) -> None:
        for group in self.optimizer.param_groups:
            group["lr"] = abs(lr)
        factor = shrink * (1 if lr >= 0 else -1)
        for p in self.model.parameters():
            if p.grad is not None and factor != 1:
                p.grad.mul_(factor)
        self.optimizer.step()

    def evaluate(self, x: Any, y: Any) -> tuple[float, float]:
        import torch

        self.model.eval()
        with torch.no_grad():
            value, right = self.loss(self.model(torch.as_tensor(x)), torch.as_tensor(y), "")
        self.model.train()
        return float(value), float(right)

    def finite(self) -> bool:
        return all(bool(p.isfinite().all()) for p in self.model.parameters())


TRAINERS = {"numpy": NumpyTrainer, "jax": JaxTrainer, "torch": TorchTrainer}
