import torch
from torch.optim import Optimizer


class RAdam(Optimizer):
    """Rectified Adam, https://arxiv.org/abs/1908.03265"""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            lr = group["lr"]
            rho_inf = 2 / (1 - beta2) - 1
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["t"] = 0
                    state["m"] = torch.zeros_like(p)
                    state["v"] = torch.zeros_like(p)
                state["t"] += 1
                t, m, v = state["t"], state["m"], state["v"]
                m.lerp_(p.grad, 1 - beta1)
                v.mul_(beta2).addcmul_(p.grad, p.grad, value=1 - beta2)

                beta2_t = beta2 ** t
                rho_t = rho_inf - 2 * t * beta2_t / (1 - beta2_t)
                if rho_t > 5:
                    r = (rho_t - 4) * (rho_t - 2) * rho_inf
                    r = r / ((rho_inf - 4) * (rho_inf - 2) * rho_t)
                    denom = (v / (1 - beta2_t)).sqrt_().add_(group["eps"])
                    p.addcdiv_(m, denom, value=-lr * r / (1 - beta1 ** t))
                else:
                    p.add_(m, alpha=-lr)
        return loss
