"""The cluster of the real programs, as plain processes of a Linux machine."""
