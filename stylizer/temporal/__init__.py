"""What holds frames together: optical flow, coherence, cuts."""

__all__: list[str] = []
