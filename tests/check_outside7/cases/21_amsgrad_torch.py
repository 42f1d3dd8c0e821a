import torch
from torch.optim import Optimizer


class AMSGrad(Optimizer):
    """AMSGrad (Reddi et al., 2018): Adam with a non-decreasing second moment."""

    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay)
        super(AMSGrad, self).__init__(params, defaults)

    @torch.no_grad()
    def step(self, closure=None):
        for group in self.param_groups:
            beta1, beta2 = group['betas']
            for p in group['params']:
                if p.grad is None:
                    continue
                grad = p.grad
                if group['weight_decay'] != 0:
                    grad = grad.add(p, alpha=group['weight_decay'])

                state = self.state[p]
                if len(state) == 0:
                    state['step'] = 0
                    state['exp_avg'] = torch.zeros_like(p)
                    state['exp_avg_sq'] = torch.zeros_like(p)

                state['step'] += 1
                state['exp_avg'].mul_(beta1).add_(grad, alpha=1 - beta1)
                v_new = state['exp_avg_sq'] * beta2 + (1 - beta2) * grad * grad
                # keep the running maximum
                state['exp_avg_sq'] = torch.maximum(state['exp_avg_sq'], v_new)
                v_max = state['exp_avg_sq']

                bias1 = 1 - beta1 ** state['step']
                bias2 = 1 - beta2 ** state['step']
                denom = (v_max / bias2).sqrt() + group['eps']
                p.sub_(group['lr'] * (state['exp_avg'] / bias1) / denom)
