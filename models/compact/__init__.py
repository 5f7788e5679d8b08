"""The compact loss network: how it is distilled from VGG-19, and how it is measured."""
