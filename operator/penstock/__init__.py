"""Penstock: from tables to a tested model behind an API, from one manifest."""
