"""Perspective: the change of an image whose corners move, as a 3 x 3 matrix (a homography)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from minicnn.errors import ArgumentError

CORNERS = np.array([(0, 0), (0, 1), (1, 0), (1, 1)]) - 0.5  # (down, right) from the center
AROUND, NEXT = [0, 1, 3, 2], [1, 2, 3, 0]  # the corners on the way around the image, clockwise


def perspective(moves: Sequence[Sequence[float]], height: int, width: int) -> np.ndarray:
    """Return the matrix that moves the source of each corner of an image, and keeps lines straight.

    Let P_00, P_01, P_10 and P_11 be the sources of the corners at the upper left, upper right,
    lower left and lower right, as (u, v, 1) from the center of the image, and let a and b go from
    0 to 1, down and across the new image. Then

        (u, v, w) = P_00 + a D + b A        D = (1 + g) P_10 - P_00,  A = (1 + h) P_01 - P_00

    is the source of the first three corners for all g and h. The fourth, a = b = 1, gives them:

        g (P_10 - P_11) + h (P_01 - P_11) = P_00 - P_01 - P_10 + P_11

    Parameters
    ----------
    moves : (4, 2), (down, right) of each source in pixels, in the order of the P above
    height, width : of the image, in pixels; its corners are those of its outermost pixels

    Returns
    -------
    float64 (3, 3), scaled so that w is 1 in the center; w is positive everywhere in the image

    Raises
    ------
    ArgumentError : the four sources are not the corners of a convex quadrilateral in this order

    References
    ----------
    Heckbert. Fundamentals of Texture Mapping and Image Warping. Master's thesis, 1989, section 2.2.

    Examples
    --------
    >>> matrix = perspective([(0, 0), (0, 0), (0, 1), (0, -1)], 4, 4)
    >>> u, v, w = (matrix @ [2, 2, 1]).tolist()  # the lower right corner, from the center
    >>> round(u / w, 9), round(v / w, 9)
    (2.0, 1.0)
    """
    sources = np.ones((4, 3))
    sources[:, :2] = CORNERS * (height, width) + moves
    p00, p01, p10, p11 = sources
    _check_convex(sources[AROUND, :2])
    equations = (sources[2:0:-1] - p11)[:, :2].T
    g, h = np.linalg.solve(equations, (p00 - p01 - p10 + p11)[:2])
    down, across = (1 + g) * p10 - p00, (1 + h) * p01 - p00
    center = p00 + (down + across) / 2
    return np.array([down / height, across / width, center]).T / center[2]


def _check_convex(corners: np.ndarray) -> None:
    """Raise ArgumentError unless the way around the corners (4, 2) turns right at each of them."""
    edges = corners[NEXT] - corners
    following = edges[NEXT]
    turns = edges[:, 1] * following[:, 0] - edges[:, 0] * following[:, 1]
    if not (turns > 0).all():
        around = ", ".join(f"({row:g}, {column:g})" for row, column in corners)
        raise ArgumentError(
            "moves must leave the image a convex quadrilateral; got the corners, from its center, "
            f"{around}"
        )
