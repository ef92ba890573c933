"""The user's own operations: from a git repository to an archive in the run's storage, and from there to a folder.

One job fetches them, so that the credentials of the repository are never where the code in it runs, every job of the
run has the same commit, and a repository that is gone by tomorrow takes no run with it.
"""
