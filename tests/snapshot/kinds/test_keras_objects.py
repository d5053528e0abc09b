"""Keras models and optimizers go on bit for bit, with all identity kept."""

import pickletools

import keras
import numpy as np
import pytest

from garage_like.snapshot.graph.live import components_of, restoring_into
from garage_like.snapshot.graph.naming import names_of
from garage_like.snapshot.graph.pickling import GraphPickler, GraphUnpickler
from garage_like.snapshot.graph.walk import leaves
from garage_like.tf.quiet_import import tf

INPUTS = np.random.default_rng(0).normal(size=(6, 8, 5)).astype(np.float32)


class Normalised(keras.Model):
    """A subclass with attributes of its own and arguments that Keras could not serialise."""

    def __init__(self, spec):
        super().__init__()
        self.spec = spec
        self.rng = np.random.default_rng(1)
        self.steps = 0
        self.normalise = keras.layers.BatchNormalization()
        self.hidden = [keras.layers.Dense(4, "tanh"), keras.layers.Dropout(0.3)]
        self.heads = {"first": keras.layers.Dense(1), "scale": 2.0}

    def call(self, x, training=False):
        self.steps += 1
        x = self.normalise(x, training=training)
        for layer in self.hidden:
            x = layer(x, training=training)
        return self.heads["first"](x) * self.heads["scale"]


class Inherited(keras.Model):
    """A subclass that becomes functional in its constructor."""

    def __init__(self, units):
        inputs = keras.Input((5,))
        hidden = keras.layers.Dropout(0.5)(keras.layers.Dense(units)(inputs))
        super().__init__(inputs, keras.layers.Dense(1)(hidden))


class Scaled(keras.Layer):
    """A layer of a user's own that keeps count."""

    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")
        self.calls = self.add_weight(shape=(), dtype="int64", initializer="zeros", trainable=False)

    def call(self, x):
        self.calls.assign_add(1)
        return x * self.scale


def functional():
    inputs = keras.Input((5,))
    hidden = keras.layers.GaussianNoise(0.1)(keras.layers.Dense(4, "relu")(inputs))
    both = keras.layers.Concatenate()([hidden, keras.layers.Dropout(0.2)(inputs)])
    return keras.Model(inputs, keras.layers.Dense(1)(both))


