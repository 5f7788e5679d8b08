"""Where frames go: windows, video files, folders, virtual cameras."""
