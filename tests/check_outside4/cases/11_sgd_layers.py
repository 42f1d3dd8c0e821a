"""CS-229 style multi layer perceptron, part 3: the optimizer.

Parameters and gradients are dictionaries keyed by layer name ("W1", "b1", ...).
"""


class GradientDescent:
    """Mini-batch gradient descent with optional L2 regularisation.

    Parameters
    ----------
    learning_rate : float
    reg : float
        coefficient of the L2 term, adds ``reg * W`` to the gradient of W.
    """

    def __init__(self, learning_rate=0.1, reg=0.0):
        self.learning_rate = learning_rate
        self.reg = reg

    def update(self, params, grads):
        """One step, parameters are changed in place."""
        for name, dW in grads.items():
            m = dW.shape[0]                       # number of rows
            step = (dW + self.reg * params[name]) / m
            params[name] -= self.learning_rate * step
        return params
