"""The receiver of events: an HTTP server beside the operator, which makes a waiting run of each that it accepts."""