MODELS = {
    "sequential": lambda: keras.Sequential(
        [
            keras.layers.Dense(8, "relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),
            Scaled(),
            keras.layers.Dense(1),
        ]
    ),
    "functional": functional,
    "subclassed": lambda: Normalised(object()),
    "functional subclass": lambda: Inherited(3),
    "recurrent": lambda: keras.Sequential(
        [keras.layers.Reshape((5, 1)), keras.layers.GRU(3, dropout=0.2), keras.layers.Dense(1)]
    ),
}
OPTIMIZERS = {
    "Adam": lambda: keras.optimizers.Adam(0.01),
    "SGD with momentum": lambda: keras.optimizers.SGD(0.01, momentum=0.9, nesterov=True),
    "RMSprop with average": lambda: keras.optimizers.RMSprop(0.01, use_ema=True),
    "AdamW on a schedule": lambda: keras.optimizers.AdamW(
        keras.optimizers.schedules.CosineDecay(0.01, 10), clipnorm=1.0
    ),
    "accumulating Adam": lambda: keras.optimizers.Adam(gradient_accumulation_steps=2),
}


def train(model, optimizer, batches):
    for batch in batches:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(batch, training=True)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply(gradients, model.trainable_variables)


def bits(*owners):
    return [variable.numpy().tobytes() for owner in owners for variable in owner.variables]


@pytest.mark.parametrize("name", MODELS)
def test_model_with_its_optimizer_goes_on_bit_for_bit(name, reload):
    model, optimizer = MODELS[name](), keras.optimizers.Adam(0.01)
    train(model, optimizer, INPUTS[:3])
    graph = {"optimizer": optimizer, "model": model}
    found = reload(graph)
    assert leaves(found) == leaves(graph)
    train(model, optimizer, INPUTS[3:])
    train(found["model"], found["optimizer"], INPUTS[3:])
    assert len(found["model"].variables) == len(model.variables)
    assert bits(found["model"], found["optimizer"]) == bits(model, optimizer)


@pytest.mark.parametrize("name", MODELS)
def test_no_code_of_keras_is_in_the_pickle(name):
    model, optimizer = MODELS[name](), keras.optimizers.Adam(0.01)
    train(model, optimizer, INPUTS[:1])
    content = GraphPickler({"model": model, "optimizer": optimizer}).save()
    assert "CodeType" not in {argument for _, argument, _ in pickletools.genops(content)}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizer_keeps_slots_and_iterations(name, reload):
    model, optimizer = keras.Sequential([keras.layers.Dense(1)]), OPTIMIZERS[name]()
    train(model, optimizer, INPUTS[:3])
    found, found_model = reload([optimizer, model])
    assert int(found._iterations) == 3
    train(model, optimizer, INPUTS[3:])
    train(found_model, found, INPUTS[3:])
    assert bits(found_model, found) == bits(model, optimizer)


def test_optimizer_goes_on_stepping_variables_of_no_model(reload):
    variable, optimizer = tf.Variable([1.0, 2.0]), keras.optimizers.Adam(0.1)
    optimizer.apply([tf.constant([1.0, -1.0])], [variable])
    found, found_variable = reload([optimizer, variable])
    for one, other in ((optimizer, variable), (found, found_variable)):
        one.apply([tf.constant([0.5, 0.5])], [other])
    assert found_variable.numpy().tobytes() == variable.numpy().tobytes()


def test_layers_and_variables_that_others_hold_are_those_of_the_model(reload):
    model = functional()
    layer, raw = model.layers[1], model.layers[1].kernel.value
    found, found_layer, kernel, found_raw = reload([model, layer, layer.kernel, raw])
    assert found.layers[1] is found_layer
    assert found_layer.kernel is kernel
    assert kernel.value is found_raw


def test_layer_that_two_models_share_stays_shared(reload):
    inputs, shared = keras.Input((5,)), keras.layers.Dense(3)
    models = [keras.Model(inputs, keras.layers.Dense(1)(shared(inputs))) for _ in range(2)]
    first, second = reload(models)
    assert first.layers[1] is second.layers[1]


def test_compiled_model_goes_on_training(reload):
    model = keras.Sequential([keras.layers.Dense(3), keras.layers.Dropout(0.5)])
    model.compile("adam", "mse", metrics=["mae"])
    targets = np.ones((8, 3), np.float32)
    for batch in INPUTS[:3]:
        model.train_on_batch(batch, targets)
    found = reload(model)
    for batch in INPUTS[3:]:
        assert found.train_on_batch(batch, targets) == model.train_on_batch(batch, targets)
    assert bits(found, found.optimizer) == bits(model, model.optimizer)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # in Keras
def test_restored_model_can_be_built_upon_cloned_and_saved(reload, tmp_path):
    model = functional()
    found = reload(model)
    found.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    clone = keras.models.clone_model(found)
    clone.set_weights(found.get_weights())
    longer = keras.Model(found.inputs[0], keras.layers.Dense(2)(found.outputs[0]))
    expected = model(INPUTS[0]).numpy()
    assert np.array_equal(again(INPUTS[0]), expected)
    assert np.array_equal(clone(INPUTS[0]), expected)
    assert longer(INPUTS[0]).shape == (8, 2)


def test_restored_layer_still_tracks_what_is_added(reload):
    model = reload(Normalised(None))
    model.extra = keras.layers.Dense(1)
    model.hidden.append(keras.layers.Dense(2))
    assert model.extra in model.layers
    assert model.hidden[-1] in model.layers


def test_restored_model_knows_what_it_tracks_and_takes_nothing_new_once_built(reload):
    model = Normalised(None)
    model(INPUTS[0])
    found = reload(model)
    found.again = found.normalise
    with pytest.raises(ValueError, match="cannot add new elements of state"):
        found.another = keras.layers.Dense(1)


def test_deep_functional_model_comes_back(reload):
    inputs = x = keras.Input((2,))
    for _ in range(60):
        x = keras.layers.Activation("tanh")(x)
    model = keras.Model(inputs, x)
    assert np.array_equal(reload(model)(INPUTS[0, :, :2]), model(INPUTS[0, :, :2]))


def test_seed_generator_goes_on(reload):
    seeds = keras.random.SeedGenerator(3)
    seeds.next()
    found = reload(seeds)
    assert np.array_equal(
        keras.random.normal((2,), seed=found), keras.random.normal((2,), seed=seeds)
    )


class Algo:
    """An algorithm with a Keras model for its policy."""

    def __init__(self):
        self._optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
        self.policy = Normalised(None)
        train(self.policy, self._optimizer, INPUTS[:1])


def test_arrays_bear_readable_names_and_weights_those_of_the_policy():
    names = {name.path for name in names_of({"algo": Algo()}).values()}
    assert names >= {
        "algo.policy.hidden[0]._kernel",
        "algo.policy.normalise.moving_mean",
        "algo.policy.hidden[1].seed_generator.state",
        "algo._optimizer._iterations",
        "algo._optimizer.momentums[0]",
    }


def test_live_model_is_restored_in_place():
    live, saved = Algo(), Algo()
    train(saved.policy, saved._optimizer, INPUTS[1:3])
    model, kernel = live.policy, live.policy.hidden[0].kernel.value
    call = tf.function(model)
    call(INPUTS[0])
    pickler = GraphPickler({"algo": saved})
    content, buffers = pickler.save(), [bytearray(buffer) for buffer in pickler.buffers]
    with restoring_into(components_of({"algo": live})):
        GraphUnpickler(content, buffers).load()
    assert live.policy is model
    assert model.hidden[0].kernel.value is kernel
    assert bits(model, live._optimizer) == bits(saved.policy, saved._optimizer)
    assert np.array_equal(call(INPUTS[0]), tf.function(saved.policy)(INPUTS[0]))
    train(live.policy, live._optimizer, INPUTS[3:])
    train(saved.policy, saved._optimizer, INPUTS[3:])
    assert bits(model, live._optimizer) == bits(saved.policy, saved._optimizer)


class Unbuilt:
    """An algorithm whose layer has not seen any input yet."""

    def __init__(self):
        self.policy = Scaled()


def test_live_layer_can_be_built_after_a_restore():
    live = Unbuilt()
    pickler = GraphPickler({"algo": Unbuilt()})
    content = pickler.save()
    with restoring_into(components_of({"algo": live})):
        GraphUnpickler(content, []).load()
    live.policy.build((8, 5))
    live.policy(INPUTS[0])
    assert live.policy.get_build_config() == {"input_shape": (8, 5)}
    assert int(live.policy.calls) == 1


def test_class_that_says_itself_how_to_be_pickled_is_asked(reload):
    found = reload(SelfPickled())
    assert found.said == "so"


class SelfPickled(keras.layers.Layer):
    """A layer with its own way."""

    said = "nothing"

    def __reduce__(self):
        return _make_self_pickled, ()


def _make_self_pickled():
    layer = SelfPickled()
    layer.said = "so"
    return layer
