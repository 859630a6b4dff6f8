"""MOBO of NAGO (Ru, Esperanca and Carlucci 2020): Bayesian optimisation for several objectives by Bayesian networks."""
