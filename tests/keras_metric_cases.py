"""Metrics and losses, their arguments and data: what Keras and minicnn compute in the tests.

It needs NumPy alone, so that a script can import it in an environment with Keras.
"""

import numpy as np


def wave(*shape, step=1.7):
    """Numbers between -1 and 1 that look random and are the same everywhere."""
    return np.sin(step * np.arange(1, np.prod(shape) + 1)).reshape(shape).astype(np.float32)


def probabilities(*shape, step=1.3):
    positive = np.abs(wave(*shape, step=step)) + np.float32(0.01)
    return positive / positive.sum(-1, keepdims=True)


N, C = 12, 4
CLASSES = np.arange(N) * 5 % 7 % C
DATA = {
    "classes": CLASSES,
    "one_hot": np.eye(C, dtype=np.float32)[CLASSES],
    "rows": probabilities(N, C),
    "logits": 3 * wave(N, C, step=0.9),
    "facts": (np.arange(N) % 3 == 1).astype(np.float32),
    "chances": np.abs(wave(N, step=1.2)),
    "tags": (wave(N, 3, step=0.7) > 0.2).astype(np.float32),
    "tag_chances": np.abs(wave(N, 3, step=2.3)),
    "signs": np.sign(wave(N, 3, step=0.7)),
    "numbers": wave(N, 3) + np.float32(0.1),
    "guesses": wave(N, 3) + np.float32(0.4) * wave(N, 3, step=0.5),
    "counts": np.float32(np.arange(N * 3) % 4).reshape(N, 3),
    "positive": np.abs(wave(N, 3, step=0.6)) + np.float32(0.05),
    "column": wave(N, 1) * 2,
    "column_guess": wave(N, 1) * 2 + wave(N, 1, step=0.5),
    "pixels": np.arange(N * 6) * 7 % 5 % 3,
    "pixel_guesses": np.arange(N * 6) * 11 % 7 % 3,
    "pixel_rows": probabilities(N * 6, 3),
    "pixel_one_hot": np.eye(3, dtype=np.float32)[np.arange(N * 6) * 7 % 5 % 3],
    "ids": np.argsort(-probabilities(N, C), -1, kind="stable").astype(np.float32),
    "marked": np.where(np.arange(N) % 4 == 2, -1, CLASSES),
}
WEIGHTS = (1 + wave(N, step=0.4)).astype(np.float32)

