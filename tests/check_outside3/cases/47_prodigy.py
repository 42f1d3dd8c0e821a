import torch
from torch.optim import Optimizer


class Prodigy(Optimizer):
    r"""Adam with step sizes from the Prodigy distance estimate.
    Leave ``lr`` at 1 unless you know what you are doing.

    Arguments:
        params: parameters or parameter groups
        lr (float): multiplier of the estimated learning rate
        betas: coefficients of the Adam averages
        beta3 (float): coefficient of the averages behind the distance estimate,
            chosen from ``betas`` when None
        eps (float): Adam epsilon
        weight_decay (float): decoupled weight decay
        d0 (float): initial estimate of D
        d_coef (float): coefficient in the expression for the estimate of D
    """

    def __init__(self, params, lr=1.0, betas=(0.9, 0.999), beta3=None, eps=1e-8,
                 weight_decay=0.0, d0=1e-6, d_coef=1.0):
        if not 0.0 < d0:
            raise ValueError("Invalid d0 value: {}".format(d0))
        defaults = dict(lr=lr, betas=betas, beta3=beta3, eps=eps, weight_decay=weight_decay,
                        d=d0, d0=d0, d_max=d0, d_numerator=0.0, d_coef=d_coef)
        super().__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        group = self.param_groups[0]
        beta1, beta2 = group['betas']
        beta3 = group['beta3']
        if beta3 is None:
            beta3 = beta2
        d, d0, lr = group['d'], group['d0'], group['lr']
        dlr = d * lr
        d_numerator = group['d_numerator'] * beta3
        d_denom = 0.0

        for group in self.param_groups:
            for p in group['params']:
                if p.grad is None:
                    continue
                grad, state = p.grad, self.state[p]
                if 's' not in state:
                    state['s'] = torch.zeros_like(p)
                    state['p0'] = p.detach().clone()
                    state['exp_avg'] = torch.zeros_like(p)
                    state['exp_avg_sq'] = torch.zeros_like(p)

                # d_0 may be tiny, hence the division
                d_numerator += (d / d0) * dlr * torch.sum(grad * (state['p0'] - p)).item()
                state['exp_avg'].mul_(beta1).add_(grad, alpha=d * (1 - beta1))
                state['exp_avg_sq'].mul_(beta2).addcmul_(grad, grad, value=d * d * (1 - beta2))
                state['s'].mul_(beta3).add_(grad, alpha=(d / d0) * dlr)
                d_denom += state['s'].abs().sum().item()

        if d_denom == 0:
            return loss

        d_hat = self.param_groups[0]['d_coef'] * d_numerator / d_denom
        d = max(d, d_hat)

        for group in self.param_groups:
            group['d_numerator'] = d_numerator
            group['d'] = d
            group['d_max'] = max(group['d_max'], d_hat)
            for p in group['params']:
                if p.grad is None:
                    continue
                state = self.state[p]
                denom = state['exp_avg_sq'].sqrt().add_(d * group['eps'])
                if group['weight_decay'] != 0:
                    p.add_(p, alpha=-group['weight_decay'] * dlr)
                p.addcdiv_(state['exp_avg'], denom, value=-dlr)
        return loss
