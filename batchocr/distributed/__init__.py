"""Runs whose journal is in a store: work items, parts, engines on one machine and on a cluster, shards."""
