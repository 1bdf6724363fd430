# ruff: noqa: E501  the texts of nets, a layer a line
"""Nets in the style of published prototxts: every form and layer that the reader takes, small."""

V2_INPUT = 'layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 1 dim: 3 dim: 9 dim: 11 } } }'
OLD_INPUT = 'input: "data" input_dim: 1 input_dim: 3 input_dim: 9 input_dim: 11'
SHAPE_INPUT = 'input: "data" input_shape { dim: 1 dim: 3 dim: 9 dim: 11 }'


def conv(name, bottom, top=None, **p):
    fields = {"num_output": 4, "kernel_size": 3, **p}
    return block(name, "Convolution", bottom, top or name, "convolution_param", fields)


def block(name, kind, bottoms, tops, param="", fields=None):
    """The text of a layer of V2."""
    names = [f'bottom: "{b}"' for b in bottoms.split()] + [f'top: "{t}"' for t in tops.split()]
    said = " ".join(
        f"{key}: {one}"
        for key, value in (fields or {}).items()
        for one in (value if isinstance(value, list) else [value])
    )
    inner = f"{param} {{ {said} }}" if param and "{" not in param else param
    return f'layer {{ name: "{name}" type: "{kind}" {" ".join(names)} {inner} }}'


def v2(*blocks, start=V2_INPUT):
    return "\n".join(['name: "net"', start, *blocks])


def one(kind, param="", start=V2_INPUT, **fields):
    """A net of a convolution and one layer after it."""
    return v2(conv("conv1", "data"), block("x", kind, "conv1", "x", param, fields), start=start)


LENET_V1 = """
name: "LeNet"
input: "data"
input_dim: 64  input_dim: 1  input_dim: 12  input_dim: 12
layers { name: "conv1" type: CONVOLUTION bottom: "data" top: "conv1" blobs_lr: 1 blobs_lr: 2
  convolution_param { num_output: 3 kernel_size: 5 stride: 1
    weight_filler { type: "xavier" } bias_filler { type: "constant" } } }
layers { name: "pool1" type: POOLING bottom: "conv1" top: "pool1"
  pooling_param { pool: MAX kernel_size: 2 stride: 2 } }
layers { name: "ip1" type: INNER_PRODUCT bottom: "pool1" top: "ip1"
  inner_product_param { num_output: 6 } }
layers { name: "relu1" type: RELU bottom: "ip1" top: "ip1" }
layers { name: "ip2" type: INNER_PRODUCT bottom: "ip1" top: "ip2"
  inner_product_param { num_output: 4 } }
layers { name: "prob" type: SOFTMAX bottom: "ip2" top: "prob" }
"""

CAFFENET_V0 = """
name: "CaffeNet"
input: "data"
input_dim: 10 input_dim: 3 input_dim: 19 input_dim: 19
layers { layer { name: "conv1" type: "conv" num_output: 4 kernelsize: 5 stride: 2
  weight_filler { type: "gaussian" std: 0.01 } blobs_lr: 1. blobs_lr: 2. weight_decay: 1. weight_decay: 0. }
  bottom: "data" top: "conv1" }
layers { layer { name: "relu1" type: "relu" } bottom: "conv1" top: "conv1" }
layers { layer { name: "pool1" type: "pool" pool: MAX kernelsize: 3 stride: 2 } bottom: "conv1" top: "pool1" }
layers { layer { name: "norm1" type: "lrn" local_size: 3 alpha: 0.1 beta: 0.75 } bottom: "pool1" top: "norm1" }
layers { layer { name: "pad2" type: "padding" pad: 2 } bottom: "norm1" top: "pad2" }
layers { layer { name: "conv2" type: "conv" num_output: 6 group: 2 kernelsize: 5 } bottom: "pad2" top: "conv2" }
layers { layer { name: "relu2" type: "relu" } bottom: "conv2" top: "conv2" }
layers { layer { name: "fc6" type: "innerproduct" num_output: 7 } bottom: "conv2" top: "fc6" }
layers { layer { name: "relu6" type: "relu" } bottom: "fc6" top: "fc6" }
layers { layer { name: "drop6" type: "dropout" dropout_ratio: 0.5 } bottom: "fc6" top: "fc6" }
layers { layer { name: "fc8" type: "innerproduct" num_output: 5 biasterm: false } bottom: "fc6" top: "fc8" }
layers { layer { name: "prob" type: "softmax" } bottom: "fc8" top: "prob" }
"""

