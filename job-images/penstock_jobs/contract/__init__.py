"""What passes between the packages, as documents and values: all of the jobs that decisions may import."""
