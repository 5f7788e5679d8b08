"""What the commands say and ask at a terminal while they paint."""
