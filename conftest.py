"""What the examples in docstrings may take for granted."""

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def _names_in_doctests(doctest_namespace):
    doctest_namespace["np"] = np
