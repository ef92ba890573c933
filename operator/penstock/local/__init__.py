"""Runs on a laptop: the same jobs as subprocesses, with the resources kept as files in a folder."""