V0_POOLS = """
input: "data" input_dim: 1 input_dim: 2 input_dim: 10 input_dim: 7
layers { layer { name: "pad" type: "padding" pad: 1 } bottom: "data" top: "pad" }
layers { layer { name: "pool1" type: "pool" pool: AVE kernelsize: 3 stride: 2 } bottom: "pad" top: "pool1" }
layers { layer { name: "tanh1" type: "tanh" } bottom: "pool1" top: "tanh1" }
layers { layer { name: "sig1" type: "sigmoid" } bottom: "pool1" top: "sig1" }
layers { layer { name: "cat" type: "concat" concat_dim: 1 } bottom: "tanh1" bottom: "sig1" top: "cat" }
layers { layer { name: "flat" type: "flatten" } bottom: "cat" top: "flat" }
layers { layer { name: "ip" type: "innerproduct" num_output: 3 } bottom: "flat" top: "ip" }
"""

INCEPTION = v2(
    conv("conv1/7x7_s2", "data", pad=1, num_output=5),
    block("conv1/relu_7x7", "ReLU", "conv1/7x7_s2", "conv1/7x7_s2"),
    conv("inception/1x1", "conv1/7x7_s2", kernel_size=1, num_output=2),
    conv("inception/3x3_reduce", "conv1/7x7_s2", kernel_size=1, num_output=3),
    block("inception/relu", "ReLU", "inception/3x3_reduce", "inception/3x3_reduce"),
    conv("inception/3x3", "inception/3x3_reduce", pad=1),
    block(
        "inception/pool",
        "Pooling",
        "conv1/7x7_s2",
        "inception/pool",
        "pooling_param",
        {"pool": "MAX", "kernel_size": 3, "stride": 1, "pad": 1},
    ),
    block(
        "inception/output",
        "Concat",
        "inception/1x1 inception/3x3 inception/pool",
        "inception/output",
    ),
    block(
        "pool5",
        "Pooling",
        "inception/output",
        "pool5",
        "pooling_param",
        {"pool": "AVE", "kernel_h": 9, "kernel_w": 11, "stride": 1},
    ),
    block(
        "loss3/classifier",
        "InnerProduct",
        "pool5",
        "loss3/classifier",
        "inner_product_param",
        {"num_output": 6},
    ),
    block("prob", "Softmax", "loss3/classifier", "prob"),
    start=SHAPE_INPUT,
)

RESNET = v2(
    conv("conv1", "data", num_output=4, bias_term="false", pad=1),
    block(
        "bn_conv1", "BatchNorm", "conv1", "conv1", "batch_norm_param", {"use_global_stats": "true"}
    ),
    block("scale_conv1", "Scale", "conv1", "conv1", "scale_param", {"bias_term": "true"}),
    block("conv1_relu", "ReLU", "conv1", "conv1"),
    conv("res2a_branch1", "conv1", kernel_size=1, bias_term="false"),
    block("bn2a_branch1", "BatchNorm", "res2a_branch1", "res2a_branch1"),
    block(
        "scale2a_branch1",
        "Scale",
        "res2a_branch1",
        "res2a_branch1",
        "scale_param",
        {"bias_term": "true"},
    ),
    conv("res2a_branch2a", "conv1", kernel_size=3, pad=1, bias_term="false"),
    block(
        "bn2a_branch2a",
        "BatchNorm",
        "res2a_branch2a",
        "res2a_branch2a",
        "batch_norm_param",
        {"eps": 0.01},
    ),
    block(
        "scale2a_branch2a",
        "Scale",
        "res2a_branch2a",
        "res2a_branch2a",
        "scale_param",
        {"bias_term": "true"},
    ),
    block("res2a", "Eltwise", "res2a_branch1 res2a_branch2a", "res2a"),
    block("res2a_relu", "ReLU", "res2a", "res2a"),
    block(
        "pool5",
        "Pooling",
        "res2a",
        "pool5",
        "pooling_param",
        {"pool": "AVE", "global_pooling": "true"},
    ),
    block("fc1000", "InnerProduct", "pool5", "fc1000", "inner_product_param", {"num_output": 5}),
    block("prob", "Softmax", "fc1000", "prob"),
)

