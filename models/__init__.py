"""Networks that the package carries: one folder each, with weights, model card and recipe."""
