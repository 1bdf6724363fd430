"""The messages of Caffe's files that a network is read from: their fields, numbers and defaults.

A line is `name number type [= default]`; `type*` is a repeated field. Names, numbers and defaults
are those of the format. Fields that minicnn has no use for may be missing: a file that has them is
read without them. The values of blobs are declared as bytes, which packed numbers are on the wire,
so that NumPy reads them in place.
"""

from __future__ import annotations

ENUMS = {
    "Phase": ("TRAIN", "TEST"),
    "Pool": ("MAX", "AVE", "STOCHASTIC"),
    "Round": ("CEIL", "FLOOR"),
    "Region": ("ACROSS_CHANNELS", "WITHIN_CHANNEL"),
    "Eltwise": ("PROD", "SUM", "MAX"),
    "Engine": ("DEFAULT", "CAFFE", "CUDNN"),
    "Share": ("STRICT", "PERMISSIVE"),
    "Database": ("LEVELDB", "LMDB"),
    "Reduction": ("NO_REDUCTION", "SUM", "ASUM", "SUMSQ", "MEAN"),
    "Variance": ("FAN_IN", "FAN_OUT", "AVERAGE"),
    "Normalization": ("FULL", "VALID", "BATCH_SIZE", "NONE"),
    "LayerType": (
        "NONE", "ACCURACY", "BNLL", "CONCAT", "CONVOLUTION", "DATA", "DROPOUT", "EUCLIDEAN_LOSS",
        "FLATTEN", "HDF5_DATA", "HDF5_OUTPUT", "IM2COL", "IMAGE_DATA", "INFOGAIN_LOSS",
        "INNER_PRODUCT", "LRN", "MULTINOMIAL_LOGISTIC_LOSS", "POOLING", "RELU", "SIGMOID",
        "SOFTMAX", "SOFTMAX_LOSS", "SPLIT", "TANH", "WINDOW_DATA", "ELTWISE", "POWER",
        "SIGMOID_CROSS_ENTROPY_LOSS", "HINGE_LOSS", "MEMORY_DATA", "ARGMAX", "THRESHOLD",
        "DUMMY_DATA", "SLICE", "MVN", "ABSVAL", "SILENCE", "CONTRASTIVE_LOSS", "EXP",
        "DECONVOLUTION",
    ),
}  # fmt: skip

# The parameters of layers, with their field's number in a layer and in a layer of version 1.
PARAMETERS = {
    "transform_param": ("Transformation", 100, 36),
    "loss_param": ("Loss", 101, 42),
    "accuracy_param": ("Accuracy", 102, 27),
    "argmax_param": ("ArgMax", 103, 23),
    "concat_param": ("Concat", 104, 9),
    "convolution_param": ("Convolution", 106, 10),
    "data_param": ("Data", 107, 11),
    "dropout_param": ("Dropout", 108, 12),
    "dummy_data_param": ("DummyData", 109, 26),
    "eltwise_param": ("EltwiseParameters", 110, 24),
    "exp_param": ("Exp", 111, 41),
    "hdf5_data_param": ("HDF5Data", 112, 13),
    "image_data_param": ("ImageData", 115, 15),
    "inner_product_param": ("InnerProduct", 117, 17),
    "lrn_param": ("LRN", 118, 18),
    "memory_data_param": ("MemoryData", 119, 22),
    "mvn_param": ("MVN", 120, 34),
    "pooling_param": ("Pooling", 121, 19),
    "power_param": ("Power", 122, 21),
    "relu_param": ("ReLU", 123, 30),
    "sigmoid_param": ("OnlyEngine", 124, 38),
    "softmax_param": ("Softmax", 125, 39),
    "slice_param": ("Slice", 126, 31),
    "tanh_param": ("OnlyEngine", 127, 37),
    "threshold_param": ("Threshold", 128, 25),
    "python_param": ("Python", 130, None),
    "prelu_param": ("PReLU", 131, None),
    "reshape_param": ("Reshape", 133, None),
    "log_param": ("Exp", 134, None),
    "flatten_param": ("Flatten", 135, None),
    "reduction_param": ("ReductionParameters", 136, None),
    "tile_param": ("Tile", 138, None),
    "batch_norm_param": ("BatchNorm", 139, None),
    "elu_param": ("ELU", 140, None),
    "bias_param": ("Bias", 141, None),
    "scale_param": ("Scale", 142, None),
    "input_param": ("InputParameters", 143, None),
    "crop_param": ("Crop", 144, None),
    "swish_param": ("Swish", 147, None),
    "clip_param": ("Clip", 148, None),
    "permute_param": ("Permute", 202, None),  # of a branch of Caffe, and widely used
}