TRAIN_VAL = """
name: "train_val"
layer { name: "mnist" type: "Data" top: "data" top: "label" include { phase: TRAIN }
  transform_param { scale: 0.00390625 } data_param { source: "a" batch_size: 64 backend: LMDB } }
layer { name: "mnist" type: "DummyData" top: "data" include { phase: TEST }
  dummy_data_param { shape { dim: 4 dim: 3 dim: 9 dim: 11 } } }
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" param { lr_mult: 1 } param { lr_mult: 2 }
  convolution_param { num_output: 3 kernel_size: 3 weight_filler { type: "xavier" } } }
layer { name: "only_train" type: "Dropout" bottom: "conv1" top: "conv1" include { phase: TRAIN } }
layer { name: "not_in_test" type: "TanH" bottom: "conv1" top: "conv1" exclude { phase: TEST } }
layer { name: "staged" type: "TanH" bottom: "conv1" top: "conv1" include { phase: TEST stage: "deep" } }
layer { name: "ip" type: "InnerProduct" bottom: "conv1" top: "ip" inner_product_param { num_output: 4 } }
layer { name: "both" type: "Sigmoid" bottom: "ip" top: "ip" exclude { phase: TRAIN } }
"""

UNKNOWN = (
    """
name: "unknown fields"
some_new_field: 3
"""
    + V2_INPUT
    + """
layer { name: "conv1" type: "Convolution" bottom: "data" top: "conv1" quantize_param { bits: 8 mode: "x" }
  convolution_param { num_output: 4 kernel_size: 3 winograd: true } }
layer { name: "relu" type: "ReLU" bottom: "conv1" top: "conv1" }
"""
)

U2_STYLE = v2(
    conv("conv1", "data", pad=1),
    block("relu1", "ReLU", "conv1", "conv1"),
    block(
        "pool1",
        "Pooling",
        "conv1",
        "pool1",
        "pooling_param",
        {"pool": "MAX", "kernel_size": 2, "stride": 2},
    ),
    conv("score", "pool1", kernel_size=1, num_output=2),
    block(
        "upscore",
        "Deconvolution",
        "score",
        "upscore",
        "convolution_param",
        {"num_output": 2, "kernel_size": 4, "stride": 2, "bias_term": "false", "group": 2},
    ),
    block("crop", "Crop", "upscore data", "crop", "crop_param", {"axis": 2, "offset": 1}),
)


def bn_alone():
    return v2(
        conv("c", "data"),
        block("bn", "BatchNorm", "c", "bn"),
        block("r", "ReLU", "bn", "r"),
        block("s", "Scale", "bn", "s"),
        block("e", "Eltwise", "r s", "e", "eltwise_param", {"operation": "MAX"}),
    )


def pool(**p):
    return v2(block("pool", "Pooling", "data", "pool", "pooling_param", p))


def ip(param, *blocks):
    return v2(*blocks, block("ip", "InnerProduct", "last", "ip", "inner_product_param", param))


def eltwise(**p):
    return v2(
        conv("a", "data"),
        conv("b", "data"),
        conv("c", "data"),
        block("e", "Eltwise", "a b c", "e", "eltwise_param", p),
    )


