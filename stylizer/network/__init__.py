"""Networks that paint any style in one pass: our own in `fast`, Magenta's in `magenta`."""
