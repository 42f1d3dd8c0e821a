import os

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras
from keras import ops


class PlainAdagrad(keras.optimizers.Optimizer):
    """Adagrad for Keras 3, ported from our TF1 training code."""

    def __init__(
        self,
        learning_rate=0.001,
        initial_accumulator_value=0.1,
        epsilon=1e-7,
        name="plain_adagrad",
        **kwargs,
    ):
        super().__init__(learning_rate=learning_rate, name=name, **kwargs)
        self.initial_accumulator_value = initial_accumulator_value
        self.epsilon = epsilon

    def build(self, var_list):
        if self.built:
            return
        super().build(var_list)
        self._accumulators = []
        for var in var_list:
            self._accumulators.append(
                self.add_variable_from_reference(
                    var,
                    name="accumulator",
                    initializer=keras.initializers.Constant(self.initial_accumulator_value),
                )
            )

    def update_step(self, gradient, variable, learning_rate):
        lr = ops.cast(learning_rate, variable.dtype)
        gradient = ops.cast(gradient, variable.dtype)
        accumulator = self._accumulators[self._get_variable_index(variable)]

        scale = ops.sqrt(accumulator + self.epsilon)
        self.assign_add(accumulator, ops.square(gradient))
        self.assign_sub(variable, lr * gradient / scale)

    def get_config(self):
        config = super().get_config()
        config["initial_accumulator_value"] = self.initial_accumulator_value
        config["epsilon"] = self.epsilon
        return config
