"""The one reader of tables: for the dataset job, for prediction in bulk and for notebooks.

What a text means is said once, in `expressions`; how a file becomes columns of texts or values, in `raw`; what had to
be found out about it, in `discovery`. All of it goes by a `contract.reading.InputReading`, which is found out or
declared at the first generation of the tables, recorded with them and in each Model, and used from then on.

| type | texts that are read as it |
|---|---|
| Integer | digits, without a leading zero, perhaps with `-`; `.0` may follow; at most 64 bits |
| Float | the same with a fraction; with an exponent beside a fraction or a sign (`1e-05`, `1.5E3`); `inf`, `nan` |
| Boolean | `true`, `false`; where the column is one already also `1`, `0`, `yes`, `no`, `t`, `f`, `y`, `n` |
| Date | `2026-05-31`, also with a time of midnight; or the column's `date_format` |
| Timestamp | ISO 8601; without an offset it is UTC; or the column's `date_format` |
| String | any, as it stands |

So `0x1F`, `1E5`, `007`, `+5` and ` 5` are texts: they are codes more often than numbers, and a code that became a
number cannot be had back. A text of the input's `null_texts` is null in every format.
"""
