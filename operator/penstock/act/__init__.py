"""The thin shell around the decisions: watch, observe, decide, apply. Only here kopf and Kubernetes are known."""
