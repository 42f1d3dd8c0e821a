import torch
from torch.optim import Optimizer


class LeanRMSprop(Optimizer):
    """RMSprop with as few temporaries as possible (fits next to the model on an 8 GB card)."""

    def __init__(self, params, lr=1e-2, alpha=0.99, eps=1e-8, momentum=0.0):
        super().__init__(params, {"lr": lr, "alpha": alpha, "eps": eps, "momentum": momentum})

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            lr, alpha, eps, mom = group["lr"], group["alpha"], group["eps"], group["momentum"]
            for p in filter(lambda q: q.grad is not None, group["params"]):
                st = self.state[p]
                if "square_avg" not in st:
                    st["square_avg"] = torch.zeros_like(p)
                    if mom > 0:
                        st["momentum_buffer"] = torch.zeros_like(p)
                sq = st["square_avg"]
                sq.mul_(alpha).addcmul_(p.grad, p.grad, value=1.0 - alpha)
                avg = sq.sqrt_().add_(eps)
                if mom > 0:
                    buf = st["momentum_buffer"]
                    buf.mul_(mom).addcdiv_(p.grad, avg)
                    p.add_(buf, alpha=-lr)
                else:
                    p.addcdiv_(p.grad, avg, value=-lr)