MESSAGES = {
    "BlobShape": "dim 1 int64*",
    "BlobProto": """num 1 int32; channels 2 int32; height 3 int32; width 4 int32; data 5 bytes*;
        diff 6 bytes*; shape 7 BlobShape; double_data 8 bytes*; double_diff 9 bytes*""",
    "NetState": "phase 1 Phase = TEST; level 2 int32; stage 3 string*",
    "NetStateRule": """phase 1 Phase; min_level 2 int32; max_level 3 int32; stage 4 string*;
        not_stage 5 string*""",
    "ParamSpec": "name 1 string; share_mode 2 Share; lr_mult 3 float = 1; decay_mult 4 float = 1",
    "Filler": """type 1 string = constant; value 2 float; min 3 float; max 4 float = 1;
        mean 5 float; std 6 float = 1; sparse 7 int32 = -1; variance_norm 8 Variance""",
    "Transformation": """scale 1 float = 1; mirror 2 bool; crop_size 3 uint32; mean_file 4 string;
        mean_value 5 float*; force_color 6 bool; force_gray 7 bool""",
    "Loss": "ignore_label 1 int32; normalize 2 bool; normalization 3 Normalization",
    "Accuracy": "top_k 1 uint32 = 1; axis 2 int32 = 1; ignore_label 3 int32",
    "ArgMax": "out_max_val 1 bool; top_k 2 uint32 = 1; axis 3 int32",
    "Concat": "concat_dim 1 uint32 = 1; axis 2 int32 = 1",
    "Convolution": """num_output 1 uint32; bias_term 2 bool = true; pad 3 uint32*;
        kernel_size 4 uint32*; group 5 uint32 = 1; stride 6 uint32*; weight_filler 7 Filler;
        bias_filler 8 Filler; pad_h 9 uint32; pad_w 10 uint32; kernel_h 11 uint32;
        kernel_w 12 uint32; stride_h 13 uint32; stride_w 14 uint32; engine 15 Engine;
        axis 16 int32 = 1; force_nd_im2col 17 bool; dilation 18 uint32*""",
    "Data": """source 1 string; scale 2 float = 1; mean_file 3 string; batch_size 4 uint32;
        crop_size 5 uint32; mirror 6 bool; rand_skip 7 uint32; backend 8 Database;
        force_encoded_color 9 bool; prefetch 10 uint32""",
    "Dropout": "dropout_ratio 1 float = 0.5",
    "DummyData": """data_filler 1 Filler*; num 2 uint32*; channels 3 uint32*; height 4 uint32*;
        width 5 uint32*; shape 6 BlobShape*""",
    "EltwiseParameters": "operation 1 Eltwise = SUM; coeff 2 float*; stable_prod_grad 3 bool",
    "Exp": "base 1 float = -1; scale 2 float = 1; shift 3 float",
    "HDF5Data": "source 1 string; batch_size 2 uint32; shuffle 3 bool",
    "ImageData": """source 1 string; scale 2 float = 1; mean_file 3 string; batch_size 4 uint32;
        crop_size 5 uint32; mirror 6 bool; rand_skip 7 uint32; shuffle 8 bool; new_height 9 uint32;
        new_width 10 uint32; is_color 11 bool = true; root_folder 12 string""",
    "InnerProduct": """num_output 1 uint32; bias_term 2 bool = true; weight_filler 3 Filler;
        bias_filler 4 Filler; axis 5 int32 = 1; transpose 6 bool""",
    "LRN": """local_size 1 uint32 = 5; alpha 2 float = 1; beta 3 float = 0.75;
        norm_region 4 Region; k 5 float = 1; engine 6 Engine""",
    "MemoryData": "batch_size 1 uint32; channels 2 uint32; height 3 uint32; width 4 uint32",
    "MVN": "normalize_variance 1 bool = true; across_channels 2 bool; eps 3 float = 1e-9",
    "Pooling": """pool 1 Pool; kernel_size 2 uint32; stride 3 uint32 = 1; pad 4 uint32;
        kernel_h 5 uint32; kernel_w 6 uint32; stride_h 7 uint32; stride_w 8 uint32; pad_h 9 uint32;
        pad_w 10 uint32; engine 11 Engine; global_pooling 12 bool; round_mode 13 Round""",
    "Power": "power 1 float = 1; scale 2 float = 1; shift 3 float",
    "ReLU": "negative_slope 1 float; engine 2 Engine",
    "OnlyEngine": "engine 1 Engine",
    "Softmax": "engine 1 Engine; axis 2 int32 = 1",
    "Slice": "slice_dim 1 uint32 = 1; slice_point 2 uint32*; axis 3 int32 = 1",
    "Threshold": "threshold 1 float",
    "Python": "module 1 string; layer 2 string; param_str 3 string",
    "PReLU": "filler 1 Filler; channel_shared 2 bool",
    "Reshape": "shape 1 BlobShape; axis 2 int32; num_axes 3 int32 = -1",
    "Flatten": "axis 1 int32 = 1; end_axis 2 int32 = -1",
    "ReductionParameters": "operation 1 Reduction = SUM; axis 2 int32; coeff 3 float = 1",
    "Tile": "axis 1 int32 = 1; tiles 2 int32",
    "BatchNorm": """use_global_stats 1 bool; moving_average_fraction 2 float = 0.999;
        eps 3 float = 1e-5""",
    "ELU": "alpha 1 float = 1",
    "Bias": "axis 1 int32 = 1; num_axes 2 int32 = 1; filler 3 Filler",
    "Scale": """axis 1 int32 = 1; num_axes 2 int32 = 1; filler 3 Filler; bias_term 4 bool;
        bias_filler 5 Filler""",
    "InputParameters": "shape 1 BlobShape*",
    "Crop": "axis 1 int32 = 2; offset 2 uint32*",
    "Swish": "beta 1 float = 1",
    "Clip": "min 1 float; max 2 float",
    "Permute": "order 1 uint32*",
    "V0LayerParameter": """name 1 string; type 2 string; num_output 3 uint32;
        biasterm 4 bool = true; weight_filler 5 Filler; bias_filler 6 Filler; pad 7 uint32;
        kernelsize 8 uint32; group 9 uint32 = 1; stride 10 uint32 = 1; pool 11 Pool;
        dropout_ratio 12 float = 0.5; local_size 13 uint32 = 5; alpha 14 float = 1;
        beta 15 float = 0.75; source 16 string; scale 17 float = 1; meanfile 18 string;
        batchsize 19 uint32; cropsize 20 uint32; mirror 21 bool; k 22 float = 1;
        blobs 50 BlobProto*; blobs_lr 51 float*; weight_decay 52 float*; rand_skip 53 uint32;
        new_height 62 uint32; new_width 63 uint32; shuffle_images 64 bool;
        concat_dim 65 uint32 = 1""",
    "V1LayerParameter": """layer 1 V0LayerParameter; bottom 2 string*; top 3 string*; name 4 string;
        type 5 LayerType; blobs 6 BlobProto*; blobs_lr 7 float*; weight_decay 8 float*;
        include 32 NetStateRule*; exclude 33 NetStateRule*; loss_weight 35 float*;
        param 1001 string*; blob_share_mode 1002 Share*; """ + "; ".join(
        f"{name} {old} {kind}" for name, (kind, _, old) in PARAMETERS.items() if old is not None
    ),
    "LayerParameter": """name 1 string; type 2 string; bottom 3 string*; top 4 string*;
        loss_weight 5 float*; param 6 ParamSpec*; blobs 7 BlobProto*; include 8 NetStateRule*;
        exclude 9 NetStateRule*; phase 10 Phase; propagate_down 11 bool*; """ + "; ".join(
        f"{name} {new} {kind}" for name, (kind, new, _) in PARAMETERS.items()
    ),
    "NetParameter": """name 1 string; layers 2 V1LayerParameter*; input 3 string*;
        input_dim 4 int32*; force_backward 5 bool; state 6 NetState; debug_info 7 bool;
        input_shape 8 BlobShape*; layer 100 LayerParameter*""",
}  # fmt: skip
