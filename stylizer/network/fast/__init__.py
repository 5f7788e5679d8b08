"""The fast network of our own: its architecture, its record, and its graph for OpenVINO."""
