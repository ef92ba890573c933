"""What a person's command line asks of a cluster, with the person's own kubeconfig and rights."""
