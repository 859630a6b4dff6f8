"""How far a surrogate can be trusted: judged on what it has not seen, and against the noise of training itself."""
