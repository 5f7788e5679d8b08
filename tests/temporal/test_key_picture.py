"""What is remembered of a picture that later ones are compared with."""

import numpy as np
import pytest
from skimage import data

from stylizer.temporal.key_picture import KeyPicture, Reduced, make_search

SEEN = Reduced.of(data.coffee(), (128, 85))


@pytest.mark.parametrize("moves", [None, True, False])
def test_the_next_one_knows_whether_the_camera_moves(moves: bool | None) -> None:
    first = KeyPicture(SEEN, moves=moves)
    assert KeyPicture.after(first, SEEN).moves is moves
    assert KeyPicture.load(first.save_state()).moves is moves
    assert KeyPicture.after(None, SEEN).moves is None


def test_what_was_saved_goes_on_as_it_was() -> None:
    moved = Reduced.of(np.roll(data.coffee(), 12, axis=1), (128, 85))
    first, search = KeyPicture(SEEN), make_search("fast", 128)
    first.find(moved, search)
    assert first.moves and first.camera.any()
    again = KeyPicture.load(first.save_state())
    np.testing.assert_array_equal(again.camera, first.camera)
    np.testing.assert_array_equal(again.find(moved, search), first.find(moved, search))
