import torch as t


class SGD:
    """SGD with the options of torch.optim.SGD: momentum, dampening, nesterov, weight_decay."""

    def __init__(self, params, lr, momentum=0.0, dampening=0.0, weight_decay=0.0, nesterov=False):
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.tau = dampening
        self.lmda = weight_decay
        self.nesterov = nesterov
        self.b = [None] * len(self.params)

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self):
        for i, p in enumerate(self.params):
            g = p.grad
            if self.lmda != 0:
                g = g + self.lmda * p
            if self.mu != 0:
                if self.b[i] is None:
                    self.b[i] = g.clone()
                self.b[i] = self.mu * (1 - self.tau) * self.b[i] + g
                g = g + self.mu * self.b[i] if self.nesterov else self.b[i]
            p -= self.lr * g
