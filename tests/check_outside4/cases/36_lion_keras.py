import keras
from keras import ops


class Lion(keras.optimizers.Optimizer):
    """Lion with decoupled decay, written around the residual g - m."""

    def __init__(self, learning_rate=1e-3, beta_1=0.9, beta_2=0.99, decay=0.0,
                 name="lion", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.decay = decay

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        (self._momentums,) = self.add_optimizer_variables(variables, ["momentum"])

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        m = self._momentums[self._get_variable_index(variable)]
        residual = ops.subtract(ops.cast(gradient, variable.dtype), m)
        c = m + (1 - self.beta_1) * residual
        shift = ops.cast(c > 0, variable.dtype) - ops.cast(c < 0, variable.dtype)
        self.assign_sub(variable, lr * (shift + self.decay * variable))
        self.assign_add(m, (1 - self.beta_2) * residual)

    def get_config(self):
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2,
                "decay": self.decay}
