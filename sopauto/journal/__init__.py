"""The hash-chained journal and its signatures, pure."""
