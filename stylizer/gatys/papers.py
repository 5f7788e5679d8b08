"""How others did it, as settings of this library.

Each docstring says what the source states, what it leaves open and how its normalization is
expressed in this library's losses, which differ from all of them:

- content loss: the mean of the squared differences over the H*W*C entries of a layer (``"sum"``:
  their sum);
- style loss: the mean of the squared differences over the C*C entries of the Gram matrices, each of
  which is divided by H*W;
- total variation: the mean (or sum) of the squared gradient to a power.

Written out for a layer of C channels and M = H*W positions, with F the features of the picture,
P those of its target, and G = F'F, A = P'P the undivided Gram matrices:

==========================================  =====================================
the source's loss                           in this library's style loss S
==========================================  =====================================
sum (G - A)^2 / (4 C^2 M^2)                 S / 4                  (Gatys 2016)
mean (G/M - A/M)^2                          S                      (TensorFlow)
mean (G/(MC) - A/(MC))^2                    S / C^2                (Dey)
sum (G - A)^2 / (4 * 3^2 * (image size)^2)  S C^2 M^2 / (36 size^2)  (Surma)
==========================================  =====================================

The gradients, and with them the path of the optimizer, are then the source's own up to one factor
common to all terms.

Where the weights of VGG cannot be fetched, an embedded network takes its place: the ``substitute``
of each (`stylizer.gatys.substitution`), which keeps the balance of the losses about as it is.
"""

from __future__ import annotations

from stylizer.gatys.config import GatysConfig
from stylizer.perceptual.types import LayerWeights

__all__ = [
    "dey_2019",
    "gatys_2016",
    "khan_2021",
    "real_time_style_transfer",
    "selim_2016",
    "surma",
]

_CHANNELS = {1: 64, 2: 128, 3: 256, 4: 512, 5: 512}
"""Channels of the five blocks, the same in VGG-16 and VGG-19."""


def _first_convolutions(weights: tuple[float, float, float, float, float]) -> LayerWeights:
    return tuple((f"block{block}_conv1", weight) for block, weight in enumerate(weights, start=1))


def gatys_2016() -> GatysConfig:
    """Gatys, Ecker and Bethge, "Image Style Transfer Using Convolutional Neural Networks", 2016.

    States: VGG-19 rescaled to a mean activation of 1 and with average pooling; content from
    ``conv4_2``, L_content = 1/2 sum (F - P)^2 (eq. 1); style from ``conv1_1`` .. ``conv5_1``, each
    E_l = sum (G - A)^2 / (4 C^2 M^2) (eq. 4) with w_l = 1/5; alpha / beta = 1e-3 (figure 3 B; also
    8e-4, 5e-3, 5e-4); white noise; L-BFGS; the style resized to the content's size; no total
    variation.

    Mapping: the content loss is summed, with 1/2 as its layer's weight; S = 4 E_l, so that a
    layer's weight is 1/5 * 1/4. As in the paper, the balance depends on the size of the picture.

    Open: the number of iterations (here 10 rounds of at most 100 evaluations, between which
    L-BFGS forgets) and the noise (uniform here).

    Differs: Keras's ImageNet weights are not rescaled. The style loss grows with the fourth power
    of the activations and the content loss with the second, so that 1e-3 gives more style with
    them; pass a rescaled VGG-19 as ``weights`` for the paper's balance.
    """
    return GatysConfig(
        temporal_weight=0.0,
        network="vgg19",
        substitute="half",
        pooling="average",
        content_layers=(("block4_conv2", 1 / 2),),
        style_layers=_first_convolutions((1 / 5 / 4,) * 5),
        content_weight=1.0,
        style_weight=1e3,
        tv_weight=0.0,
        relative=False,
        reduction="sum",
        initial="noise",
        optimizer="lbfgs",
        evaluations=100,
        iterations=10,
    )


