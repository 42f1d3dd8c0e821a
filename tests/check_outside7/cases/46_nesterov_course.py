import torch


class NAG:
    def __init__(self, params, lr=0.01, momentum=0.9, weight_decay=0.0):
        '''Nesterov accelerated gradient, interface as in the course exercises.'''
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.lmda = weight_decay
        self.b = [None for _ in self.params]

    def zero_grad(self):
        for p in self.params:
            p.grad = None

    @torch.no_grad()
    def step(self):
        for i, p in enumerate(self.params):
            g = p.grad
            if self.lmda:
                g = g + self.lmda * p
            if self.b[i] is None:
                self.b[i] = g.clone()
            else:
                self.b[i] = self.mu * self.b[i] + g
            p.add_(self.b[i] + self.mu * g, alpha=-self.lr)
