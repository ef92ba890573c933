"""One Model behind HTTP, and the same predictions for files and notebooks.

`python -m penstock_jobs.serving SPECIFICATION` serves; `batch` predicts files; `notebook.load` gives an object with
`predict`. All three answer through `models.loading.LoadedModel`. The server imports neither pandas nor scikit-learn
when the Model is an ONNX file, and no web framework at all: five routes need none, and it costs as much as the
prediction.
"""