def real_time_style_transfer() -> GatysConfig:
    """*Real Time Style Transfer* (IEEE student branch, NITK), after TensorFlow's tutorial of 2018.

    States: VGG-19, content ``block5_conv2``, style ``block1_conv1`` .. ``block5_conv1``, Adam,
    1,000 iterations, a table of the three losses every 100, 134.7 s on a Colab GPU, a total loss
    from 5.78e8 to 1.44e6. The table, its interval and such totals are those of TensorFlow's
    tutorial for eager execution (R. Yuan, 2018), whose settings stand here: content weight 1e3,
    style weight 1e-2, both losses means, style layers weighted 1/5, ImageNet's weights with maximum
    pooling, Adam with a step of 5 gray levels, beta_1 0.99 and epsilon 0.1, started from the
    content, clipped to 0..255 at each step, no total variation.

    Mapping: none is needed, the losses are this library's. Their scale matters to epsilon
    and is kept.

    Open: the pictures and their size; the tutorial's longest side is 512.

    Differs: the tutorial keeps the iterate of the least loss, here the last is the result. Adam's
    epsilon is added after the correction of the moments (Kingma and Ba, algorithm 1), TensorFlow
    adds it before, which tells in the first steps only and not at gradients of this size. The
    later tutorial (2019) has 1e4 and 1e-2, a total variation of 30, a step of 0.02 on 0..1.
    """
    return GatysConfig(
        temporal_weight=0.0,
        network="vgg19",
        substitute="half",
        content_layers=(("block5_conv2", 1.0),),
        style_layers=_first_convolutions((1 / 5,) * 5),
        content_weight=1e3,
        style_weight=1e-2,
        tv_weight=0.0,
        relative=False,
        initial="content",
        optimizer="adam",
        learning_rate=5.0,
        beta_1=0.99,
        epsilon=0.1,
        iterations=1000,
    )


def khan_2021() -> GatysConfig:
    """Khan et al., IJERT 10(6), 2021, IJERTV10IS060065.

    States: VGG-19; content from convolutions 2, 4 and 7, style from 2, 4, 10 and 13, counted from
    the first. In VGG-19 these are ``block1_conv2``, ``block2_conv2``, ``block3_conv3``,
    ``block4_conv2`` and ``block5_conv1``. (In VGG-16 the same numbers are the last convolutions of
    the five blocks, the layers of Johnson et al. 2016; the paper names VGG-19.)

    Open, and this library's choice here, for the paper's text was not at hand when this was
    written: the weights (relative losses, equal over the layers, so that no layer drowns another;
    1 and 10 for content and style), the start (the content), the optimizer (Adam) and the
    iterations (300); no total variation.
    """
    content = ("block1_conv2", "block2_conv2", "block3_conv3")
    style = ("block1_conv2", "block2_conv2", "block4_conv2", "block5_conv1")
    return GatysConfig(
        temporal_weight=0.0,
        network="vgg19",
        substitute="half",
        content_layers=tuple((layer, 1 / 3) for layer in content),
        style_layers=tuple((layer, 1 / 4) for layer in style),
        content_weight=1.0,
        style_weight=10.0,
        tv_weight=0.0,
        relative=True,
        initial="content",
        optimizer="adam",
        learning_rate=5.0,
        iterations=300,
    )


