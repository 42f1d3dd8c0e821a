import torch
from torch.optim import Optimizer


class Adadelta(Optimizer):
    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0):
        super().__init__(params, dict(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        for group in self.param_groups:
            rho, eps, lr = group["rho"], group["eps"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                st = self.state[p]
                if len(st) == 0:
                    st["square_avg"] = torch.zeros_like(p)
                    st["acc_delta"] = torch.zeros_like(p)
                sq, acc = st["square_avg"], st["acc_delta"]
                sq.mul_(rho).addcmul_(g, g, value=1 - rho)
                delta = acc.add(eps).sqrt_().div_(sq.add(eps).sqrt_()).mul_(g).mul_(lr)
                acc.mul_(rho).addcmul_(delta, delta, value=1 - rho)
                p.sub_(delta)
        return loss
