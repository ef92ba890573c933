"""Which types a skops file may hold: a list of ours, and what the user named in the Pipeline. Never what the file says.

skops reads data, but it builds the objects that the file names, so a name decides what code runs. Each type below only
holds numbers or computes with them; none of them opens a file, starts a process, or calls a function that a file names
(which is why `PyFuncDistance64` is not among the distances). skops itself trusts scikit-learn's public estimators.
"""

_DISTANCES = (
    "Euclidean",
    "SEuclidean",
    "Manhattan",
    "Chebyshev",
    "Minkowski",
    "Mahalanobis",
    "Hamming",
    "Canberra",
    "BrayCurtis",
    "Jaccard",
    "Dice",
    "RogersTanimoto",
    "RussellRao",
    "SokalSneath",
    "Haversine",
)

SAFE_TYPES: tuple[str, ...] = (
    "collections.OrderedDict",
    "numpy.dtype",
    "sklearn.calibration._CalibratedClassifier",
    "sklearn.calibration._SigmoidCalibration",
    "sklearn.calibration._TemperatureScaling",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    *(f"sklearn.linear_model._sgd_fast.{loss}" for loss in ("Hinge", "ModifiedHuber", "SquaredHinge")),
    *(f"sklearn.linear_model._sgd_fast.{loss}" for loss in ("EpsilonInsensitive", "SquaredEpsilonInsensitive")),
    *(f"sklearn.metrics._dist_metrics.{name}Distance{bits}" for name in _DISTANCES for bits in (32, 64)),
    "sklearn.neighbors._ball_tree.BallTree",
    "sklearn.neighbors._ball_tree.BallTree32",
    "sklearn.neighbors._ball_tree.BallTree64",
    "sklearn.neighbors._kd_tree.KDTree",
    "sklearn.neighbors._kd_tree.KDTree32",
    "sklearn.neighbors._kd_tree.KDTree64",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.neural_network._stochastic_optimizers.SGDOptimizer",
    "sklearn.tree._tree.Tree",
    "sklearn.utils._bunch.Bunch",
)
