"""What runs inside a build, of the standard library alone: the Dockerfiles copy and call these modules."""
