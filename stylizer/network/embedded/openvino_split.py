"""Splits an image network in OpenVINO's form: what depends on the style alone, and the rest.

Kernels, scales and shifts follow the code. Computed with each frame they cost as much as a small
frame does, and made into constants the network would be compiled for each style. So they are
computed once a style, and go into the network that runs per frame as inputs.
"""

from __future__ import annotations

from typing import Any

import openvino as ov
from openvino import opset13 as op

__all__ = ["split_style"]

_STYLE = {"code", "change"}
"""The inputs that say the style."""


def split_style(model: ov.Model) -> tuple[ov.Model, ov.Model]:
    """Split a network; the two models share nothing with it, nor with each other.

    Args:
      model: one of its inputs is ``code``, of a static shape, as is ``change``, if it has that.

    Returns:
      From these to what the other model takes of a style, in this order. From the other inputs
      of the network, and then what the first gives, to the network's outputs.
    """
    style, frame = model.clone(), model.clone()
    cut = _boundary(frame)
    ordered = style.get_ordered_ops()
    results = [op.result(ordered[index].output(port)) for index, port in cut]
    known = [slot.get_node() for slot in style.inputs if slot.get_names() & _STYLE]
    style = ov.Model(results, known, "style")
    inputs = [slot.get_node() for slot in frame.inputs if not slot.get_names() & _STYLE]
    ordered = frame.get_ordered_ops()
    for index, port in cut:
        source = ordered[index].output(port)
        given = op.parameter(source.get_shape(), source.get_element_type())
        for target in source.get_target_inputs():
            target.replace_source_output(given.output(0))
        inputs.append(given)
    return style, ov.Model(frame.get_results(), inputs, frame.get_friendly_name())


def _boundary(model: ov.Model) -> list[tuple[int, int]]:
    """Return the outputs that depend on the style alone, and that others take: (number, port).

    They come in the order in which frames take them. Numbers are those of
    `ov.Model.get_ordered_ops`, the same for each clone.
    """
    ordered: list[Any] = model.get_ordered_ops()
    kinds: dict[str, str] = {}
    found = []
    for node in ordered:
        name = node.get_friendly_name()
        if node.get_type_name() == "Parameter":
            kinds[name] = "style" if node.output(0).get_names() & _STYLE else "frame"
            continue
        given = [slot.get_source_output() for slot in node.inputs()]
        of = {kinds[source.get_node().get_friendly_name()] for source in given}
        kinds[name] = next((kind for kind in ("frame", "style") if kind in of), "constant")
    numbers = {node.get_friendly_name(): index for index, node in enumerate(ordered)}
    for index, node in enumerate(ordered):
        if kinds[node.get_friendly_name()] != "style":
            continue
        for port, output in enumerate(node.outputs()):
            takers = [one.get_node().get_friendly_name() for one in output.get_target_inputs()]
            of_frames = [numbers[taker] for taker in takers if kinds[taker] == "frame"]
            if of_frames:
                found.append((min(of_frames), index, port))
    return [(index, port) for _, index, port in sorted(found)]
