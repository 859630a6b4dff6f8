"""One training: the network, its data on the device, its clock, and everything that a result means."""
