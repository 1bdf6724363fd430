"""Places: the indices of one number in an array, and their words."""

from __future__ import annotations

from minicnn.apps.explorer.problems import Problem
from minicnn.contracts import Shape
from minicnn.support.text import quoted


def place_of(text: str, shape: Shape, what: str) -> Shape:
    """Return the indices that "10,8,3" stands for in an array of this shape.

    Raises
    ------
    Problem : the text is no such list, has another number of indices, or lies outside

    Examples
    --------
    >>> place_of("10,8,3", (24, 24, 20), "conv1")
    (10, 8, 3)
    """
    words = text.split(",") if text else []
    if not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        raise Problem(
            f"a place is whole numbers between commas, such as 10,8,3; got {quoted(text)}"
        )
    place = tuple(map(int, words))
    if len(place) != len(shape):
        indices = "1 index" if len(shape) == 1 else f"{len(shape)} indices"
        raise Problem(f"a place in {what} has {indices}; got {quoted(text)}")
    for index, length in zip(place, shape, strict=True):
        if index >= length:
            raise Problem(f"{what} is {shape}, so there is no place {quoted(text)}")
    return place


def place_text(place: Shape) -> str:
    """Return a place of a step's result in words.

    >>> place_text((10, 8, 3)), place_text((7,))
    ('row 10, column 8 of map 3', 'value 7')
    """
    if not place:
        return "the only value"
    if len(place) == 3:
        return f"row {place[0]}, column {place[1]} of map {place[2]}"
    return f"value {place[0]}" if len(place) == 1 else f"place {','.join(map(str, place))}"