# (class, arguments, labels, predictions)
METRICS = [
    ("Accuracy", {}, "pixels", "pixel_guesses"),
    ("BinaryAccuracy", {}, "facts", "chances"),
    ("BinaryAccuracy", {"threshold": 0.3}, "tags", "tag_chances"),
    ("CategoricalAccuracy", {}, "one_hot", "rows"),
    ("SparseCategoricalAccuracy", {}, "classes", "rows"),
    ("TopKCategoricalAccuracy", {"k": 2}, "one_hot", "rows"),
    ("SparseTopKCategoricalAccuracy", {"k": 2}, "classes", "rows"),
    ("SparseTopKCategoricalAccuracy", {"k": 2, "from_sorted_ids": True}, "classes", "ids"),
    ("Precision", {}, "facts", "chances"),
    ("Precision", {"thresholds": [0.2, 0.5, 0.8]}, "facts", "chances"),
    ("Precision", {"thresholds": 0.3, "class_id": 1}, "one_hot", "rows"),
    ("Precision", {"top_k": 2}, "one_hot", "rows"),
    ("Recall", {"thresholds": [0.2, 0.8]}, "tags", "tag_chances"),
    ("Recall", {"top_k": 1, "class_id": 2}, "one_hot", "rows"),
    ("TruePositives", {}, "facts", "chances"),
    ("TrueNegatives", {"thresholds": [0.3, 0.6]}, "facts", "chances"),
    ("FalsePositives", {}, "tags", "tag_chances"),
    ("FalseNegatives", {"thresholds": 0.7}, "facts", "chances"),
    ("PrecisionAtRecall", {"recall": 0.5}, "facts", "chances"),
    ("PrecisionAtRecall", {"recall": 0.5, "num_thresholds": 1}, "facts", "chances"),
    ("RecallAtPrecision", {"precision": 0.4}, "facts", "chances"),
    ("SensitivityAtSpecificity", {"specificity": 0.4}, "tags", "tag_chances"),
    (
        "SpecificityAtSensitivity",
        {"sensitivity": 0.5, "num_thresholds": 20, "class_id": 1},
        "tags",
        "tag_chances",
    ),
    ("AUC", {}, "facts", "chances"),
    ("AUC", {"num_thresholds": 20}, "one_hot", "rows"),
    ("AUC", {"curve": "PR"}, "facts", "chances"),
    ("AUC", {"curve": "PR", "summation_method": "minoring"}, "tags", "tag_chances"),
    ("AUC", {"curve": "PR", "summation_method": "majoring"}, "tags", "tag_chances"),
    ("AUC", {"curve": "PRGAIN"}, "tags", "tag_chances"),
    ("AUC", {"summation_method": "majoring", "num_thresholds": 9}, "facts", "chances"),
    ("AUC", {"thresholds": [0.1, 0.35, 0.9]}, "facts", "chances"),
    ("AUC", {"multi_label": True}, "tags", "tag_chances"),
    (
        "AUC",
        {"multi_label": True, "num_labels": 3, "label_weights": [1.0, 2.0, 0.5], "curve": "PR"},
        "tags",
        "tag_chances",
    ),
    ("AUC", {"from_logits": True}, "one_hot", "logits"),
    ("F1Score", {}, "one_hot", "rows"),
    ("F1Score", {"average": "macro"}, "one_hot", "rows"),
    ("F1Score", {"average": "micro", "threshold": 0.3}, "one_hot", "rows"),
    ("F1Score", {"average": "weighted"}, "one_hot", "rows"),
    ("FBetaScore", {"beta": 2.0}, "one_hot", "rows"),
    ("FBetaScore", {"beta": 0.5, "average": "macro", "threshold": 0.4}, "tags", "tag_chances"),
    ("IoU", {"num_classes": 3, "target_class_ids": [0, 2]}, "pixels", "pixel_guesses"),
    (
        "IoU",
        {"num_classes": 3, "target_class_ids": [1], "sparse_y_pred": False, "ignore_class": 2},
        "pixels",
        "pixel_rows",
    ),
    ("BinaryIoU", {"threshold": 0.4}, "facts", "chances"),
    ("BinaryIoU", {"target_class_ids": [1]}, "tags", "tag_chances"),
    ("MeanIoU", {"num_classes": 3}, "pixels", "pixel_guesses"),
    ("OneHotIoU", {"num_classes": 3, "target_class_ids": [0, 1]}, "pixel_one_hot", "pixel_rows"),
    ("OneHotMeanIoU", {"num_classes": 3}, "pixel_one_hot", "pixel_rows"),
    ("MeanSquaredError", {}, "numbers", "guesses"),
    ("RootMeanSquaredError", {}, "numbers", "guesses"),
    ("RootMeanSquaredError", {}, "column", "column_guess"),
    ("MeanAbsoluteError", {}, "numbers", "guesses"),
    ("MeanAbsolutePercentageError", {}, "numbers", "guesses"),
    ("MeanSquaredLogarithmicError", {}, "counts", "positive"),
    ("LogCoshError", {}, "numbers", "guesses"),
    ("CosineSimilarity", {}, "numbers", "guesses"),
    ("CosineSimilarity", {"axis": 1}, "one_hot", "rows"),
    ("R2Score", {}, "numbers", "guesses"),
    ("R2Score", {"class_aggregation": None}, "numbers", "guesses"),
    (
        "R2Score",
        {"class_aggregation": "variance_weighted_average", "num_regressors": 2},
        "numbers",
        "guesses",
    ),
    ("PearsonCorrelation", {}, "one_hot", "rows"),
    ("ConcordanceCorrelation", {}, "numbers", "guesses"),
    ("Hinge", {}, "signs", "guesses"),
    ("Hinge", {}, "tags", "guesses"),
    ("SquaredHinge", {}, "signs", "guesses"),
    ("CategoricalHinge", {}, "one_hot", "logits"),
    ("KLDivergence", {}, "one_hot", "rows"),
    ("Poisson", {}, "counts", "positive"),
    ("BinaryCrossentropy", {}, "tags", "tag_chances"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "tags", "guesses"),
    ("CategoricalCrossentropy", {}, "one_hot", "rows"),
    ("CategoricalCrossentropy", {"from_logits": True, "label_smoothing": 0.2}, "one_hot", "logits"),
    ("SparseCategoricalCrossentropy", {"from_logits": True}, "classes", "logits"),
    ("SparseCategoricalCrossentropy", {"ignore_class": 1}, "classes", "rows"),
]

