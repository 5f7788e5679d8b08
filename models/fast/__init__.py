"""The fast network's weights, and the recipe that trained it."""
