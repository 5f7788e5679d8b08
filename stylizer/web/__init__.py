"""The web page: a Flask application with a live camera, photos and videos."""
