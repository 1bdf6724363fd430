"""The exercises of the course: the reference passes, and each mistake gets its own words."""

from __future__ import annotations

import numpy as np
import pytest

from minicnn.apps.lessons.catalog import CHAPTERS, LESSONS, find_lesson
from minicnn.apps.lessons.checking import judge, wrong_cases
from minicnn.apps.lessons.common_mistakes import common_mistake
from minicnn.apps.lessons.differences import Difference, difference_words, wrong_numbers
from minicnn.apps.lessons.lesson import Case, as_results
from minicnn.apps.lessons.record import remember, state_of
from minicnn.apps.lessons.returned import checked_results
from minicnn.apps.lessons.stub import solution_text, stub_text, write_stub
from minicnn.apps.lessons.student import Answers
from minicnn.backends import available_backends, use_backend
from minicnn.errors import ArgumentError, MiniCNNError

lessons = pytest.mark.parametrize("lesson", LESSONS.values(), ids=LESSONS)
MISTAKES = {
    f"{lesson.name}-{number}": (lesson, mistake)
    for lesson in LESSONS.values()
    for number, mistake in enumerate(lesson.mistakes)
}


@pytest.fixture(autouse=True)
def reference_engine():
    with use_backend("numpy"):
        yield


def answers_of(lesson, function):
    """What the child would have sent back."""
    with np.errstate(all="ignore"):
        returned = [
            checked_results(function(**case.copies()), lesson, case, case.arguments)
            for case in lesson.all_cases()
        ]
    return Answers(results=returned)


def with_mistake(lesson, mistake):
    """A student's function that makes the mistake, where it is possible, and no other."""

    def function(**arguments):
        right = list(as_results(lesson.reference(**arguments)))
        try:
            wrong = mistake.wrong(**arguments)
        except (MiniCNNError, ValueError, IndexError):
            wrong = None
        if wrong is not None:
            right[lesson.results.index(mistake.of or lesson.results[0])] = wrong
        return tuple(right)

    return function


@lessons
def test_the_reference_passes(lesson):
    verdict = judge(lesson, answers_of(lesson, lesson.reference))
    assert verdict.passed and verdict.right == verdict.cases == len(lesson.all_cases())


@pytest.mark.parametrize(("lesson", "mistake"), MISTAKES.values(), ids=MISTAKES)
def test_each_mistake_gets_its_words(lesson, mistake):
    verdict = judge(lesson, answers_of(lesson, with_mistake(lesson, mistake)))
    case = lesson.all_cases()[verdict.right]
    assert not verdict.passed
    assert verdict.words[0] == mistake.words.format(**case.arguments)


@lessons
def test_a_lesson_is_complete(lesson):
    assert lesson.chapter in CHAPTERS
    names = set(lesson.all_cases()[0].arguments)
    compile(stub_text(lesson), "stub.py", "exec")
    assert f"def {lesson.name}(" in lesson.stub and all(
        f"{name} : " in lesson.stub for name in names
    )
    assert all(one.of in ("", *lesson.results) for one in lesson.mistakes) and lesson.mistakes
    assert "def " in solution_text(lesson) and "minicnn/" in solution_text(lesson)


@lessons
def test_the_race_is_run_by_every_engine(lesson):
    case = lesson.race_case()
    for name in set(lesson.engines) & set(available_backends()) if case else ():
        with use_backend(name):
            results = as_results(lesson.reference(**case.copies()))
        assert all(np.isfinite(one).all() for one in results)


@lessons
def test_cases_are_the_same_each_time(lesson):
    once, twice = lesson.all_cases(), lesson.all_cases()
    for case, again in zip(once, twice, strict=True):
        for name, value in case.arguments.items():
            np.testing.assert_array_equal(value, again.arguments[name])


def test_two_mistakes_at_once_give_the_numbers():
    lesson = find_lesson("conv2d")

    def function(x, w, b, stride):
        return lesson.reference(x, w[::-1, ::-1], b + 1, stride) ** 2

    words = judge(lesson, answers_of(lesson, function)).words
    assert words[0].startswith("9 of 9 numbers differ. The first one is at [0, 0, 0, 0]: expected ")
    assert words[1].startswith("The largest difference is ")


def test_the_first_wrong_case_counts():
    lesson = find_lesson("conv2d")

    def function(x, w, b, stride):
        return lesson.reference(x, w, b, 1)

    verdict = judge(lesson, answers_of(lesson, function))
    assert verdict.right == 1 and verdict.case.startswith(
        "Case 2 of 4, a step of two pixels: x (1,"
    )
    assert verdict.words == [
        "Your result is what comes out with stride 1; this case has stride 2.",
        "The result has shape (1, 5, 5, 2) instead of (1, 3, 3, 2).",
    ]


