import torch as t


class RMSprop:
    """RMSprop for the EfficientNet reproduction: average of squares starts at one,
    eps under the root, learning rate inside the momentum buffer."""

    def __init__(self, params, lr=1e-2, alpha=0.9, eps=1e-10, weight_decay=0.0, momentum=0.0):
        self.params = list(params)
        self.lr, self.alpha, self.eps = lr, alpha, eps
        self.weight_decay, self.momentum = weight_decay, momentum
        self.square_avg = [t.ones_like(p) for p in self.params]
        self.buf = [t.zeros_like(p) for p in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.no_grad()
    def step(self):
        for p, sq, buf in zip(self.params, self.square_avg, self.buf):
            if p.grad is None:
                continue
            grad = p.grad
            if self.weight_decay != 0:
                grad = grad.add(p, alpha=self.weight_decay)
            sq.add_(grad.pow(2) - sq, alpha=1.0 - self.alpha)
            avg = sq.add(self.eps).sqrt_()
            if self.momentum > 0:
                buf.mul_(self.momentum).addcdiv_(grad, avg, value=self.lr)
                p.add_(-buf)
            else:
                p.addcdiv_(grad, avg, value=-self.lr)
