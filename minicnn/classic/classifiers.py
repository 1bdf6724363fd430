"""Classifiers of features: scikit-learn's, with settings that suit images."""

from __future__ import annotations

from typing import Any

from minicnn.checks import nearest
from minicnn.errors import ArgumentError
from minicnn.installed import missing_extra

CLASSIFIERS = {
    "svm": "support vector machine",
    "logistic": "logistic regression",
    "forest": "random forest",
    "tree": "decision tree",
}
TREES = 300
# A limit that is never reached with a few thousand features.
MAX_ITERATIONS = 5000
SEEDS = 2**32  # of scikit-learn


def classifier(name: str, seed: int = 0) -> Any:
    """Return an untrained classifier with `fit(x, y)` and `predict(x)`, where x is (N, features).

    Parameters
    ----------
    name : one of `CLASSIFIERS`
    seed : seed of the trees; the other classifiers use no random numbers

    Raises
    ------
    ArgumentError : there is no such classifier
    MissingExtraError : scikit-learn is not installed

    Notes
    -----
    The support vector machine (Gaussian kernel, C = 10) and the logistic regression depend on the
    scale of the features, so these are first scaled to mean 0 and standard deviation 1.

    References
    ----------
    Cortes, Vapnik: Support-vector networks, Machine Learning 20, 1995.
    Breiman: Random forests, Machine Learning 45, 2001.
    """
    if name not in CLASSIFIERS:
        raise ArgumentError(f"no classifier {name!r}{nearest(name, CLASSIFIERS)}")
    try:
        from sklearn import ensemble, linear_model, pipeline, preprocessing, svm, tree
    except ModuleNotFoundError as err:
        raise missing_extra("this classifier needs scikit-learn", "classic") from err
    seed %= SEEDS
    if name == "tree":
        return tree.DecisionTreeClassifier(random_state=seed)
    if name == "forest":
        return ensemble.RandomForestClassifier(TREES, random_state=seed, n_jobs=-1)
    last = (
        svm.SVC(C=10.0)
        if name == "svm"
        else linear_model.LogisticRegression(C=0.01, max_iter=MAX_ITERATIONS)
    )
    return pipeline.make_pipeline(preprocessing.StandardScaler(), last)


def one_thread() -> Any:
    """Return a context in which the linear algebra of scikit-learn uses one thread.

    With two, the small matrices of these methods take longer, a hundred times as long on a busy
    machine, and the results depend on the number of threads.
    """
    try:
        from threadpoolctl import threadpool_limits
    except ModuleNotFoundError as err:  # a requirement of scikit-learn
        raise missing_extra("this classifier needs scikit-learn", "classic") from err
    return threadpool_limits(1)