def test_a_mistake_of_the_first_case_alone_does_not_hide_what_explains_all():
    lesson = find_lesson("dense_backward")  # whose first case is a batch of one image

    def function(dy, x, w):
        return dy @ w.T, x.T @ dy, dy.sum(0, keepdims=True)

    words = judge(lesson, answers_of(lesson, function)).words
    assert words[0].startswith(
        "The numbers are right, the axes are not: np.squeeze(your result, 0)"
    )


def test_results_in_another_order():
    lesson = find_lesson("dense_backward")

    def function(dy, x, w):
        return x.T @ dy, dy @ w.T, dy.sum(0)

    words = judge(lesson, answers_of(lesson, function)).words
    assert words[0] == "The results are right, but in another order. Return dx, dw, db."


def test_convolution_windows_that_do_not_fit_do_not_pass():
    lesson = find_lesson("conv2d")

    def function(x, w, b, stride):
        more = np.pad(x, ((0, 0), (0, stride - 1), (0, stride - 1), (0, 0)))
        return lesson.reference(more, w, b, stride)

    assert not judge(lesson, answers_of(lesson, function)).passed


@pytest.mark.parametrize(
    "formula",
    [
        lambda side, size, stride: side // stride,
        lambda side, size, stride: -(-(side - size) // stride) + 1,
    ],
)
def test_a_wrong_number_of_windows_does_not_pass(formula):
    lesson = find_lesson("max_pool")

    def function(x, size, stride):
        rows, columns = (formula(side, size, stride) for side in x.shape[1:3])
        y = np.empty((len(x), rows, columns, x.shape[3]))
        for i, j in np.ndindex(rows, columns):
            window = x[:, i * stride : i * stride + size, j * stride : j * stride + size]
            y[:, i, j] = window.max((1, 2))
        return y

    assert not judge(lesson, answers_of(lesson, function)).passed


Y = np.array([[1.25, -2.5, 3.0], [4.0, 5.75, 7.5]])
COMMON = {
    "transposed": (Y.T, "The axes are in another order: your result.T would be right."),
    "an axis too much": (Y[None], "np.squeeze(your result, 0) would be right."),
    "a row": (Y.ravel(), "your result.reshape(2, 3) would be right."),
    "not summed": (np.stack([Y / 4, Y * 3 / 4]), "A sum is missing: your result.sum(0)"),
    "not averaged": (np.stack([Y / 2, Y * 3 / 2]), "A mean is missing: your result.mean(0)"),
    "infinite": (np.where(Y > 7, np.inf, Y), "A number is infinite"),
    "no number": (np.where(Y > 7, np.nan, Y), "A number is NaN"),
    "nothing": (Y * 0, "All numbers are 0"),
    "whole numbers": (Y.astype(int), "The fractions are cut off"),
    "sign": (-Y, "The sign is wrong"),
    "reversed": (Y[:, ::-1], "in reversed order along axis 1"),
    "one of 7": (Y / 7, "1/7 of what it should be. 7 is the length of axis 0 of x."),
    "times an argument": (Y * 0.3, "1/3.333 of what it should be. 0.3 is the argument rate."),
    "factor and sign": (Y * -7, "7 times as large as it should be, and the sign is wrong. 7 is"),
    "any factor": (Y * 1.5, "Every number is 1.5 times as large as it should be."),
    "pixels": (Y * 255, "255 is the largest value of a pixel"),
    "a loop that ends too early": (
        np.where([[1, 1, 0]], Y, 0),
        "All numbers at the end of axis 1 are 0: does a loop end too early",
    ),
    "two such loops": (Y * [[1, 1, 0], [0, 0, 0]], "at the end of axis 0 and of axis 1 are 0"),
    "a constant": (Y + 0.5, "Every number is too large by the same amount, 0.5."),
    "the argument": (np.full((2, 3), 9.0), "The result is the argument k, unchanged."),
    "something else": (Y**2, ""),
    "another shape": (np.ones((3, 3)), ""),
}


@pytest.mark.parametrize(("got", "words"), COMMON.values(), ids=COMMON)
def test_common_mistakes(got, words):
    case = Case("", x=np.zeros((7, 1)), k=np.full((2, 3), 9.0), rate=0.3)
    wrong = wrong_numbers(got, Y, 1e-5) if got.shape == Y.shape else np.zeros(0, bool)
    said = common_mistake(Difference("", got, Y, wrong), case, 1e-5)
    assert words in said and bool(words) == bool(said)


def test_an_axis_is_missing():
    found = Difference("", Y, Y[..., None], np.zeros(0, bool))
    assert "np.expand_dims(your result, 2)" in common_mistake(found, Case(""), 1e-5)


def test_a_column_of_one_number_has_its_last_axis_too_much():
    found = Difference("", np.ones((1, 1)), np.ones(1), np.zeros(0, bool))
    assert "np.squeeze(your result, 1)" in common_mistake(found, Case(""), 1e-5)


def test_equal_numbers_have_no_offset():
    got, expected = np.full(3, -1.5), np.full(3, -4.0)
    assert common_mistake(Difference("", got, expected, got != expected), Case(""), 1e-5) == ""


def test_a_square_result_may_be_transposed():
    found = Difference("", Y[:, :2].T, Y[:, :2], np.array([[False, True], [True, False]]))
    assert common_mistake(found, Case(""), 1e-5).startswith("The axes are in another order")


WHERE = {
    "one number": ((1, 2), "1 of 6 numbers differs, at [1, 2]: expected 7.5, got 8.5."),
    "a column": ((slice(None), 0), "All of them are in [:, 0]; the rest is right."),
    "all but the first": (1, "All of them are in [1, :]; the rest is right."),
}


@pytest.mark.parametrize(("where", "words"), WHERE.values(), ids=WHERE)
def test_where_numbers_differ(where, words):
    got = Y.copy()
    got[where] += 1
    assert difference_words(Difference("", got, Y, got != Y))[-1] == words


def test_only_the_first_image_is_right():
    expected = np.arange(12.0).reshape(4, 3)
    got = expected.copy()
    got[1:] = 0
    last = difference_words(Difference("y", got, expected, got != expected))[-1]
    assert last == "All numbers in [0] are right."


def test_nan_is_right_where_it_is_expected():
    nan = np.array([np.nan, 1.0, np.inf])
    assert wrong_numbers(nan, nan, 1e-5).tolist() == [False, False, False]
    assert wrong_numbers(np.array([1.0, 1, -np.inf]), nan, 1e-5).tolist() == [True, False, True]


RETURNED = {
    "nothing": (None, r"returned nothing \(None\). Does it end with `return dx, dw, db`"),
    "one array": (np.ones(3), "returned 1 result; it must return 3 results: dx, dw, db"),
    "two arrays": ((1, 2), "returned 2 results; it must return 3"),
    "one is missing": ((np.ones(1), None, np.ones(1)), "The result dw is None"),
    "a text": ((np.ones(1), "no", np.ones(1)), "the result dw is a str"),
    "rows of different lengths": ((np.ones(1), [[1], [1, 2]], 1), "the result dw is a list"),
}


@pytest.mark.parametrize(("returned", "words"), RETURNED.values(), ids=RETURNED)
def test_what_is_returned_is_checked(returned, words):
    with pytest.raises(ArgumentError, match=words):
        checked_results(returned, find_lesson("dense_backward"), Case(""), {})


def test_lists_are_as_good_as_tuples_and_arrays():
    lesson = find_lesson("dense_backward")
    assert len(checked_results([1, [2.0], np.ones(1)], lesson, Case(""), {})) == 3
    (one,) = checked_results([1, 2], find_lesson("conv2d"), Case(""), {})
    assert one.tolist() == [1, 2]


def test_a_changed_argument_is_named():
    case = Case("", x=np.zeros(2), rate=0.5)
    with pytest.raises(ArgumentError, match=r"changed its argument x.*x = x\.copy\(\)"):
        checked_results(1.0, find_lesson("conv2d"), case, {"x": np.ones(2), "rate": 0.5})


def test_the_record_knows_the_file(tmp_path):
    lesson = find_lesson("softmax")
    assert state_of(lesson, tmp_path) == ""
    file = write_stub(lesson, tmp_path)
    assert state_of(lesson, tmp_path) == "begun"
    remember(lesson, file)
    assert state_of(lesson, tmp_path) == "passed"
    file.write_text("changed")
    assert state_of(lesson, tmp_path) == "changed since it passed"
    (tmp_path / ".minicnn-lessons.json").write_text("{")
    assert state_of(lesson, tmp_path) == "begun"


def test_wrong_cases_are_found_by_number():
    lesson = find_lesson("max_pool")
    cases = lesson.all_cases()
    results = [lesson.expected(case) for case in cases]
    results[2] = (results[2][0] + 1,)
    assert list(wrong_cases(lesson, cases, results)) == [2]
