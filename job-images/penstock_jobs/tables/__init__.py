"""The three Delta tables of a Pipeline: their internal columns, their versions, and how they are read.

Written by the dataset job only; read by training and testing with `penstock_jobs.tables.reading.read_frame`.
"""
