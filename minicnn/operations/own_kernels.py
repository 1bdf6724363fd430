"""Kernels that a program adds to those of minicnn: the way to an operation of one's own."""

from __future__ import annotations

from minicnn.backends import reference
from minicnn.backends.engine import Kernel
from minicnn.checks import check_name
from minicnn.contracts import CONTRACTS, Contract
from minicnn.errors import ArgumentError

BUILT_IN = frozenset(CONTRACTS)


def add_kernel(name: str, contract: Contract, kernel: Kernel) -> None:
    """Add a kernel that is written in NumPy; every engine can then run it.

    An engine that computes elsewhere, in C++ or on a GPU, hands its arrays to this function and
    takes the results back. A RuntimeWarning says so once.

    Parameters
    ----------
    name : of an operation "cube", the kernels are "cube_forward" and, by convention,
        "cube_backward". The same name again replaces a kernel that was added before
    contract : the names of the arrays that it reads and writes, and the Specs of those that it
        writes. A backward kernel reads what its forward kernel read or wrote, by the same names,
        and "d" + name is the loss's gradient with respect to the array of that name
    kernel : kernel(*arrays, **attributes) returns a tuple of new arrays and changes none. Arrays
        are in C order; floats are float32, or float64 where the reference is given float64

    Raises
    ------
    ArgumentError : minicnn itself has a kernel of that name, or an argument is of a wrong type

    Examples
    --------
    The operation y = x^3, with its gradient dx = 3 x^2 dy, and a layer made of it:

    >>> from minicnn import layers, operations
    >>> from minicnn.contracts import Contract, same
    >>> def cube_forward(x):
    ...     return (x * x * x,)
    >>> def cube_backward(dy, x):
    ...     return (3 * x * x * dy,)
    >>> forward = Contract(("x",), ("y",), same(0))
    >>> backward = Contract(("dy", "x"), ("dx",), same(0))
    >>> operations.add_kernel("cube_forward", forward, cube_forward)
    >>> operations.add_kernel("cube_backward", backward, cube_backward)
    >>> CUBE = operations.Operation("cube", lambda x: {}, ("cube_backward",))
    >>> class Cube(layers.Layer):
    ...     def forward(self, apply, x, *, training):
    ...         return apply(CUBE, x)

    Both compute; here on the reference, which needs no warning:

    >>> from minicnn.backends import use_backend
    >>> x = np.array([[1, -3]], np.float32)
    >>> with use_backend("numpy"):
    ...     y = Cube()(x)
    ...     _, saved = operations.run(CUBE, x)
    ...     dx = operations.gradients(np.ones((1, 2), np.float32), saved)["dx"]
    >>> y.tolist(), dx.tolist()
    ([[1.0, -27.0]], [[3.0, 27.0]])
    """
    check_name(name)
    if name in BUILT_IN:
        raise ArgumentError(f"minicnn has a kernel {name!r} already; choose another name")
    if not isinstance(contract, Contract):
        raise ArgumentError(f"contract must be a Contract; got {type(contract).__name__}")
    if not callable(kernel):
        raise ArgumentError(f"kernel must be a function; got {type(kernel).__name__}")
    reference.add_kernel(name, contract, kernel)
