"""Views of what is observed: Jobs, pods, what they reported, and the other runs and Models of a namespace."""
