import torch as t


class RMSprop:
    def __init__(self, params, lr=0.01, alpha=0.99, eps=1e-8, weight_decay=0.0, momentum=0.0):
        """Implements RMSprop, following

        https://pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
        """
        self.params = list(params)
        self.lr = lr
        self.alpha = alpha
        self.eps = eps
        self.lmda = weight_decay
        self.mu = momentum
        self.b = [t.zeros_like(p) for p in self.params]
        self.v = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for p in self.params:
            p.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, p in enumerate(self.params):
            g = p.grad + self.lmda * p
            self.v[i] = self.alpha * self.v[i] + (1 - self.alpha) * g ** 2
            scale = self.lr / (self.v[i].sqrt() + self.eps)
            if self.mu > 0:
                self.b[i] = self.mu * self.b[i] + g
                p -= scale * self.b[i]
            else:
                p -= scale * g
