"""What holds frames together: optical flow, and measures of motion."""

__all__: list[str] = []
