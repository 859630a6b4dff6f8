"""What a person sees: pages that open offline, and tables on the terminal."""
