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
    name : of an operation "square", the kernels are "square_forward" and, by convention,
        "square_backward". The same name again replaces a kernel that was added before
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
    The operation y = x^2, with its gradient dx = 2 x dy, and a layer made of it:

    >>> from minicnn import layers, operations
    >>> from minicnn.contracts import Contract, same
    >>> def square_forward(x):
    ...     return (x * x,)
    >>> def square_backward(dy, x):
    ...     return (2 * x * dy,)
    >>> forward = Contract(("x",), ("y",), same(0))
    >>> backward = Contract(("dy", "x"), ("dx",), same(0))
    >>> operations.add_kernel("square_forward", forward, square_forward)
    >>> operations.add_kernel("square_backward", backward, square_backward)
    >>> SQUARE = operations.Operation("square", lambda x: {}, ("square_backward",))
    >>> class Square(layers.Layer):
    ...     def forward(self, apply, x, *, training):
    ...         return apply(SQUARE, x)

    Both compute; here on the reference, which needs no warning:

    >>> from minicnn.backends import use_backend
    >>> x = np.array([[1, -3]], np.float32)
    >>> with use_backend("numpy"):
    ...     y = Square()(x)
    ...     _, saved = operations.run(SQUARE, x)
    ...     dx = operations.gradients(np.ones((1, 2), np.float32), saved)["dx"]
    >>> y.tolist(), dx.tolist()
    ([[1.0, 9.0]], [[2.0, -6.0]])
    """
    check_name(name)
    if name in BUILT_IN:
        raise ArgumentError(f"minicnn has a kernel {name!r} already; choose another name")
    if not isinstance(contract, Contract):
        raise ArgumentError(f"contract must be a Contract; got {type(contract).__name__}")
    if not callable(kernel):
        raise ArgumentError(f"kernel must be a function; got {type(kernel).__name__}")
    reference.add_kernel(name, contract, kernel)
