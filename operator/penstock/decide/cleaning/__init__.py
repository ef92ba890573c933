"""What becomes of the files of what is deleted: kept, or deleted by a Job, from a record that was written before."""
