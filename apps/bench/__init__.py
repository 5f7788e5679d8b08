"""What the measurements of speed, memory and stillness are made of."""
