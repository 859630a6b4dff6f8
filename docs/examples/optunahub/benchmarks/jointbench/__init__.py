from ._jointbench import Problem

__all__ = ["Problem"]
