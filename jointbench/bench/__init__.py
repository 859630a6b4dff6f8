"""The harness: what is evaluated, on what it runs, what comes out. Composes all other folders; torch lives here."""
