"""What is said to a person when this machine cannot build an image."""


class MissingForBuild(Exception):
    """Something that the build needs is missing. The text is one sentence for a person."""