def dey_2019() -> GatysConfig:
    """S. Dey, "Neural Style Transfer on Real Time Video", 2019, and its repository.

    States: VGG-16 with average pooling at 224x224; content from the 13th convolution
    (``block5_conv3``), a mean of squares; style from the first convolution of each block weighted
    0.2 0.4 0.3 0.5 0.2, the mean over Gram matrices divided by all M*C entries; content and style
    weights 4 and 0.03; every frame anew from normal noise of deviation 1 about the mean color;
    L-BFGS, 30 rounds of at most 20 evaluations, the memory forgotten between rounds; no total
    variation and no bounds.

    Mapping: a layer's style loss is S / C^2, hence its weight w_l / C^2.

    Open: nothing that matters. The author notes that 30 iterations leave noise.

    Differs: here pixels are kept within 0..255.
    """
    weights = (0.2, 0.4, 0.3, 0.5, 0.2)
    return GatysConfig(
        temporal_weight=0.0,
        network="vgg16",
        substitute="half",
        pooling="average",
        content_layers=(("block5_conv3", 1.0),),
        style_layers=tuple(
            (f"block{block}_conv1", weight / _CHANNELS[block] ** 2)
            for block, weight in enumerate(weights, start=1)
        ),
        content_weight=4.0,
        style_weight=0.03,
        tv_weight=0.0,
        relative=False,
        initial="noise",
        noise_deviation=1.0,
        optimizer="lbfgs",
        evaluations=20,
        iterations=30,
        warm_iterations=30,
        start="cold",
    )


def surma() -> GatysConfig:
    """G. Surma, "Style Transfer: Styling Images with Convolutional Neural Networks", 2019.

    States: VGG-16 with maximum pooling at 500x500; content from ``block2_conv2``, 0.02 sum
    (F - P)^2; style from the last convolutions but in the first two blocks the second, 4.5/5 each,
    sum (G - A)^2 / (4 * 3^2 * (H*W)^2) with the picture's channels and size, whatever the layer's;
    total variation 0.995 sum (dx^2 + dy^2)^1.25; uniform noise; L-BFGS, 10 rounds of at most 20
    evaluations, the memory forgotten between rounds.

    Mapping: content and total variation are summed; a layer's style loss is
    S C^2 M^2 / (36 (H*W)^2), exact at 500x500 and within a few percent elsewhere, since M / (H*W)
    hardly depends on the size.

    Open: nothing.

    Differs: here pixels are kept within 0..255; the source subtracts the mean colors in the wrong
    order of channels, this library in the right one.
    """
    side = 500
    layers = ("block1_conv2", "block2_conv2", "block3_conv3", "block4_conv3", "block5_conv3")
    style = []
    for block, layer in enumerate(layers, start=1):
        positions = (side // 2 ** (block - 1)) ** 2
        factor = (_CHANNELS[block] * positions) ** 2 / (4 * 3**2 * side**4)
        style.append((layer, factor / len(layers)))
    return GatysConfig(
        temporal_weight=0.0,
        network="vgg16",
        substitute="half",
        content_layers=(("block2_conv2", 1.0),),
        style_layers=tuple(style),
        content_weight=0.02,
        style_weight=4.5,
        tv_weight=0.995,
        relative=False,
        reduction="sum",
        tv_exponent=1.25,
        initial="noise",
        optimizer="lbfgs",
        evaluations=20,
        iterations=10,
    )


def selim_2016() -> GatysConfig:
    """Selim, Elgharib and Doyle, "Painting Style Transfer for Head Portraits using CNNs", 2016.

    States: VGG-19; the content target of ``conv3_1`` and ``conv4_1`` is the photo's features times
    gain maps of the aligned painting, held within 0.7 to 5; style from ``conv1_1`` .. ``conv5_1``.
    What of the alignment is the paper's and what is ours stands in `stylizer.gatys.portrait`.

    Ours: Gram matrices of the head and of all else apart; losses relative to their targets'
    energies, the style's ten times the content's, so that it means the same with any network;
    Adam, from the photo, 200 iterations; no total variation. The paper's balance belongs to the
    scale of its own weights, and its start and optimizer are not reproduced.
    """
    return GatysConfig(
        network="vgg19",
        substitute="half",
        content_layers=(("block3_conv1", 1 / 2), ("block4_conv1", 1 / 2)),
        style_layers=_first_convolutions((1 / 5,) * 5),
        style_weight=10.0,
        tv_weight=0.0,
        initial="content",
        portrait=True,
        iterations=200,
    )
