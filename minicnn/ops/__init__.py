"""Functions of tensors under the names of `keras.ops`, which compute, or join a network.

A function takes arrays, and then returns an array; or what `Input(...)` and layers return, and then
adds itself to the network; or, in the `call` of a layer or model of one's own, in a loss or in an
activation, the tensors there. The operations behind them, with their gradients, are in
`minicnn.operations`.
"""

from minicnn.ops.arithmetic import add, multiply

__all__ = ["add", "multiply"]
