"""Networks that paint any style in one pass: our own in `fast`, Magenta's in `magenta`.

`registry` lists them; what runs our own is in `embedded`.
"""