# (class, arguments, labels, predictions); predictions become sigmoid, softmax or unit rows of
# weights in the training test where they must be such.
LOSSES = [
    ("MeanSquaredError", {}, "numbers", "guesses"),
    ("MeanAbsoluteError", {}, "numbers", "guesses"),
    ("MeanAbsolutePercentageError", {}, "numbers", "guesses"),
    ("MeanSquaredLogarithmicError", {}, "counts", "positive"),
    ("Huber", {}, "numbers", "guesses"),
    ("Huber", {"delta": 0.2}, "numbers", "guesses"),
    ("LogCosh", {}, "numbers", "guesses"),
    ("CosineSimilarity", {}, "numbers", "guesses"),
    ("Hinge", {}, "signs", "guesses"),
    ("Hinge", {}, "tags", "guesses"),
    ("SquaredHinge", {}, "signs", "guesses"),
    ("CategoricalHinge", {}, "one_hot", "logits"),
    ("KLDivergence", {}, "one_hot", "rows"),
    ("Poisson", {}, "counts", "positive"),
    ("BinaryCrossentropy", {}, "tags", "tag_chances"),
    ("BinaryCrossentropy", {"from_logits": True, "label_smoothing": 0.1}, "tags", "guesses"),
    ("CategoricalCrossentropy", {"label_smoothing": 0.1}, "one_hot", "rows"),
    ("CategoricalCrossentropy", {"from_logits": True}, "one_hot", "logits"),
    ("SparseCategoricalCrossentropy", {}, "classes", "rows"),
    (
        "SparseCategoricalCrossentropy",
        {"from_logits": True, "ignore_class": -1},
        "marked",
        "logits",
    ),
    ("BinaryFocalCrossentropy", {}, "tags", "tag_chances"),
    (
        "BinaryFocalCrossentropy",
        {"apply_class_balancing": True, "alpha": 0.3, "gamma": 1.5, "from_logits": True},
        "tags",
        "guesses",
    ),
    ("CategoricalFocalCrossentropy", {}, "one_hot", "rows"),
    (
        "CategoricalFocalCrossentropy",
        {"from_logits": True, "label_smoothing": 0.1, "alpha": 0.5, "gamma": 1.0},
        "one_hot",
        "logits",
    ),
    ("CategoricalGeneralizedCrossEntropy", {"q": 0.7}, "classes", "rows"),
    ("Dice", {}, "tags", "tag_chances"),
    ("Dice", {"axis": [1]}, "tags", "tag_chances"),
    ("Tversky", {"alpha": 0.3, "beta": 0.6}, "tags", "tag_chances"),
    ("Tversky", {"axis": [1]}, "tags", "tag_chances"),
    ("Circle", {"gamma": 4.0}, "classes", "units"),
]
DATA["units"] = DATA["logits"] / np.linalg.norm(DATA["logits"], axis=-1, keepdims=True)

