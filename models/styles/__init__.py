"""The built-in styles: what the embedded loss network saw in ten paintings, and how it is made."""
