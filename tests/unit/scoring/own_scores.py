"""Scoring functions of a user's own."""

import numpy as np


def missed(y_true, y_pred):
    return float(np.sum((y_true == "yes") & (y_pred == "no")))


def mean_of_positive(y_true, y_score, sample_weight=None):
    return float(np.average(y_score, weights=sample_weight))


def width(y_true, y_score):
    return y_score.shape[1]


def breaks(y_true, y_pred):
    raise KeyError("amount")


def words(y_true, y_pred):
    return "good"


ANSWER = 42
