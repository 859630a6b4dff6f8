"""What a training runs on, one file a device type; `registry` finds them by torch's names."""
