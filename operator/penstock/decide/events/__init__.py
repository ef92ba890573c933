"""What arrives by HTTP for a Trigger: which events a request holds, whose signature it has, whether they are wanted."""
