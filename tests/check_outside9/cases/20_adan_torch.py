import torch


class Adan(torch.optim.Optimizer):
    """Adaptive Nesterov Momentum (Xie et al., 2022).

    Betas in the convention of the official code, (0.98, 0.92, 0.99).
    """

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay))

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            beta1, beta2, beta3 = group["betas"]
            lr, wd = group["lr"], group["weight_decay"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_diff"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                    state["previous_grad"] = grad.clone()
                state["step"] += 1
                k = state["step"]
                diff = grad - state["previous_grad"]

                state["exp_avg"].mul_(beta1).add_(grad, alpha=1 - beta1)
                state["exp_avg_diff"].mul_(beta2).add_(diff, alpha=1 - beta2)
                state["exp_avg_sq"].mul_(beta3).addcmul_(grad, grad, value=1 - beta3)

                bias1 = 1 - beta1**k
                bias3 = 1 - beta3**k
                denom = (state["exp_avg_sq"] / bias3).sqrt().add_(group["eps"])
                update = (state["exp_avg"] + beta2 * state["exp_avg_diff"]) / bias1
                p.addcdiv_(update, denom, value=-lr)
                p.div_(1 + lr * wd)
                state["previous_grad"].copy_(grad)
        return loss
