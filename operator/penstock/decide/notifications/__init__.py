"""Who is told what happens. Each event is told once, whatever becomes of the operator in between; here is why.

That something happened is decided together with whom it is told: the pass that ends a run, or that turns a Pipeline to
a Model, writes both in one status. So nothing happens without its being told, nothing is told that did not happen, and
a Pipeline that is given a notification later tells nothing of what was before.

From then on the status holds the delivery until it is settled. While it is `Pending` its Job should exist, under a name
that is a function of the event; once that is over the status says what came of it; and only where it is seen to say so
does the Job go. A pod may ask twice all the same, where an answer was lost: the event has the same id then.
"""
