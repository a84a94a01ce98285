"""qdepot: hand in a circuit, get a job id at once, find the result for good in your own object store."""
