"""The loss network at half of VGG-19's widths: how it is made of VGG-19, and trained."""
