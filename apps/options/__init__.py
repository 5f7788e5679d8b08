"""The options of the commands, as records that only say and check what was asked for."""
