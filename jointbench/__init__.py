"""JointBench: when architecture and hyperparameters are searched together, which optimizer wins?"""

__version__ = "0.1.0"
