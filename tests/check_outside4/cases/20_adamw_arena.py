import torch as t


class AdamW:
    def __init__(self, params, lr=1e-3, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-2):
        self.params = list(params)
        self.lr = lr
        self.b1, self.b2 = betas
        self.eps = eps
        self.weight_decay = weight_decay
        self.num_steps = 0
        self.exp_avg = [t.zeros_like(p) for p in self.params]
        self.exp_avg_sq = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        self.num_steps += 1
        bc1 = 1 - self.b1 ** self.num_steps
        bc2 = 1 - self.b2 ** self.num_steps
        # both corrections go into the step size
        step_size = self.lr * (bc2 / bc1) ** 0.5
        eps = self.eps * bc2 ** 0.5

        for p, m, v in zip(self.params, self.exp_avg, self.exp_avg_sq):
            g = p.grad
            if self.weight_decay:
                g = g + self.weight_decay * p
                p.mul_(1 - self.lr * self.weight_decay)
            m.mul_(self.b1).add_(g, alpha=1 - self.b1)
            v.mul_(self.b2).addcmul_(g, g, value=1 - self.b2)
            p.addcdiv_(m, v.sqrt() + eps, value=-step_size)
