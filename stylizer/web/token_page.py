"""What a person sees who opens the page without its token: a form that takes it."""

from __future__ import annotations

from flask import Response, request

__all__ = ["STYLE", "ask_for_token", "wants_a_page"]

STYLE = "/static/token.css"
"""The one file that the form needs; it tells nothing."""

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>stylizer</title>
  <link rel="stylesheet" href="/static/token.css">
</head>
<body>
  <form action="/" method="get">
    <h1>stylizer</h1>
    <p role="status">{words}</p>
    <label for="token">Token</label>
    <input id="token" name="token" type="password" autocomplete="current-password" required
      autocapitalize="off" spellcheck="false" autofocus>
    <button type="submit">Open</button>
  </form>
</body>
</html>
"""


def wants_a_page() -> bool:
    """Whether it is a person's browser that opens the page, and no program."""
    return (
        request.method == "GET" and request.path == "/" and "html" in str(request.accept_mimetypes)
    )


def ask_for_token(*, wrong: bool) -> Response:
    """Return the form.

    Args:
      wrong: whether one was given already.
    """
    words = (
        "That is not this server's token."
        if wrong
        else "This page needs the token that was printed when its server was started."
    )
    return Response(_PAGE.format(words=words), status=401, mimetype="text/html")
