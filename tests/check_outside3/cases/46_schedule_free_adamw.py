import torch
import torch.optim


class AdamWScheduleFree(torch.optim.Optimizer):
    r"""Schedule-Free AdamW. No scheduler is needed; call ``.train()`` before
    training and ``.eval()`` before evaluation.

    Arguments:
        lr (float): learning rate (default 0.0025)
        betas: (interpolation of y between z and x, second moment)
        warmup_steps (int): linear learning rate warmup
        weight_lr_power (float): power of the learning rate in the averaging weights
    """

    def __init__(self, params, lr=0.0025, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0,
                 warmup_steps=0, weight_lr_power=2.0):
        defaults = dict(lr=lr, betas=betas, eps=eps, weight_decay=weight_decay, k=0,
                        warmup_steps=warmup_steps, train_mode=True, weight_sum=0.0,
                        lr_max=-1.0, weight_lr_power=weight_lr_power)
        super().__init__(params, defaults)

    @torch.no_grad()
    def eval(self):
        for group in self.param_groups:
            beta1, _ = group['betas']
            if group['train_mode']:
                for p in group['params']:
                    state = self.state[p]
                    if 'z' in state:
                        # Set p to x
                        p.lerp_(end=state['z'], weight=1 - 1 / beta1)
                group['train_mode'] = False

    @torch.no_grad()
    def train(self):
        for group in self.param_groups:
            beta1, _ = group['betas']
            if not group['train_mode']:
                for p in group['params']:
                    state = self.state[p]
                    if 'z' in state:
                        # Set p to y
                        p.lerp_(end=state['z'], weight=1 - beta1)
                group['train_mode'] = True

    @torch.no_grad()
    def step(self, closure=None):
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()

        for group in self.param_groups:
            beta1, beta2 = group['betas']
            k = group['k']
            decay = group['weight_decay']

            sched = (k + 1) / group['warmup_steps'] if k < group['warmup_steps'] else 1.0
            bias_correction2 = 1 - beta2 ** (k + 1)
            lr = group['lr'] * sched
            lr_max = group['lr_max'] = max(lr, group['lr_max'])

            weight = lr_max ** group['weight_lr_power']
            try:
                ckp1 = weight / group['weight_sum']
            except ZeroDivisionError:
                ckp1 = 0
            group['weight_sum'] += weight

            for p in group['params']:
                if p.grad is None:
                    continue
                y, grad, state = p, p.grad, self.state[p]
                if 'z' not in state:
                    state['z'] = torch.clone(y)
                    state['exp_avg_sq'] = torch.zeros_like(y)
                z, exp_avg_sq = state['z'], state['exp_avg_sq']

                exp_avg_sq.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                denom = exp_avg_sq.div(bias_correction2).sqrt_().add_(group['eps'])
                grad_normalized = grad / denom
                # Weight decay calculated at y
                if decay != 0:
                    grad_normalized.add_(y, alpha=decay)

                y.lerp_(end=z, weight=ckp1)
                y.add_(grad_normalized, alpha=lr * (beta1 * (1 - ckp1) - 1))
                # z step
                z.sub_(grad_normalized, alpha=lr)

            group['k'] = k + 1
        return loss
