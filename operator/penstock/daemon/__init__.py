"""What the operator and the receiver have in common, as processes that stay: settings, logs, health, metrics."""