# (function, further arguments, labels, predictions)
FUNCTIONS = [
    ("losses.mean_squared_error", {}, "numbers", "guesses"),
    ("losses.mean_absolute_error", {}, "numbers", "guesses"),
    ("losses.huber", {"delta": 0.3}, "numbers", "guesses"),
    ("losses.log_cosh", {}, "numbers", "guesses"),
    ("losses.hinge", {}, "tags", "guesses"),
    ("losses.squared_hinge", {}, "tags", "guesses"),
    ("losses.categorical_hinge", {}, "one_hot", "logits"),
    ("losses.kl_divergence", {}, "one_hot", "rows"),
    ("losses.poisson", {}, "counts", "positive"),
    ("losses.cosine_similarity", {}, "numbers", "guesses"),
    ("losses.binary_crossentropy", {}, "tags", "tag_chances"),
    ("losses.binary_crossentropy", {}, "facts", "chances"),
    ("losses.categorical_crossentropy", {"label_smoothing": 0.1}, "one_hot", "rows"),
    ("losses.sparse_categorical_crossentropy", {}, "classes", "rows"),
    ("losses.sparse_categorical_crossentropy", {"ignore_class": -1}, "marked", "rows"),
    ("losses.dice", {}, "tags", "tag_chances"),
    ("losses.tversky", {"alpha": 0.2}, "tags", "tag_chances"),
    ("losses.binary_focal_crossentropy", {"gamma": 3.0}, "tags", "tag_chances"),
    ("losses.categorical_focal_crossentropy", {}, "one_hot", "rows"),
    ("losses.categorical_generalized_cross_entropy", {"q": 0.5}, "classes", "rows"),
    ("losses.circle", {"gamma": 3.0}, "classes", "units"),
    ("metrics.binary_accuracy", {"threshold": 0.4}, "tags", "tag_chances"),
    ("metrics.categorical_accuracy", {}, "one_hot", "rows"),
    ("metrics.sparse_categorical_accuracy", {}, "classes", "rows"),
    ("metrics.top_k_categorical_accuracy", {"k": 2}, "one_hot", "rows"),
    ("metrics.sparse_top_k_categorical_accuracy", {"k": 3}, "classes", "rows"),
    ("metrics.pearson_correlation", {}, "numbers", "guesses"),
    ("metrics.concordance_correlation", {}, "one_hot", "rows"),
]

# How a network's last layer makes predictions of each kind.
LAST = {
    "guesses": None,
    "logits": None,
    "positive": "sigmoid",
    "rows": "softmax",
    "tag_chances": "sigmoid",
    "units": "unit",
}
STEPS = 20
X = wave(N, 5, step=0.8)
# (index in LOSSES, further arguments, sample weights or None): trained for STEPS steps of SGD(0.05)
TRAININGS = [(i, {}, None) for i in range(len(LOSSES))] + [
    (0, {"reduction": "sum"}, None),
    (4, {"reduction": "sum"}, WEIGHTS),
    (5, {"reduction": "mean_with_sample_weight"}, WEIGHTS),
    (17, {"reduction": "sum"}, WEIGHTS),
    (18, {"reduction": "mean_with_sample_weight"}, WEIGHTS),
    (19, {}, WEIGHTS),
    (20, {}, WEIGHTS),
]


def initial_weights(outputs):
    return [0.5 * wave(5, outputs, step=0.3), 0.1 * wave(outputs, step=0.9)]


def unit_layer(package):
    """Return a layer whose outputs have length 1."""

    class Unit(package.layers.Layer):
        def call(self, x):
            return x / package.ops.sqrt(package.ops.sum(x * x, axis=-1, keepdims=True))

    return Unit()


def train(package, case):
    """Return the losses before and after the training, and the kernel, in Keras or minicnn."""
    index, further, weights = case
    kind, arguments, labels, predictions = LOSSES[index]
    y, outputs, last = DATA[labels], DATA[predictions].shape[-1], LAST[predictions]
    layers = package.layers
    dense = layers.Dense(outputs, activation=None if last == "unit" else last)
    model = package.Sequential([package.Input((5,)), dense])
    if last == "unit":
        model.add(unit_layer(package))
    dense.set_weights(initial_weights(outputs))
    loss = getattr(package.losses, kind)(**arguments, **further)
    model.compile(package.optimizers.SGD(0.05), loss)
    found = [model.train_on_batch(X, y, sample_weight=weights) for _ in range(STEPS)]
    return float(found[0]), float(found[-1]), np.asarray(dense.get_weights()[0]).reshape(-1)
