import torch as t


class SGDMomentum:
    def __init__(self, params, lr: float = 0.01, momentum: float = 0.9, weight_decay: float = 0.0):
        """SGD with (heavy ball) momentum."""
        self.params = list(params)
        self.lr = lr
        self.mu = momentum
        self.lmda = weight_decay
        self.b = [t.zeros_like(p) for p in self.params]

    def zero_grad(self) -> None:
        for param in self.params:
            param.grad = None

    @t.inference_mode()
    def step(self) -> None:
        for i, (b, theta) in enumerate(zip(self.b, self.params)):
            g = theta.grad
            if self.lmda != 0:
                g = g + self.lmda * theta
            new_b = self.mu * b + self.lr * g
            self.b[i] = new_b
            theta -= self.lr * new_b

    def __repr__(self) -> str:
        return f"SGDMomentum(lr={self.lr}, momentum={self.mu}, weight_decay={self.lmda})"
