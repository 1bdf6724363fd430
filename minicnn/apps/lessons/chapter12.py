"""Lessons of chapter 12: what one thread of a GPU computes, and a sum in rounds."""

from __future__ import annotations

import numpy as np

from minicnn import operations
from minicnn.apps.lessons.lesson import Case, Lesson, Mistake
from minicnn.backends.numpy import conv2d

Result = tuple[np.ndarray, float]
IDLE = np.array([-1, -1])


def _place(number: int, height: int, width: int) -> np.ndarray:
    """Return row and column of an output, or -1 and -1 if there is none of that number."""
    return np.array(divmod(number, width)) if number < height * width else IDLE


def _output(x: np.ndarray, w: np.ndarray) -> np.ndarray:
    return operations.conv2d(x[None, :, :, None], w[:, :, None, None])[0][0, :, :, 0]


def _value(y: np.ndarray, place: np.ndarray) -> float:
    return 0.0 if place[0] < 0 else float(y[tuple(place)])


def _conv_thread(block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray) -> Result:
    """Return what one thread computes: the place of its output, and the value."""
    y = _output(x, w)
    place = _place(block * threads + thread, *y.shape)
    return place, _value(y, place)


def _without_guard(
    block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray
) -> np.ndarray:
    return np.array(divmod(block * threads + thread, _output(x, w).shape[1]))


def _wrong_guard(
    block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray, more: int
) -> np.ndarray:
    """Return the place for a guard that lets `more` numbers too many through."""
    height, width = _output(x, w).shape
    number = block * threads + thread
    return np.array(divmod(number, width)) if number < height * width + more else IDLE


def _width_of_the_image(
    block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray
) -> np.ndarray:
    place = _conv_thread(block, thread, threads, x, w)[0]
    return place if place[0] < 0 else np.array(divmod(block * threads + thread, x.shape[1]))


def _of_kernel(
    block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray, kernel: np.ndarray
) -> float:
    """Return the value of the thread's place with another kernel."""
    place = _conv_thread(block, thread, threads, x, w)[0]
    return _value(_output(x, kernel), place)


def _thread_case(rng: np.random.Generator, text: str, block: int, thread: int) -> Case:
    """A thread of a launch with blocks of 8 threads, for 4 x 5 = 20 outputs."""
    arrays = {"x": rng.normal(size=(6, 7)), "w": rng.normal(size=(3, 3))}
    return Case(text, block=block, thread=thread, threads=8, **arrays)


CONV_THREAD = Lesson(
    name="conv_thread",
    chapter=12,
    title="what one thread of a GPU computes",
    task="Be one thread of many: find out which output of a convolution is yours, and compute it.",
    stub='''
def conv_thread(
    block: int, thread: int, threads: int, x: np.ndarray, w: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the place of this thread's output and its value.

    The output of the convolution has OH = H - KH + 1 rows and OW = W - KW + 1 columns. Its values
    are numbered row by row, from 0 on. Each thread of all blocks together computes the value of its
    own number, block * threads + thread. There may be more threads than values: those that have
    nothing to do return the place (-1, -1) and the value 0.

        y[row, column] = sum over ky, kx of x[row + ky, column + kx] w[ky, kx]

    block : a whole number, of this thread's block (CUDA's blockIdx.x)
    thread : a whole number, of this thread in its block (threadIdx.x)
    threads : a whole number, how many threads a block has (blockDim.x)
    x : (H, W), the image
    w : (KH, KW), the kernel
    place : two whole numbers, row and column
    value : a number
    """
''',
    cases=lambda rng: [
        Case("a thread of the first block", block=0, thread=3, threads=4,
             x=np.arange(1.0, 13).reshape(3, 4), w=np.array([[1.0, 0], [0, -2]])),
        _thread_case(rng, "a thread in the middle", 1, 6),
        _thread_case(rng, "the thread with the last value", 2, 3),
        _thread_case(rng, "the first thread that has nothing to do", 2, 4),
        _thread_case(rng, "a block that has nothing to do", 3, 5),
    ],
    reference=_conv_thread,
    solution=(_conv_thread, _place, conv2d.conv2d_forward),
    results=("place", "value"),
    mistakes=(
        Mistake("The guard lets one thread too many through: numbers begin at 0, so number < OH * "
                "OW, not <=.",
                lambda block, thread, threads, x, w:
                _wrong_guard(block, thread, threads, x, w, more=1)),
        Mistake("The guard is missing: this thread has no output, and writes behind the end of the "
                "array.", _without_guard),
        Mistake("The guard stops the thread of the last output; number < OH * OW is right.",
                lambda block, thread, threads, x, w:
                _wrong_guard(block, thread, threads, x, w, more=-1)),
        Mistake("Block and thread are exchanged: the number is block * threads + thread.",
                lambda block, thread, threads, x, w:
                _place(thread * threads + block, *_output(x, w).shape)),
        Mistake("The block has no influence: all blocks would compute the same. The number is "
                "block * threads + thread.",
                lambda block, thread, threads, x, w: _place(thread, *_output(x, w).shape)),
        Mistake("The number is block + thread; the threads of the blocks before it are "
                "block * threads.",
                lambda block, thread, threads, x, w:
                _place(block + thread, *_output(x, w).shape)),
        Mistake("The number was divided by the width of the image; a row of the output is shorter: "
                "OW = W - KW + 1.", _width_of_the_image),
        Mistake("Row and column are exchanged: the row is number // OW, the column number % OW.",
                lambda block, thread, threads, x, w:
                _conv_thread(block, thread, threads, x, w)[0][::-1]),
        Mistake("The place is right. The kernel is flipped: w[0, 0] belongs to x[row, column].",
                lambda block, thread, threads, x, w:
                _of_kernel(block, thread, threads, x, w, w[::-1, ::-1]), of="value"),
        Mistake("The place is right. The rows and columns of the kernel are exchanged.",
                lambda block, thread, threads, x, w:
                _of_kernel(block, thread, threads, x, w, w.T), of="value"),
        Mistake("The place is right. Only the first row of the kernel was summed.",
                lambda block, thread, threads, x, w:
                _of_kernel(block, thread, threads, x, w, w * (np.arange(len(w)) == 0)[:, None]),
                of="value"),
        Mistake("The place is right. The value is that of one pixel; sum over the whole window.",
                lambda block, thread, threads, x, w:
                _value(x, _conv_thread(block, thread, threads, x, w)[0]), of="value"),
    ),
    engines=("numpy",),
)  # fmt: skip


