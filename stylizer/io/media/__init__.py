"""Media files: what is in them, how they are timed, encoded and put together by ffmpeg."""
