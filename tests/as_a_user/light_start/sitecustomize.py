"""On the path of scripts of other libraries: their TensorBoard writers load no TensorFlow."""

import sys
import types

sys.modules["tensorboard.compat.notf"] = types.ModuleType("tensorboard.compat.notf")
