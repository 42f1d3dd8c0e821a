import keras
from keras import ops


class CustomAdam(keras.optimizers.Optimizer):
    """Adam for the custom-optimizer exercise."""

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7,
                 name="custom_adam", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._m = []
        self._v = []
        for var in variables:
            self._m.append(self.add_variable_from_reference(var, name="m"))
            self._v.append(self.add_variable_from_reference(var, name="v"))

    def update_step(self, gradient, variable, learning_rate):
        dtype = variable.dtype
        lr = ops.cast(learning_rate, dtype)
        gradient = ops.cast(gradient, dtype)
        t = ops.cast(self.iterations + 1, dtype)
        b1_power = ops.power(ops.cast(self.beta_1, dtype), t)
        b2_power = ops.power(ops.cast(self.beta_2, dtype), t)

        idx = self._get_variable_index(variable)
        m, v = self._m[idx], self._v[idx]

        # both corrections are folded into the learning rate
        alpha = lr * ops.sqrt(1 - b2_power) * (1 - b1_power)

        self.assign(m, self.beta_1 * m + (1 - self.beta_1) * gradient)
        self.assign(v, self.beta_2 * v + (1 - self.beta_2) * ops.square(gradient))
        self.assign_sub(variable, alpha * m / (ops.sqrt(v) + self.epsilon))

    def get_config(self):
        config = super().get_config()
        config.update({"beta_1": self.beta_1, "beta_2": self.beta_2, "epsilon": self.epsilon})
        return config
