"""How figures look, wherever they are shown: colours, dashes, axes."""
