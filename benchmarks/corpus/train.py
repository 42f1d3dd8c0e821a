"""Train one recipe on one program and record what a logger would have seen, and the truth it would not.

Parameters and gradients are views of two flat vectors, so that an update is a handful of operations and "the optimizer was
given other parameters" or "zero_grad was forgotten" are one line each, injected where the bug would be.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
import torch
from programs import PROGRAMS, Data, Program, metric
from torch import Tensor, nn


@dataclass(frozen=True)
class Recipe:
    """Everything that decides a run; `fault` names the cause injected, '' for none, and `strength` how strongly."""

    program: str
    optimizer: str
    lr: float
    epochs: int
    batch: int
    seed: int
    schedule: str = "constant"
    dropout: float = 0.0
    weight_decay: float = 0.0
    clip: float = math.inf
    beta: float = 0.9
    fault: str = ""
    strength: float = 0.0
    note: str = ""
    extra: dict[str, Any] = field(default_factory=dict)


def schedule_factor(name: str, t: int, total: int) -> float:
    """The learning-rate multiplier at step t of a schedule by name."""
    u = t / max(total - 1, 1)
    if name == "cosine":
        return 0.5 * (1 + math.cos(math.pi * u))
    if name == "warmup-cosine":
        return min(1.0, u / 0.1 + 1e-3) * 0.5 * (1 + math.cos(math.pi * u))
    if name == "warmup":
        return min(1.0, u / 0.1 + 1e-3)
    if name == "linear":
        return 1 - 0.99 * u
    if name == "exponential":
        return 0.02**u
    if name == "step":
        return 0.1 ** ((u >= 0.5) + (u >= 0.75))
    if name.startswith("early"):  # early:0.1:0.001 drops to a thousandth after a tenth of the run
        _, when, factor = name.split(":")
        return 1.0 if u < float(when) else float(factor)
    return 1.0


class Flat:
    """A model whose parameters and gradients are views of two vectors, and the update rules on them."""

    def __init__(self, model: nn.Module) -> None:
        parameters = list(model.parameters())
        self.w = torch.cat([p.detach().reshape(-1) for p in parameters])
        self.g = torch.zeros_like(self.w)
        at = 0
        for p in parameters:
            p.data = self.w[at : at + p.numel()].view_as(p)
            p.grad = self.g[at : at + p.numel()].view_as(p)
            at += p.numel()
        self.m, self.v, self.t = torch.zeros_like(self.w), torch.zeros_like(self.w), 0

    def update(self, optimizer: str, lr: float, beta: float, decay: float) -> None:
        """One step of sgd, momentum, nesterov, adam, adamw or rmsprop, as PyTorch defines them."""
        g = self.g
        if decay and optimizer != "adamw":
            g = g.add(self.w, alpha=decay)
        elif decay:
            self.w.mul_(1 - lr * decay)
        self.t += 1
        if optimizer == "sgd":
            self.w.add_(g, alpha=-lr)
        elif optimizer == "momentum":
            self.m.mul_(beta).add_(g)
            self.w.add_(self.m, alpha=-lr)
        elif optimizer == "nesterov":
            self.m.mul_(beta).add_(g)
            self.w.add_(g, alpha=-lr).add_(self.m, alpha=-lr * beta)
        elif optimizer == "rmsprop":
            self.v.mul_(0.99).addcmul_(g, g, value=0.01)
            self.w.addcdiv_(g, self.v.sqrt().add_(1e-8), value=-lr)
        else:
            self.m.mul_(beta).add_(g, alpha=1 - beta)
            self.v.mul_(0.999).addcmul_(g, g, value=0.001)
            scale = math.sqrt(1 - 0.999**self.t) / (1 - beta**self.t)
            self.w.addcdiv_(self.m, self.v.sqrt().add_(1e-8 * scale), value=-lr * scale)


def corrupt_data(p: Program, r: Recipe, data: Data, rng: np.random.Generator) -> Data:
    """The data a fault in the data pipeline would deliver."""
    x, y, xv, yv = data
    if r.fault == "wrong-labels":
        y = y[torch.tensor(rng.permutation(len(y)))]
    if r.fault == "unnormalised":
        scales = torch.tensor(10 ** rng.uniform(0, r.strength, x.shape[-1]), dtype=x.dtype)
        x, xv = x * scales + scales, xv * scales + scales
    if r.fault == "overfitting":
        x, y = x[: int(r.strength)], y[: int(r.strength)]
    if r.fault == "noisy-validation":
        xv, yv = xv[: int(r.strength)], yv[: int(r.strength)]
    if r.fault == "distribution-shift":
        if p.tokens:  # another labelling convention or another source: some targets of the validation set mean something else
            keep = torch.tensor(rng.uniform(size=len(yv)) > r.strength)
            shuffled = yv[torch.tensor(rng.permutation(len(yv)))]
            yv = torch.where(keep.view(-1, *[1] * (yv.dim() - 1)), yv, shuffled)
        else:
            xv = xv * (1 + r.strength) + r.strength * xv.std()
    return x, y, xv, yv


def corrupt_model(r: Recipe, model: nn.Module) -> None:
    """Bad initial weights, dead or saturated units."""
    with torch.no_grad():
        for layer_parameter in model.parameters():
            if r.fault == "init-scale":
                layer_parameter.mul_(r.strength)
        linear = [m for m in model.modules() if isinstance(m, nn.Linear | nn.Conv1d | nn.Conv2d)]
        for layer in linear[:-1]:
            if r.fault == "dead-units":
                layer.bias.fill_(-r.strength)
            if r.fault == "saturated-units":
                layer.weight.mul_(r.strength)


def loss_of(p: Program, r: Recipe, out: Tensor, y: Tensor) -> Tensor:
    """The loss as the program under test computes it, with the mistake in it if there is one."""
    if r.fault == "double-softmax":
        return p.loss(torch.softmax(out, -1), y)
    if r.fault == "missing-log":
        return -torch.softmax(out, -1).reshape(-1, out.shape[-1]).gather(1, y.reshape(-1, 1)).mean()
    if r.fault == "sum-loss":
        return p.loss(out, y) * len(y)
    if r.fault == "log-zero":
        return -torch.log(torch.softmax(out, -1).reshape(-1, out.shape[-1]).gather(1, y.reshape(-1, 1))).mean()
    return p.loss(out, y)


def constant_loss(p: Program, y: Tensor) -> float:
    """The loss of the best constant predictor on these targets: the level a run must beat to have learned anything."""
    if p.classes and p.kind != "hinge":
        counts = torch.bincount(y.reshape(-1), minlength=p.classes).float()
        share = counts / counts.sum()
        return float(-(share[share > 0] * share[share > 0].log()).sum())
    if p.kind == "reg":
        return float(((y - y.mean(0)) ** 2).mean())
    if p.kind == "hinge":
        return float(2 * min(y.float().mean(), 1 - y.float().mean()))
    if p.kind == "poisson":
        return float(y.mean() - y.mean() * y.mean().log())
    if p.kind in ("absolute", "quantile"):
        return min(float(p.loss(level.expand(len(y)), y)) for level in torch.quantile(y, torch.linspace(0.05, 0.95, 37)))
    return float(0.5 * math.log(2 * math.pi * math.e * float(y.var())))


def evaluate(p: Program, model: nn.Module, x: Tensor, y: Tensor) -> tuple[float, float]:
    """Loss and accuracy of the model on a whole set, in evaluation mode."""
    model.eval()
    with torch.no_grad():
        out = model(x)
        accuracy = metric(p)
        result = float(p.loss(out, y)), float(accuracy(out, y)) if accuracy else math.nan
    model.train()
    return result


def train(r: Recipe) -> dict[str, Any]:
    """Run the recipe; returns the columns a logger saw and the truth (`true_*`) that decides the label."""
    p = PROGRAMS[r.program]
    rng = np.random.default_rng(zlib.crc32(r.program.encode()) + r.seed % 7)
    torch.manual_seed(r.seed + 1)
    clean = p.data(rng)
    rng = np.random.default_rng(r.seed)
    x, y, xv, yv = corrupt_data(p, r, clean, rng)
    model = p.model(r.extra.get("act", p.act), r.dropout)
    corrupt_model(r, model)
    reference = clean if r.fault in ("wrong-labels", "distribution-shift") else (x, y, xv, yv)
    log: dict[str, Any] = {"true_start": evaluate(p, model, *reference[:2])[0], "base": constant_loss(p, reference[1])}
    log |= run_loop(p, r, model, (x, y, xv, yv), rng)
    log["true_end"], log["true_accuracy"] = evaluate(p, model, *reference[:2])
    log["true_val"] = evaluate(p, model, *clean[2:])[0] if r.fault != "unnormalised" else math.nan
    log["base_val"] = constant_loss(p, clean[3])
    return log | {"recipe": asdict(r)}


def poisoned(r: Recipe, x: Tensor, t: int, total: int) -> Tensor:
    """A batch with a NaN in it, or far out of range, at the step the fault strikes."""
    strike = int(r.extra.get("when", 0.3) * total)
    if r.fault in ("nan-data", "hidden-nan", "log-zero") and t == strike:
        x = x.clone()
        x[0] = math.nan if r.fault != "log-zero" else x[0] * 1e4
    if r.fault == "spike" and t == strike:
        x = x * r.strength
    return x


def run_loop(p: Program, r: Recipe, model: nn.Module, data: Data, rng: np.random.Generator) -> dict[str, Any]:
    x, y, xv, yv = data
    flat, accuracy, n = Flat(model), metric(p), len(x)
    batch = min(r.batch, n)
    per_epoch = max(n // batch, 1)
    total = per_epoch * r.epochs
    steps = np.full((total, 4), np.nan)  # loss, lr, grad_norm, accuracy
    epochs = np.full((r.epochs, 2), np.nan)  # val_loss, val_accuracy
    clip = r.clip
    for t in range(total):
        if t % per_epoch == 0:
            order = torch.tensor(rng.permutation(n))
        index = order[(t % per_epoch) * batch : (t % per_epoch + 1) * batch]
        lr = r.lr * schedule_factor(r.schedule, t, total)
        xb = poisoned(r, x[index], t, total)
        out = model(xb)
        loss = loss_of(p, r, out, y[index])
        if r.fault != "missing-zero-grad":
            flat.g.zero_()
        if r.fault != "detached":
            loss.backward()
        norm = float(flat.g.norm())
        steps[t] = loss.item(), lr, norm, accuracy(out, y[index]).item() if accuracy else math.nan
        if r.fault == "over-clipping" and t == 0:
            clip = r.strength * norm
        if norm > clip:
            flat.g.mul_(clip / norm)
        if r.fault not in ("not-stepping", "detached"):
            flat.update(r.optimizer, -lr if r.fault == "flipped-sign" else lr, r.beta, r.weight_decay)
        if (t + 1) % per_epoch == 0:
            epochs[t // per_epoch] = evaluate(p, model, xv, yv)
        if t % 10 == 9 and not bool(torch.isfinite(flat.w).all()):
            steps[t + 1 :, 1] = [r.lr * schedule_factor(r.schedule, k, total) for k in range(t + 1, total)]
            break
    return {"steps": steps.astype(np.float32), "epochs": epochs.astype(np.float32), "per_epoch": per_epoch}
