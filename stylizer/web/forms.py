"""Files in forms, and their names."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from flask import request
from werkzeug.datastructures import FileStorage

from stylizer.web.refusal import Refusal

__all__ = ["display_name", "uploaded_file"]

_LONGEST_NAME = 60
_ROOM_FOR_FORM = 64 * 1024
"""Bytes of a form beside its file: names, options, and what separates them."""


def uploaded_file(field: str, *, most_bytes: int) -> FileStorage:
    """Return a file of the request's form.

    Args:
      field: its name.
      most_bytes: of the file.

    Raises:
      Refusal: there is not just one, or it is too large.
    """
    request.max_content_length = most_bytes + _ROOM_FOR_FORM
    if request.mimetype != "multipart/form-data":
        raise Refusal(415, "bad_form", "expected a form, multipart/form-data")
    files = request.files.getlist(field)
    if len(files) != 1:
        raise Refusal(400, "bad_form", f"{field}: expected one file, got {len(files)}")
    return files[0]


def display_name(given: str | None, *, otherwise: str) -> str:
    """Return the words of a file's name, for people to read; never to be used as a path."""
    stem = PurePosixPath((given or "").replace("\\", "/")).stem
    words = re.sub(r"[^\w .,()+-]+", " ", stem).strip(" .")[:_LONGEST_NAME].strip(" .")
    return words or otherwise
