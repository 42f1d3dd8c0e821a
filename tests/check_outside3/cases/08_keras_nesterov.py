import keras
from keras import ops


class NesterovMomentum(keras.optimizers.Optimizer):
    """SGD with Nesterov momentum.

    Written in the Bengio et al. (2012) change of variables: the stored variable
    is the look-ahead point, `velocity` carries the learning rate.
    """

    def __init__(self, learning_rate=0.01, momentum=0.9, name="nesterov_momentum", **kwargs):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.momentum = momentum

    def build(self, variables):
        if self.built:
            return
        super().build(variables)
        self._velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        mu = ops.cast(self.momentum, variable.dtype)
        velocity = self._velocities[self._get_variable_index(variable)]

        old = ops.copy(ops.convert_to_tensor(velocity))
        self.assign(velocity, ops.subtract(ops.multiply(mu, old), ops.multiply(lr, gradient)))
        self.assign_add(
            variable,
            ops.subtract(ops.multiply(1 + mu, velocity), ops.multiply(mu, old)),
        )

    def get_config(self):
        config = super().get_config()
        config.update({"momentum": self.momentum})
        return config
