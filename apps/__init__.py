"""What people run: the command line and the apps behind it."""
