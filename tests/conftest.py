"""What all tests share."""

from hypothesis import settings

# Machines differ in speed and tests run beside each other: how long an example takes is no fact about the code.
settings.register_profile("jointbench", deadline=None)
settings.load_profile("jointbench")
