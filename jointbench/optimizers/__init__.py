"""Who proposes the next evaluation: ask and tell. Imports from `data` alone."""