def _tree_sum(x: np.ndarray) -> np.ndarray:
    """Return the shared memory before the first round and after each."""
    states = [x]
    half = len(x) // 2
    while half > 0:
        shared = states[-1].copy()
        shared[:half] += shared[half : 2 * half]
        states.append(shared)
        half //= 2
    return np.stack(states)


def _neighbors_added(x: np.ndarray) -> np.ndarray:
    states = [x]
    half = len(x) // 2
    while half > 0:
        shared = states[-1].copy()
        shared[:half] = shared[0 : 2 * half : 2] + shared[1 : 2 * half : 2]
        states.append(shared)
        half //= 2
    return np.stack(states)


def _everybody_adds(x: np.ndarray) -> np.ndarray:
    """Return what comes out if the threads of the upper half add, too, as far as they can."""
    states = [x]
    half = len(x) // 2
    while half > 0:
        shared = states[-1].copy()
        shared[: len(x) - half] += states[-1][half:]
        states.append(shared)
        half //= 2
    return np.stack(states)


def _upper_half_cleared(x: np.ndarray) -> np.ndarray:
    states = _tree_sum(x)
    for number in range(1, len(states)):
        states[number, len(x) >> number :] = 0
    return states


TREE_SUM = Lesson(
    name="tree_sum",
    chapter=12,
    title="a sum in rounds, as the threads of a block compute it",
    task="Add up numbers as the threads of a block do: in rounds, each of which halves the work.",
    stub='''
def tree_sum(x: np.ndarray) -> np.ndarray:
    """Return the shared memory of a block before the first round and after each round.

    In the first round half = N / 2, and every thread t < half adds one number to its own:
        shared[t] += shared[t + half]
    In each following round half is half as large, until half = 1. The other numbers stay as they
    are. At the end shared[0] is the sum.

    x : (N,), the numbers; N is a power of 2
    states : (R + 1, N), where N = 2^R: row 0 is x, row r is the memory after r rounds
    """
''',
    cases=lambda rng: [
        Case("eight whole numbers", x=np.array([3.0, 1, 4, 1, 5, 9, 2, 6])),
        Case("two numbers", x=rng.normal(size=2)),
        Case("32 numbers, a warp", x=rng.normal(size=32)),
    ],
    reference=_tree_sum,
    solution=(_tree_sum,),
    results=("states",),
    mistakes=(
        Mistake("Neighbors were added, 2 t and 2 t + 1. That gives the same sum; but here thread t "
                "adds the number half places further.", _neighbors_added),
        Mistake("Too many threads add: only those with t < half do. The others would read numbers "
                "that somebody is changing.", _everybody_adds),
        Mistake("The numbers that are not needed any more became 0; they stay as they are.",
                _upper_half_cleared),
        Mistake("Row 0 is missing: the memory before the first round, which is x.",
                lambda x: _tree_sum(x)[1:]),
        Mistake("The last round is missing, in which thread 0 adds the last two numbers.",
                lambda x: _tree_sum(x)[:-1]),
        Mistake("That is the sum alone; return the memory after each round.",
                lambda x: _tree_sum(x)[-1, 0]),
        Mistake("That is the memory after the last round alone; return it after each round.",
                lambda x: _tree_sum(x)[-1]),
        Mistake("All rows are the last one. Append a copy of the memory, shared.copy(), because "
                "the next round changes it.",
                lambda x: np.repeat(_tree_sum(x)[-1:], len(_tree_sum(x)), axis=0)),
    ),
    engines=("numpy",),
)  # fmt: skip

LESSONS = (CONV_THREAD, TREE_SUM)
