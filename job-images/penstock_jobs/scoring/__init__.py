"""Scores of predictions: every scoring function of scikit-learn by name, and the user's own by dotted path.

What is scored is a table of predictions and never an estimator, so that training, testing and a report can score what
the server's own code answers.
"""

from penstock_jobs.scoring.classes import order_classes, positive_index
from penstock_jobs.scoring.predictions import Predictions, predict
from penstock_jobs.scoring.scorers import Scorer, load_scorer, load_scorers

__all__ = ["Predictions", "Scorer", "load_scorer", "load_scorers", "order_classes", "positive_index", "predict"]
