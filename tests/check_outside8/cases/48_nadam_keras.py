import keras
from keras import ops


class Nadam(keras.optimizers.Optimizer):
    """Nadam (Dozat 2016) with the 0.96 momentum schedule."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7, name="nadam", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self.ms, self.vs = self.add_optimizer_variables(variables, ["m", "v"])

    def update_step(self, grad, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        grad = ops.cast(grad, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        decay = ops.cast(0.96, dtype)
        b1, b2 = ops.cast(self.beta_1, dtype), ops.cast(self.beta_2, dtype)

        u_t = b1 * (1.0 - 0.5 * ops.power(decay, t))
        u_next = b1 * (1.0 - 0.5 * ops.power(decay, t + 1))
        u_product = ops.power(u_t, t)
        u_product_next = u_product * u_next

        i = self._get_variable_index(variable)
        m, v = self.ms[i], self.vs[i]
        self.assign(m, b1 * m + (1 - b1) * grad)
        self.assign(v, b2 * v + (1 - b2) * ops.square(grad))

        m_hat = u_next * m / (1 - u_product_next) + (1 - u_t) * grad / (1 - u_product)
        v_hat = v / (1 - ops.power(b2, t))
        self.assign_sub(variable, lr * m_hat / (ops.sqrt(v_hat) + self.epsilon))

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon}
