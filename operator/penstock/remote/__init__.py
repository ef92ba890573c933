"""A cluster, as a person's command line works with it: with the person's own kubeconfig and rights."""