NETS = {
    "LeNet in V1": LENET_V1,
    "CaffeNet in V0, with a padding layer and groups": CAFFENET_V0,
    "V0: mean pooling behind a padding, concat, flatten": V0_POOLS,
    "GoogLeNet's inception": INCEPTION,
    "ResNet's block, BatchNorm and Scale in place": RESNET,
    "a net for training and testing": TRAIN_VAL,
    "unknown fields": UNKNOWN,
    "FCN: deconvolution in groups, crop": U2_STYLE,
    "the BatchNorm read twice": bn_alone(),
    "input_dim": v2(conv("c", "data"), start=OLD_INPUT),
    "input_shape": v2(conv("c", "data"), start=SHAPE_INPUT),
    "rectangular kernel": v2(
        block(
            "c",
            "Convolution",
            "data",
            "c",
            "convolution_param",
            {
                "num_output": 2,
                "kernel_h": 1,
                "kernel_w": 3,
                "pad_h": 0,
                "pad_w": 1,
                "stride_h": 2,
                "stride_w": 1,
            },
        )
    ),
    "kernel_size twice": v2(conv("c", "data", kernel_size=[3, 2], pad=[1, 0], stride=[1, 2])),
    "dilation": v2(conv("c", "data", dilation=2, pad=2)),
    "groups": v2(conv("c", "data", group=3, num_output=6)),
    "depthwise": v2(
        block(
            "c",
            "ConvolutionDepthwise",
            "data",
            "c",
            "convolution_param",
            {"num_output": 3, "kernel_size": 3},
        )
    ),
    "no bias": v2(conv("c", "data", bias_term="false", stride=2)),
    "deconvolution": v2(
        block(
            "d",
            "Deconvolution",
            "data",
            "d",
            "convolution_param",
            {"num_output": 4, "kernel_size": 3, "stride": 2, "pad": 1},
        )
    ),
    "deconvolution with a small kernel and dilation": v2(
        block(
            "d",
            "Deconvolution",
            "data",
            "d",
            "convolution_param",
            {"num_output": 4, "kernel_size": 2, "stride": 3, "dilation": 2},
        )
    ),
    "max pooling rounds up": pool(pool="MAX", kernel_size=3, stride=2),
    "max pooling with padding is clipped": pool(pool="MAX", kernel_size=2, stride=2, pad=1),
    "max pooling, 4 windows of 3": pool(pool="MAX", kernel_size=3, stride=3, pad=1),
    "mean pooling rounds up": pool(pool="AVE", kernel_size=2, stride=2),
    "mean pooling counts its padding": pool(pool="AVE", kernel_size=3, stride=2, pad=1),
    "mean pooling, padded and clipped": pool(pool="AVE", kernel_size=2, stride=2, pad=1),
    "mean pooling, one axis rounded up": pool(
        pool="AVE", kernel_h=2, kernel_w=3, stride_h=2, stride_w=2, pad_h=1, pad_w=1
    ),
    "mean pooling, clipped in one axis": pool(
        pool="AVE", kernel_h=3, kernel_w=3, stride_h=3, stride_w=4, pad_h=1, pad_w=2
    ),
    "pooling rounds down": pool(pool="MAX", kernel_size=2, stride=2, round_mode="FLOOR"),
    "global max pooling": v2(
        block(
            "p", "Pooling", "data", "p", "pooling_param", {"pool": "MAX", "global_pooling": "true"}
        )
    ),
    "LRN across channels": one("LRN", "lrn_param", local_size=3, alpha=0.5, beta=0.6, k=2),
    "LRN within a channel": one(
        "LRN", "lrn_param", local_size=3, alpha=0.5, beta=0.75, norm_region="WITHIN_CHANNEL"
    ),
    "leaky ReLU": one("ReLU", "relu_param", negative_slope=0.1),
    "PReLU": one("PReLU"),
    "PReLU, one slope": one("PReLU", "prelu_param", channel_shared="true"),
    "ELU": one("ELU", "elu_param", alpha=0.5),
    "AbsVal": one("AbsVal"),
    "BNLL": one("BNLL"),
    "Power": one("Power", "power_param", power=2, scale=0.5, shift=0.25),
    "Power, linear": one("Power", "power_param", scale=-2, shift=1),
    "Exp": one("Exp", "exp_param", base=2, scale=0.5, shift=0.1),
    "Log": v2(
        block("a", "AbsVal", "data", "a"),
        block("l", "Log", "a", "l", "log_param", {"base": 10, "shift": 1, "scale": 2}),
    ),
    "Threshold": one("Threshold", "threshold_param", threshold=0.05),
    "Swish": one("Swish", "swish_param", beta=1.5),
    "Clip": one("Clip", "clip_param", min=-0.2, max=0.3),
    "MVN": one("MVN"),
    "MVN across channels, the mean alone": one(
        "MVN", "mvn_param", across_channels="true", normalize_variance="false"
    ),
    "Scale and Bias": v2(
        conv("c", "data"),
        block("s", "Scale", "c", "s", "scale_param", {"bias_term": "true"}),
        block("b", "Bias", "s", "b"),
    ),
    "squeeze and excitation by Scale": v2(
        conv("c", "data"),
        block("p", "Pooling", "c", "p", "pooling_param", {"pool": "AVE", "global_pooling": "true"}),
        block("f", "InnerProduct", "p", "f", "inner_product_param", {"num_output": 4}),
        block("g", "Sigmoid", "f", "g"),
        block("s", "Scale", "c g", "s", "scale_param", {"axis": 0}),
    ),
    "squeeze and excitation by Axpy": v2(
        conv("c", "data"),
        block("p", "Pooling", "c", "p", "pooling_param", {"pool": "AVE", "global_pooling": "true"}),
        conv("f", "p", kernel_size=1, num_output=4),
        block("g", "Sigmoid", "f", "g"),
        block("s", "Axpy", "g c c", "s"),
    ),
    "Eltwise PROD": eltwise(operation="PROD"),
    "Eltwise MAX": eltwise(operation="MAX"),
    "Eltwise with coefficients": eltwise(operation="SUM", coeff=[1, -0.5, 2]),
    "a difference": v2(
        conv("a", "data"),
        conv("b", "data"),
        block("e", "Eltwise", "a b", "e", "eltwise_param", {"coeff": [1, -1]}),
    ),
    "Concat of rows": v2(
        conv("a", "data"),
        conv("b", "data", stride=1),
        block("e", "Concat", "a b", "e", "concat_param", {"axis": 2}),
    ),
    "Slice": v2(
        conv("c", "data", num_output=6),
        block("s", "Slice", "c", "a b", "slice_param", {"slice_point": 2}),
        block("r", "ReLU", "a", "a"),
        block("cat", "Concat", "b a", "cat"),
    ),
    "Slice of rows in equal parts": v2(
        conv("c", "data", stride=1, kernel_size=4),
        block("s", "Slice", "c", "a b", "slice_param", {"axis": 2}),
        block("e", "Eltwise", "a b", "e"),
    ),
    "Split": v2(
        conv("c", "data"),
        block("s", "Split", "c", "a b"),
        block("r", "ReLU", "a", "ra"),
        block("e", "Eltwise", "ra b", "e"),
    ),
    "flattened branches, joined": v2(
        conv("a", "data"),
        conv("b", "data", num_output=2),
        block("fa", "Flatten", "a", "fa"),
        block("fb", "Flatten", "b", "fb"),
        block("cat", "Concat", "fa fb", "cat"),
        block("ip", "InnerProduct", "cat", "ip", "inner_product_param", {"num_output": 3}),
    ),
    "a flattened output": v2(
        conv("a", "data"), block("f", "Flatten", "a", "f"), block("r", "ReLU", "f", "f")
    ),
    "InnerProduct, transposed": ip({"num_output": 3, "transpose": "true"}, conv("last", "data")),
    "InnerProduct behind ReLU and Dropout of a flattened image": ip(
        {"num_output": 3},
        conv("a", "data"),
        block("f", "Flatten", "a", "last"),
        block("r", "ReLU", "last", "last"),
        block("d", "Dropout", "last", "last"),
    ),
    "BatchNorm and Scale of vectors": v2(
        block("ip", "InnerProduct", "data", "ip", "inner_product_param", {"num_output": 4}),
        block("bn", "BatchNorm", "ip", "bn"),
        block("s", "Scale", "bn", "s"),
        block("b", "Scale", "s", "b", "scale_param", {"bias_term": "true"}),
    ),
    "Reshape": v2(
        conv("a", "data"),
        block("r", "Reshape", "a", "r", "reshape_param { shape { dim: 0 dim: 2 dim: -1 dim: 9 } }"),
    ),
    "Reshape of the last two axes, then Softmax": v2(
        conv("a", "data"),
        block("r", "Reshape", "a", "r", "reshape_param { shape { dim: -1 } axis: 2 num_axes: 2 }"),
        block("s", "Softmax", "r", "s"),
    ),
    "SSD: Permute and Flatten": v2(
        conv("a", "data"),
        block("p", "Permute", "a", "p", "permute_param", {"order": [0, 2, 3, 1]}),
        block("f", "Flatten", "p", "f", "flatten_param", {"axis": 1}),
    ),
    "Flatten from axis 2": v2(
        conv("a", "data"),
        block("f", "Flatten", "a", "f", "flatten_param", {"axis": 2}),
        block("s", "Softmax", "f", "s", "softmax_param", {"axis": 2}),
    ),
    "Softmax of pixels": one("Softmax"),
    "Softmax along rows": one("Softmax", "softmax_param", axis=2),
    "Tile": one("Tile", "tile_param", axis=1, tiles=2),
    "ArgMax of channels": one("ArgMax", "argmax_param", axis=1),
    "ArgMax of a sample": one("ArgMax"),
    "Reduction": one("Reduction", "reduction_param", axis=2, operation="MEAN", coeff=2),
    "Reduction of columns": one("Reduction", "reduction_param", axis=3, operation="SUMSQ"),
    "the loss of training": v2(
        'layer { name: "label" type: "Input" top: "label" input_param { shape { dim: 1 dim: 1 } } }',
        block("ip", "InnerProduct", "data", "ip", "inner_product_param", {"num_output": 4}),
        block("acc", "Accuracy", "ip label", "acc", "accuracy_param", {"top_k": 1}),
        block("s", "Softmax", "ip", "s"),
    ),
    "two outputs": v2(
        conv("a", "data"), block("r", "ReLU", "a", "r"), block("t", "TanH", "a", "t")
    ),
    "two inputs": v2(
        conv("a", "data"),
        'layer { name: "other" type: "Input" top: "other" input_param { shape { dim: 1 dim: 4 dim: 7 dim: 9 } } }',
        block("e", "Eltwise", "a other", "e"),
    ),
    "two layers of one name": v2(conv("a", "data"), block("a", "ReLU", "a", "r")),
}
