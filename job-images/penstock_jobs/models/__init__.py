"""Models as files: saved with proof that the file answers as the estimator did, and loaded without running any of it.

`saving.save_model` is what training calls, `loading.load_model` is the one way to a prediction: the inference server,
batch prediction, notebooks and the testing job all go through it.
"""
