"""Operations of one's own: what a manifest names by dotted path, as `tumours.scores.cost`."""
