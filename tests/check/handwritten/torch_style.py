"""Mistakes as people make them in a torch.optim.Optimizer. Written by hand; none comes from the catalogue.

`CASES` lists for each class the rule it is meant to be and the quantities whose equation is wrong.
"""

from __future__ import annotations

import math

import torch
from torch.optim import Optimizer


class Base(Optimizer):
    """Groups and state; subclasses write the mathematics."""

    def __init__(self, params, lr=1e-3, **kw):
        super().__init__(params, {"lr": lr, **kw})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                self.move(p, p.grad, self.state[p], group)

    def move(self, p, grad, state, group):
        raise NotImplementedError


class AdamBase(Base):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, lr, betas=betas, eps=eps)

    def moments(self, p, state):
        if not state:
            state["step"] = 0
            state["exp_avg"] = torch.zeros_like(p)
            state["exp_avg_sq"] = torch.zeros_like(p)
        state["step"] += 1
        return state["exp_avg"], state["exp_avg_sq"], state["step"]


class DecayBase(AdamBase):
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        Base.__init__(self, params, lr, betas=betas, eps=eps, weight_decay=weight_decay)


class AdamNoCorrection(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, _ = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m, v.sqrt().add_(group["eps"]), value=-group["lr"])


class AdamEpsInside(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        denom = (v / (1 - b2**t)).add(group["eps"]).rsqrt()
        p.add_(m * denom, alpha=-group["lr"] / (1 - b1**t))


class AdamDecayDecoupledNoLr(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        p.mul_(1 - group["weight_decay"])
        m.mul_(b1).add_(grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        step_size = group["lr"] / (1 - b1**t)
        p.addcdiv_(m, (v.sqrt() / math.sqrt(1 - b2**t)).add_(group["eps"]), value=-step_size)


class AdamWIsReallyAdam(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        grad = grad.add(p, alpha=group["weight_decay"])
        m, v, t = self.moments(p, state)
        m.mul_(b1).add_(grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AdamWDecayAfter(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.mul_(b1).add_(grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])
        p.mul_(1 - group["lr"] * group["weight_decay"])


class AdamWDecayForgotten(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.mul_(b1).add_(grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AdamWOnlyMatrices(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        if p.dim() >= 2:
            p.mul_(1 - group["lr"] * group["weight_decay"])
        m.mul_(b1).add_(grad, alpha=1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AdamSwappedLerp(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AdamSecondLerpNotSquared(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.lerp_(grad.abs(), 1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AdamInPlaceCorrection(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        m_hat = m.div_(1 - b1**t)
        v_hat = v.div_(1 - b2**t)
        p.addcdiv_(m_hat, v_hat.sqrt().add_(group["eps"]), value=-group["lr"])


class AdamOldMoments(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        direction = m / (1 - b1**t)
        denom = (v / (1 - b2**t)).sqrt().add_(group["eps"])
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.add_(direction / denom, alpha=-group["lr"])


class AdamGradientInNumerator(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(grad, (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AMSGradNoMax(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class AMSGradMaxIntoV(AdamBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        new = v * b2 + (1 - b2) * grad * grad
        torch.maximum(v, new, out=v)
        p.addcdiv_(m / (1 - b1**t), (v / (1 - b2**t)).sqrt().add_(group["eps"]), value=-group["lr"])


class RMSpropBase(Base):
    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0):
        super().__init__(params, lr, alpha=alpha, eps=eps, momentum=momentum)

    def averages(self, p, state):
        if not state:
            state["square_avg"] = torch.zeros_like(p)
            state["buf"] = torch.zeros_like(p)
        return state["square_avg"], state["buf"]


class RMSpropSum(RMSpropBase):
    def move(self, p, grad, state, group):
        avg, buf = self.averages(p, state)
        avg.add_(grad * grad)
        buf.mul_(group["momentum"]).add_(grad / (avg.sqrt() + group["eps"]))
        p.sub_(buf, alpha=group["lr"])


class RMSpropNoRoot(RMSpropBase):
    def move(self, p, grad, state, group):
        avg, buf = self.averages(p, state)
        avg.mul_(group["alpha"]).addcmul_(grad, grad, value=1 - group["alpha"])
        buf.mul_(group["momentum"]).add_(grad / (avg + group["eps"]))
        p.sub_(buf, alpha=group["lr"])


class RMSpropMomentumOnGradient(RMSpropBase):
    def move(self, p, grad, state, group):
        avg, buf = self.averages(p, state)
        avg.mul_(group["alpha"]).addcmul_(grad, grad, value=1 - group["alpha"])
        buf.mul_(group["momentum"]).add_(grad)
        p.sub_(buf, alpha=group["lr"])


class MomentumBase(Base):
    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0.0):
        super().__init__(params, lr, momentum=momentum, weight_decay=weight_decay)


class MomentumResets(MomentumBase):
    def move(self, p, grad, state, group):
        grad = grad + group["weight_decay"] * p
        buf = torch.zeros_like(p)
        buf.mul_(group["momentum"]).add_(grad)
        state["momentum_buffer"] = buf
        p.add_(buf, alpha=-group["lr"])


class MomentumLrTwice(MomentumBase):
    def move(self, p, grad, state, group):
        grad = grad + group["weight_decay"] * p
        buf = state.setdefault("momentum_buffer", torch.zeros_like(p))
        buf.mul_(group["momentum"]).add_(grad, alpha=group["lr"])
        p.add_(buf, alpha=-group["lr"])


class MomentumDecayOnStep(MomentumBase):
    def move(self, p, grad, state, group):
        grad = grad - group["weight_decay"] * p
        buf = state.setdefault("momentum_buffer", torch.zeros_like(p))
        buf.mul_(group["momentum"]).add_(grad)
        p.add_(buf, alpha=-group["lr"])


class LionSameBeta(Base):
    def __init__(self, params, lr=1e-4, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, lr, betas=betas, weight_decay=weight_decay)

    def move(self, p, grad, state, group):
        b1, _ = group["betas"]
        m = state.setdefault("exp_avg", torch.zeros_like(p))
        p.mul_(1 - group["lr"] * group["weight_decay"])
        update = m * b1 + grad * (1 - b1)
        p.add_(update.sign(), alpha=-group["lr"])
        m.mul_(b1).add_(grad, alpha=1 - b1)


class LionMemoryFirst(LionSameBeta):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m = state.setdefault("exp_avg", torch.zeros_like(p))
        p.mul_(1 - group["lr"] * group["weight_decay"])
        m.mul_(b2).add_(grad, alpha=1 - b2)
        p.add_((m * b1 + grad * (1 - b1)).sign(), alpha=-group["lr"])


class LionDecayInSign(LionSameBeta):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m = state.setdefault("exp_avg", torch.zeros_like(p))
        p.add_((m * b1 + grad * (1 - b1) + group["weight_decay"] * p).sign(), alpha=-group["lr"])
        m.mul_(b2).add_(grad, alpha=1 - b2)


class LAMBNoTrust(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        r = (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"])
        p.sub_(group["lr"] * (r + group["weight_decay"] * p))


class LAMBTrustUpsideDown(DecayBase):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        r = (m / (1 - b1**t)) / ((v / (1 - b2**t)).sqrt() + group["eps"]) + group["weight_decay"] * p
        w_norm, r_norm = p.norm(), r.norm()
        trust = r_norm / w_norm if w_norm > 0 and r_norm > 0 else 1.0
        p.sub_(group["lr"] * trust * r)


class NAdamNoLookAhead(AdamBase):
    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, momentum_decay=4e-3):
        Base.__init__(self, params, lr, betas=betas, eps=eps, momentum_decay=momentum_decay)

    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        mu = b1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * group["momentum_decay"]))
        state["mu_product"] = state.get("mu_product", 1.0) * mu
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        denom = (v / (1 - b2**t)).sqrt().add_(group["eps"])
        p.addcdiv_(m, denom, value=-group["lr"] * mu_next / (1 - state["mu_product"] * mu_next))


class NAdamProductOff(NAdamNoLookAhead):
    def move(self, p, grad, state, group):
        b1, b2 = group["betas"]
        m, v, t = self.moments(p, state)
        mu = b1 * (1 - 0.5 * 0.96 ** (t * group["momentum_decay"]))
        mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * group["momentum_decay"]))
        product = state["mu_product"] = state.get("mu_product", 1.0) * mu
        m.lerp_(grad, 1 - b1)
        v.mul_(b2).addcmul_(grad, grad, value=1 - b2)
        denom = (v / (1 - b2**t)).sqrt().add_(group["eps"])
        p.addcdiv_(grad, denom, value=-group["lr"] * (1 - mu) / (1 - product))
        p.addcdiv_(m, denom, value=-group["lr"] * mu_next / (1 - product))


CASES = {
    "AdamNoCorrection": ("adam", {"m_hat"}),
    "AdamEpsInside": ("adam", {"p"}),
    "AdamDecayDecoupledNoLr": ("adamw", {"p"}),
    "AdamWIsReallyAdam": ("adamw", {"p"}),
    "AdamWDecayAfter": ("adamw", {"p"}),
    "AdamWDecayForgotten": ("adamw", {"p"}),
    "AdamWOnlyMatrices": ("adamw", {"p"}),
    "AdamSwappedLerp": ("adam", {"m"}),
    "AdamSecondLerpNotSquared": ("adam", {"v"}),
    "AdamInPlaceCorrection": ("adam", {"m_hat", "v_hat"}),
    "AdamOldMoments": ("adam", {"v_hat"}),
    "AdamGradientInNumerator": ("adam", {"p"}),
    "AMSGradNoMax": ("amsgrad", {"v_max"}),
    "AMSGradMaxIntoV": ("amsgrad", {"v_max"}),
    "RMSpropSum": ("rmsprop", {"v"}),
    "RMSpropNoRoot": ("rmsprop", {"r"}),
    "RMSpropMomentumOnGradient": ("rmsprop", {"b", "r"}),
    "MomentumResets": ("momentum", {"b"}),
    "MomentumLrTwice": ("momentum", {"b"}),
    "MomentumDecayOnStep": ("momentum", {"g"}),
    "LionSameBeta": ("lion", {"m"}),
    "LionMemoryFirst": ("lion", {"c"}),
    "LionDecayInSign": ("lion", {"p"}),
    "LAMBNoTrust": ("lamb", {"trust"}),
    "LAMBTrustUpsideDown": ("lamb", {"trust"}),
    "NAdamNoLookAhead": ("nadam", {"g_hat"}),
    "NAdamProductOff": ("nadam", {"m_hat"}),
}
