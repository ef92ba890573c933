"""How much of the past is kept. Pure functions of resources as JSON, the same on a cluster and on a laptop."""
