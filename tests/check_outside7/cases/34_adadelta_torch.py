import torch


class Adadelta(torch.optim.Optimizer):
    """ADADELTA: An Adaptive Learning Rate Method (Zeiler, 2012)."""

    def __init__(self, params, lr=1.0, rho=0.9, eps=1e-6, weight_decay=0):
        defaults = dict(lr=lr, rho=rho, eps=eps, weight_decay=weight_decay)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rho, eps = group["rho"], group["eps"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                if group["weight_decay"]:
                    grad = grad + group["weight_decay"] * p
                state = self.state[p]
                if not state:
                    state["Eg2"] = torch.zeros_like(p)
                    state["Edx2"] = torch.zeros_like(p)
                Eg2, Edx2 = state["Eg2"], state["Edx2"]

                Eg2.mul_(rho).addcmul_(grad, grad, value=1 - rho)
                rms_g = (Eg2 + eps).sqrt()
                rms_dx = Edx2.sqrt()
                dx = rms_dx / rms_g * grad
                Edx2.mul_(rho).addcmul_(dx, dx, value=1 - rho)
                p.add_(dx, alpha=-group["lr"])
        return loss
