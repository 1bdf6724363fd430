"""Lessons of chapter 11: windows as rows of a matrix, and Winograd's algorithm."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import conv2d
from minicnn.shapes import conv_window


def _im2col(x: np.ndarray, size: int, stride: int = 1) -> np.ndarray:
    window = conv_window((size, size), stride, "valid", 1, x.shape[1:3])
    return conv2d._windows_as_rows(x, window, 1)[0]


def _cells_in_order(x: np.ndarray, size: int, order: tuple[int, int, int]) -> np.ndarray:
    """Return the rows with their axes (ky, kx, c) in another order."""
    rows = _im2col(x, size)
    cells = rows.reshape(len(rows), size, size, x.shape[3])
    return cells.transpose(0, *(1 + axis for axis in order)).reshape(rows.shape)


def _columns_first(x: np.ndarray, size: int) -> np.ndarray:
    """Return the rows for windows that go down first, and then to the right."""
    n, height, width, _ = x.shape
    rows = _im2col(x, size).reshape(n, height - size + 1, width - size + 1, -1)
    return rows.swapaxes(1, 2).reshape(-1, rows.shape[3])


IM2COL = Lesson(
    name="im2col",
    chapter=11,
    title="every window as a row of a matrix",
    task="Write every window of every image as a row, so that a convolution becomes a matrix "
    "product.",
    stub='''
def im2col(x: np.ndarray, size: int) -> np.ndarray:
    """Return the windows of `size` x `size` pixels as rows of a matrix, for stride 1.

    The rows follow each other as the windows do: first to the right, then down, then the next
    image. With OH = H - size + 1 and OW = W - size + 1, window (oy, ox) of image n is the row
    number (n * OH + oy) * OW + ox. In a row the numbers are in the order of ky, kx, c:

        rows[..., (ky * size + kx) * C + c] = x[n, oy + ky, ox + kx, c]

    Then rows @ w.reshape(size * size * C, K) is the convolution with the kernels w.

    x : (N, H, W, C), the images
    size : a whole number, rows and columns of a window
    rows : (N * OH * OW, size * size * C)
    """
''',
    cases=lambda rng: [
        Case("one image of 3 x 3 pixels", x=np.arange(1.0, 10).reshape(1, 3, 3, 1), size=2),
        Case("three channels, and not square", x=rng.normal(size=(1, 4, 5, 3)), size=2),
        Case("a batch", x=rng.normal(size=(3, 6, 5, 2)), size=3),
    ],
    reference=_im2col,
    solution=(conv2d._windows_as_rows,),
    mistakes=(
        Mistake("The windows do not overlap, so many are missing: with stride 1 the next window "
                "begins one pixel further, not size pixels.",
                lambda x, size: _im2col(x, size, stride=size)),
        Mistake("In a row the channels come first: your order is c, ky, kx. It must be ky, kx, c.",
                lambda x, size: _cells_in_order(x, size, (2, 0, 1))),
        Mistake("In a row kx and ky are exchanged: the window was read column by column.",
                lambda x, size: _cells_in_order(x, size, (1, 0, 2))),
        Mistake("The windows go down first, and then to the right. Let oy be the outer loop and "
                "ox the inner one.", _columns_first),
        Mistake("Only the windows of the first image are there.",
                lambda x, size: _im2col(x[:1], size)),
        Mistake("The last window of each row and column is missing: range(H - size + 1).",
                lambda x, size: _im2col(x[:, :-1, :-1].copy(), size)),
        Mistake("The channels were summed. The matrix product does that later; here every number "
                "has a place of its own.",
                lambda x, size: None if x.shape[3] == 1 else
                _im2col(x.sum(3, keepdims=True), size)),
        Mistake("Each window has a row for each of its pixels; the whole window is one row.",
                lambda x, size: _im2col(x, size).reshape(-1, x.shape[3])),
    ),
    engines=("numpy",),
    race=lambda rng: Case(
        "sixteen digits", x=rng.normal(size=(16, 28, 28, 4)).astype(np.float32), size=3
    ),
)  # fmt: skip


def _products(x: np.ndarray, w: np.ndarray, half: float = 0.5) -> np.ndarray:
    """Return Winograd's four products of each pair of outputs, (T, 4)."""
    pairs = (len(x) - 2) // 2
    x0, x1, x2, x3 = (x[i : i + 2 * pairs : 2] for i in range(4))
    all_even, all_odd = (w[0] + w[1] + w[2]) * half, (w[0] - w[1] + w[2]) * half
    m = ((x0 - x2) * w[0], (x1 + x2) * all_even, (x2 - x1) * all_odd, (x1 - x3) * w[2])
    return np.stack(m, axis=1)


