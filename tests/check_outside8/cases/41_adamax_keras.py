import keras
from keras import ops


class Adamax(keras.optimizers.Optimizer):
    """Adamax, the infinity-norm variant of Adam."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="adamax", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m = [self.add_variable_from_reference(v, name="momentum") for v in variables]
        self._u = [self.add_variable_from_reference(v, name="norm") for v in variables]

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        t = ops.cast(self.iterations + 1, variable.dtype)
        m = self._m[self._get_variable_index(variable)]
        u = self._u[self._get_variable_index(variable)]

        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(u, ops.maximum(self.beta_2 * u, ops.abs(gradient)))
        m_hat = m / (1 - ops.power(ops.cast(self.beta_1, variable.dtype), t))
        u_hat = u / (1 - ops.power(ops.cast(self.beta_2, variable.dtype), t))
        self.assign_sub(variable, lr * m_hat / (u_hat + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update(beta_1=self.beta_1, beta_2=self.beta_2, epsilon=self.epsilon)
        return config
