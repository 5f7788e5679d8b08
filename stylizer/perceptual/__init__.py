"""What pictures look like to a network: loss networks, their features, and the losses on them.

`features` loads a loss network by name: `compact`, `vgg`, or one of `applications`; `losses` are
pure functions of its features; `precision` says in which arithmetic it runs. The optimization, the
fast network and the training of both stand on this. Importing this package imports no backend.
"""
