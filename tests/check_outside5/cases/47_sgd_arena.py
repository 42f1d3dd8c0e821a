import torch as t


class SGD:
    """SGD with momentum, Nesterov momentum and L2 weight decay.

    Same conventions as torch.optim.SGD (dampening left out).
    """

    def __init__(self, params, lr, momentum=0.0, weight_decay=0.0, nesterov=False):
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.lmda = weight_decay
        self.nesterov = nesterov
        self.b = [None for _ in self.params]

    def zero_grad(self):
        for param in self.params:
            param.grad = None

    @t.inference_mode()
    def step(self):
        for i, theta in enumerate(self.params):
            if theta.grad is None:
                continue
            g = theta.grad
            if self.lmda != 0.0:
                g = g + self.lr * self.lmda * theta
            if self.mu != 0.0:
                if self.b[i] is None:
                    self.b[i] = g.clone()
                else:
                    self.b[i] = self.mu * self.b[i] + g
                g = g + self.b[i] if self.nesterov else self.b[i]
            theta -= self.lr * g

    def __repr__(self):
        return f"SGD(lr={self.lr}, momentum={self.mu}, weight_decay={self.lmda})"
