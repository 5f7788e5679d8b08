"""Styles: pictures, and the built-in ones, of which only statistics are carried."""
