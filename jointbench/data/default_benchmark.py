"""The benchmark that is taken when none is named: the newest that ships."""

DEFAULT_BENCHMARK = "fashion-small"
