"""What only the command line decides: which run is meant, what is applied, when a wait is over, how a rename goes."""
