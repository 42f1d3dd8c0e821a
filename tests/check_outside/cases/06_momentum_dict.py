# ruff: noqa  (kept as it was written)
class Momentum:
    """SGD with momentum (params and grads are dicts of arrays)"""

    def __init__(self, lr=0.01, momentum=0.9, dampening=0.0):
        self.lr = lr
        self.momentum = momentum
        self.dampening = dampening
        self.v = None

    def update(self, params, grads):
        if self.v is None:
            self.v = {}
            for key, g in grads.items():
                self.v[key] = g.copy()
        else:
            for key in params.keys():
                self.v[key] = (1 - self.dampening) * (self.momentum * self.v[key] + grads[key])

        for key in params.keys():
            params[key] -= self.lr * self.v[key]
