import torch
from torch.optim.optimizer import Optimizer


class NesterovSGD(Optimizer):
    r"""SGD with Nesterov momentum, allocation free version.

    All arithmetic happens in the momentum buffer, no temporaries the size of
    the parameter are created.
    """

    def __init__(self, params, lr=1e-2, momentum=0.9, weight_decay=0, *, nesterov=True):
        if momentum <= 0 and nesterov:
            raise ValueError("Nesterov momentum requires a momentum")
        defaults = dict(lr=lr, momentum=momentum, weight_decay=weight_decay, nesterov=nesterov)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            mu = group["momentum"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                g = p.grad
                if group["weight_decay"]:
                    g = g.add(p, alpha=group["weight_decay"])
                state = self.state[p]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(p)
                d = state["momentum_buffer"].mul_(mu).add_(g)
                if group["nesterov"]:
                    d = d.mul_(mu).add_(g)
                p.add_(d, alpha=-group["lr"])
        return loss