def _winograd(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, _ = operations.conv2d(x.reshape(1, 1, -1, 1), w.reshape(1, 3, 1, 1))
    return _products(x, w), y.ravel()


def _with_signs(x: np.ndarray, w: np.ndarray, signs: tuple[int, int, int, int]) -> np.ndarray:
    return _products(x, w) * np.array(signs, x.dtype)


def _outputs(x: np.ndarray, w: np.ndarray, last: int) -> np.ndarray:
    """Return the outputs, where m4 has the sign `last` in the second one of each pair."""
    m1, m2, m3, m4 = _products(x, w).T
    return np.stack([m1 + m2 + m3, m2 - m3 + last * m4], axis=1).ravel()


WINOGRAD_1D = Lesson(
    name="winograd_1d",
    chapter=11,
    title="two outputs by four products",
    task="Compute a convolution with three weights by Winograd's algorithm: four products for "
    "every two outputs.",
    stub='''
def winograd_1d(x: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the four products of each pair of outputs, and the outputs.

    For the pair number t let x0, x1, x2, x3 be x[2 t], x[2 t + 1], x[2 t + 2], x[2 t + 3]. Then

        m[t, 0] = (x0 - x2) * w[0]
        m[t, 1] = (x1 + x2) * (w[0] + w[1] + w[2]) / 2
        m[t, 2] = (x2 - x1) * (w[0] - w[1] + w[2]) / 2
        m[t, 3] = (x1 - x3) * w[2]
        y[2 t]     = m[t, 0] + m[t, 1] + m[t, 2]
        y[2 t + 1] = m[t, 1] - m[t, 2] - m[t, 3]

    which is y[i] = x[i] w[0] + x[i + 1] w[1] + x[i + 2] w[2]. Compute the sums of the weights once.

    x : (L,), the numbers; L is even
    w : (3,), the weights
    m : (L / 2 - 1, 4)
    y : (L - 2,)
    """
''',
    cases=lambda rng: [
        Case("one pair", x=np.array([3.0, 1, 4, 2]), w=np.array([2.0, 7, 1])),
        Case("three pairs", x=rng.normal(size=8), w=rng.normal(size=3)),
        Case("many pairs", x=rng.normal(size=100), w=rng.normal(size=3)),
    ],
    reference=_winograd,
    solution=(_products, conv2d.conv2d_forward),
    results=("m", "y"),
    mistakes=(
        Mistake("The sums of the weights were not divided by 2.",
                lambda x, w: _products(x, w, half=1.0)),
        Mistake("The last product has the wrong sign: it is (x1 - x3) * w[2].",
                lambda x, w: _with_signs(x, w, (1, 1, 1, -1))),
        Mistake("The first product has the wrong sign: it is (x0 - x2) * w[0].",
                lambda x, w: _with_signs(x, w, (-1, 1, 1, 1))),
        Mistake("The third product has the wrong sign: it is (x2 - x1) times its weights.",
                lambda x, w: _with_signs(x, w, (1, 1, -1, 1))),
        Mistake("The weights of the second and the third product are exchanged.",
                lambda x, w: _products(x, w * np.array([1, -1, 1], w.dtype))),
        Mistake("The weights w[0] and w[2] are exchanged.", lambda x, w: _products(x, w[::-1])),
        Mistake("The pairs overlap: the next one begins two numbers further, not one.",
                lambda x, w: np.stack([_products(x[t : t + 4], w)[0] for t in range(len(x) - 3)])),
        Mistake("The pairs are four numbers apart; each pair gives two outputs, so the next one "
                "begins two numbers further.",
                lambda x, w: _products(x, w)[::2] if len(x) > 4 else None),
        Mistake("The products are right. In the second output of a pair m[t, 3] is subtracted.",
                lambda x, w: _outputs(x, w, 1), of="y"),
        Mistake("The products are right. First come all first outputs of the pairs, then all "
                "second ones; they must take turns: y[0::2] and y[1::2].",
                lambda x, w: np.concatenate([_winograd(x, w)[1][k::2] for k in (0, 1)]), of="y"),
        Mistake("The products are right. The two outputs of each pair are exchanged.",
                lambda x, w: _winograd(x, w)[1].reshape(-1, 2)[:, ::-1].ravel(), of="y"),
    ),
    race=lambda rng: Case(
        "a million numbers",
        x=rng.normal(size=1_000_000).astype(np.float32),
        w=rng.normal(size=3).astype(np.float32),
    ),
)  # fmt: skip

LESSONS = (IM2COL, WINOGRAD_1D)
