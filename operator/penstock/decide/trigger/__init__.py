"""When a Trigger fires: the moments of its schedule, and what becomes of those that were missed."""
