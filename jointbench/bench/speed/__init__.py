"""Programs that measure: `python -m jointbench.bench.speed.NAME`, ours against the other, interleaved in one run."""
