"""How our fast networks are trained: one recipe for all of them."""
