import keras
from keras import ops


class MyAdamax(keras.optimizers.Optimizer):
    """Adamax, section 7.1 of the Adam paper."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                 name="my_adamax", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m, self._u = [], []
        for var in variables:
            self._m.append(self.add_variable_from_reference(reference_variable=var, name="m"))
            self._u.append(self.add_variable_from_reference(reference_variable=var, name="u"))

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        g = ops.cast(gradient, dtype)
        step = ops.cast(self.iterations + 1, dtype)
        idx = self._get_variable_index(variable)
        m, u = self._m[idx], self._u[idx]

        self.assign_add(m, (g - m) * (1 - self.beta_1))
        self.assign(u, ops.maximum(self.beta_2 * u, ops.abs(g)))

        m_hat = m / (1 - ops.power(ops.cast(self.beta_1, dtype), step))
        u_hat = u / (1 - ops.power(ops.cast(self.beta_2, dtype), step))
        self.assign_sub(variable, lr * m_hat / (u_hat + self.epsilon))
