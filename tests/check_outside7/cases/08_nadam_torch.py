import torch
from torch.optim import Optimizer


class NAdam(Optimizer):
    """NAdam with the momentum schedule of Dozat (2016), as in torch but in one readable loop."""

    def __init__(self, params, lr=2e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0, momentum_decay=4e-3):
        super().__init__(
            params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, momentum_decay=momentum_decay)
        )

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            b1, b2 = group["betas"]
            psi = group["momentum_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"] != 0:
                    g = g.add(p, alpha=group["weight_decay"])
                st = self.state[p]
                if len(st) == 0:
                    st["step"] = 0
                    st["m"] = torch.zeros_like(p)
                    st["n"] = torch.zeros_like(p)
                st["step"] += 1
                t = st["step"]

                mu = b1 * (1 - 0.5 * 0.96 ** (t * psi))
                mu_next = b1 * (1 - 0.5 * 0.96 ** ((t + 1) * psi))

                st["m"].mul_(b1).add_(g, alpha=1 - b1)
                st["n"].mul_(b2).addcmul_(g, g, value=1 - b2)
                n_hat = st["n"] / (1 - b2**t)
                g_hat = g / (1 - mu)
                m_hat = st["m"] / (1 - mu * mu_next)
                m_bar = (1 - mu) * g_hat + mu_next * m_hat
                p.addcdiv_(m_bar, n_hat.sqrt() + group["eps"], value=-group["lr"])
