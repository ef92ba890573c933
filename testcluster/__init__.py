"""A Kubernetes cluster for the tests: kind, the real programs as processes, or any cluster that KUBECONFIG names."""
