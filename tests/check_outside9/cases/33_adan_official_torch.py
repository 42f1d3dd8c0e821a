import torch


class AdanLite(torch.optim.Optimizer):
    """Adan, single-tensor path only.

    The negated previous gradient is stored; adding the new gradient to it
    gives the difference without a temporary.
    """

    def __init__(self, params, lr=1e-3, betas=(0.98, 0.92, 0.99), eps=1e-8, weight_decay=0.0, no_prox=False):
        super().__init__(params, dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, no_prox=no_prox))
        self._k = 0

    @torch.no_grad()
    def step(self, closure=None):
        loss = closure() if closure is not None else None
        self._k += 1
        for group in self.param_groups:
            b1, b2, b3 = group["betas"]
            lr, wd = group["lr"], group["weight_decay"]
            c1, c2 = 1.0 - b1**self._k, 1.0 - b2**self._k
            c3_sqrt = (1.0 - b3**self._k) ** 0.5
            for p in group["params"]:
                if p.grad is None:
                    continue
                g, st = p.grad, self.state[p]
                if len(st) == 0:
                    for key in ("exp_avg", "exp_avg_diff", "exp_avg_sq"):
                        st[key] = torch.zeros_like(p)
                    st["neg_pre_grad"] = g.clone().neg_()

                work = st["neg_pre_grad"]
                work.add_(g)
                st["exp_avg"].mul_(b1).add_(g, alpha=1 - b1)
                st["exp_avg_diff"].mul_(b2).add_(work, alpha=1 - b2)
                work.mul_(b2).add_(g)
                st["exp_avg_sq"].mul_(b3).addcmul_(work, work, value=1 - b3)

                denom = (st["exp_avg_sq"].sqrt() / c3_sqrt).add_(group["eps"])
                if group["no_prox"]:
                    p.mul_(1 - lr * wd)
                p.addcdiv_(st["exp_avg"], denom, value=-lr / c1)
                p.addcdiv_(st["exp_avg_diff"], denom, value=-lr * b2 / c2)
                if not group["no_prox"]:
                    p.div_(1 + lr * wd)
                work.zero_().sub_(g)
        return loss
