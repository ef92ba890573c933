"""Who is told what happens. Each event is told once, whatever becomes of the operator in between; here is why.

That something happened is decided together with it: the pass that ends a run, or that turns a Pipeline to a Model,
writes the event, with whom it is for, into the very status in which it happened (`outbox`). So there is no event
without what it is about and nothing that happened without its event; a Pipeline that is given a notification later
tells nothing of what was before. From then on it is in the status until it is settled: while it is `Pending` its Job
should exist, under a name that is a function of the event; once its Job is over that is in the status; and only where
it is seen there does the Job go (`deliveries`). A pod may ask twice all the same, when an answer is lost: the id of the
event is the same then.
"""
