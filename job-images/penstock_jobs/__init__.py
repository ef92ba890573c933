"""The code that runs inside Penstock's jobs and its inference server. It knows nothing of Kubernetes."""
