"""The networks that find palms and landmarks: what they take and give, and how it is decoded."""

import numpy as np
import pytest

from stylizer.backend.tflite import TfliteNetwork
from stylizer.faces.search import make_anchors
from stylizer.hands.detector import Palm, PalmDetector, decode
from stylizer.hands.landmarks import Hand, HandNetwork, place_of_hand, place_of_palm
from stylizer.weights import weights_path
from tests.hands.drawn import open_hand


@pytest.mark.parametrize(
    ("name", "side", "shapes"),
    [
        ("palms", 192, [(1, 2016, 18), (1, 2016, 1)]),
        ("hands", 224, [(1, 63), (1, 1), (1, 1), (1, 63)]),
    ],
)
def test_the_networks_load_and_give_what_is_decoded(
    name: str, side: int, shapes: list[tuple[int, ...]]
) -> None:
    network = TfliteNetwork(weights_path(name), inputs=(1, side, side, 3), cure="")
    given = network(np.zeros((1, side, side, 3), np.float32))
    assert [one.shape for one in given] == shapes


def test_there_are_no_hands_in_an_even_picture() -> None:
    image = np.full((120, 200, 3), 90, np.uint8)
    assert PalmDetector()(image) == []
    palm = Palm(
        score=1.0,
        box=np.array([50, 40, 90, 80], np.float32),
        wrist=np.array([70, 80], np.float32),
        middle=np.array([70, 40], np.float32),
    )
    assert HandNetwork()(image, place_of_palm(palm)).score < 0.5


def test_anchors_are_the_middles_of_cells() -> None:
    anchors = make_anchors(192, ((24, 2), (12, 6)))
    assert anchors.shape == (2016, 2)
    np.testing.assert_array_equal(anchors[:3], [[4, 4], [4, 4], [12, 4]])
    np.testing.assert_array_equal(anchors[1152], [8, 8])
    np.testing.assert_array_equal(anchors[-1], [184, 184])


def test_offsets_are_from_anchors_but_of_sizes_and_the_surest_comes_first() -> None:
    anchors = np.array([[4, 4], [100, 60], [50, 50]], np.float32)
    values = np.tile(np.arange(18, dtype=np.float32), (3, 1))
    pairs, scores = decode(values, np.array([-3.0, 1.0, 4.0], np.float32), anchors, least=0.5)
    assert pairs.shape == (2, 9, 2)
    np.testing.assert_array_equal(pairs[0, :3], [[50, 51], [2, 3], [54, 55]])
    np.testing.assert_array_equal(pairs[1, 8], [116, 77])
    np.testing.assert_allclose(scores, 1 / (1 + np.exp([-4.0, -1.0])), rtol=1e-5)


def test_a_palm_is_looked_at_with_its_fingers_upwards() -> None:
    box = np.array([80, 80, 120, 120], np.float32)
    right = Palm(score=1.0, box=box, wrist=box[:2], middle=box[:2] + np.array([30, 0], np.float32))
    place = place_of_palm(right)
    assert place.side == pytest.approx(2.6 * 40)
    np.testing.assert_allclose(place.center, (120, 100), atol=1e-4)  # moved to the right
    along = place.matrix(224)[:, :2] @ np.array([1.0, 0.0])
    assert along[1] < 0 and abs(along[0]) < 1e-6


@pytest.mark.parametrize("angle", [0.0, 0.7, -2.0])
def test_the_square_of_a_hand_turns_with_it(angle: float) -> None:
    points = open_hand((0, 0))
    upright = place_of_hand(Hand(points=points, score=1.0))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    turned = (points @ turn.T).astype(np.float32)
    place = place_of_hand(Hand(points=turned, score=1.0))
    assert place.side == pytest.approx(upright.side, rel=1e-4)
    assert place.angle == pytest.approx(upright.angle + angle, abs=1e-4)
    np.testing.assert_allclose(place.center, turn @ np.array(upright.center), atol=1e-3)
    inside = points @ upright.matrix(224)[:, :2].T + upright.matrix(224)[:, 2]
    assert inside.min() > 0 and inside.max() < 224
