"""The run loop, what it runs on and what it evaluates: clusters, objectives, the journal."""
