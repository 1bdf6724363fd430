"""A small interpreter of Caffe's nets in float64, straight from the text, for tests.

It shares nothing with the reader: its own parser of the text, and NCHW as in Caffe. Weights are
random; `blobs` keeps them by the name of the layer.
"""

import re
import zlib

import numpy as np

V0 = {"conv": "convolution", "pool": "pooling"}
V0_FIELDS = {"kernelsize": "kernel_size", "biasterm": "bias_term"}
LABELS = {"label"}


def parse(text):
    """{field: [values]} of a text; values are strings or such dictionaries."""
    tokens = re.findall(r'"[^"]*"|[\w.+/-]+|[{}:]', re.sub(r"#.*", "", text))
    return _fields(iter(tokens))


def _fields(tokens):
    found = {}
    for name in tokens:
        if name == "}":
            break
        token = next(tokens)
        token = next(tokens) if token == ":" else token
        found.setdefault(name, []).append(_fields(tokens) if token == "{" else token.strip('"'))
    return found


class Layer:
    """One layer: its name, its type in lower case, and all its parameters in one dictionary."""

    def __init__(self, block):
        inner = block["layer"][0] if "layer" in block else block
        self.name = inner["name"][0]
        self.type = V0.get(inner["type"][0], inner["type"][0]).lower().replace("_", "")
        self.bottoms, self.tops = block.get("bottom", []), block.get("top", [])
        self.block, self.p = block, {}
        if inner is not block:
            self.p = {V0_FIELDS.get(key, key): value for key, value in inner.items()}
        for key, value in block.items():
            if key.endswith("_param") and isinstance(value[0], dict):
                self.p.update(value[0])

    def get(self, name, otherwise):
        value = self.p.get(name, [otherwise])[-1]
        if isinstance(value, str) and not isinstance(otherwise, str):
            value = {"true": 1, "false": 0}.get(value, value)
            return type(otherwise)(float(value)) if not isinstance(otherwise, bool) else bool(value)
        return value

    def pair(self, name, otherwise):
        short = name.replace("_size", "")
        if f"{short}_h" in self.p:
            return int(self.p[f"{short}_h"][0]), int(self.p[f"{short}_w"][0])
        given = [int(v) for v in self.p.get(name, [otherwise])]
        return (given * 2)[:2] if len(given) == 1 else tuple(given)

    def in_test(self):
        rules = self.block.get("include")
        met = [
            r.get("phase", ["TEST"])[0] == "TEST" and "stage" not in r
            for r in rules or self.block.get("exclude", [])
        ]
        return any(met) if rules else not any(met)


class Interpreter:
    def __init__(self, text, seed=0):
        self.net, self.blobs, self.seed = parse(text), {}, seed
        self.layers = [
            Layer(b) for b in self.net.get("layers", []) + self.net.get("layer", []) if b
        ]

    def input_shapes(self):
        """{name: shape of a sample}."""
        found = {}
        dims = [int(d) for d in self.net.get("input_dim", [])]
        for number, name in enumerate(self.net.get("input", [])):
            shapes = self.net.get("input_shape")
            shape = shapes[number]["dim"] if shapes else dims[4 * number : 4 * number + 4]
            found[name] = tuple(map(int, shape))[1:]
        for layer in self.layers:
            if layer.type in ("input", "dummydata") and layer.in_test():
                found[layer.tops[0]] = tuple(map(int, layer.p["shape"][0]["dim"]))[1:]
        return {name: shape for name, shape in found.items() if name not in LABELS}

    def run(self, inputs):
        """The outputs, in the order in which they are computed, each by its name."""
        values, unread = dict(inputs), {}
        pads = {}
        for layer in self.layers:
            if not layer.in_test() or layer.type in ("input", "dummydata", "accuracy", "data"):
                continue
            if layer.type == "padding":
                pads[layer.tops[0]] = (layer.get("pad", 0), layer.bottoms[0])
                continue
            for number, name in enumerate(layer.bottoms):
                if name in pads:
                    layer.p["pad"] = [str(pads[name][0])]
                    layer.bottoms[number] = pads[name][1]
            x = [values[name] for name in layer.bottoms]
            for name in layer.bottoms:
                unread.pop(name, None)
            y = getattr(self, f"do_{layer.type}")(layer, *x)
            for name, value in zip(layer.tops, y if isinstance(y, list) else [y], strict=True):
                values[name] = unread[name] = value
        return list(unread.values())

    def weights(self, layer, *shape, positive=False):
        """Random weights of float32, the next blob of the layer."""
        blobs = self.blobs.setdefault(layer.name, [])
        key = zlib.crc32(f"{self.seed} {layer.name} {len(blobs)}".encode())
        drawn = np.random.default_rng(key).normal(0, 0.4, shape)
        blobs.append((np.abs(drawn) + 0.5 if positive else drawn).astype(np.float32))
        return blobs[-1].astype(np.float64)

    # --- windows ---

    def do_convolution(self, layer, x, groups=None):
        groups = groups or layer.get("group", 1)
        (kh, kw), (sh, sw) = layer.pair("kernel_size", 1), layer.pair("stride", 1)
        (ph, pw), (dh, dw) = layer.pair("pad", 0), layer.pair("dilation", 1)
        n, c, _, _ = x.shape
        out = layer.get("num_output", 0)
        w = self.weights(layer, out, c // groups, kh, kw)
        x = np.pad(x, ((0, 0), (0, 0), (ph, ph), (pw, pw)))
        oh = (x.shape[2] - (dh * (kh - 1) + 1)) // sh + 1
        ow = (x.shape[3] - (dw * (kw - 1) + 1)) // sw + 1
        y = np.zeros((n, out, oh, ow))
        for o in range(out):
            first = o // (out // groups) * (c // groups)
            for i in range(oh):
                for j in range(ow):
                    part = x[
                        :,
                        first : first + c // groups,
                        i * sh : i * sh + dh * (kh - 1) + 1 : dh,
                        j * sw : j * sw + dw * (kw - 1) + 1 : dw,
                    ]
                    y[:, o, i, j] = (part * w[o]).sum((1, 2, 3))
        return y + self._bias(layer, out)

    def _bias(self, layer, out):
        if not layer.get("bias_term", True):
            return 0.0
        return self.weights(layer, out)[:, None, None]

    def do_convolutiondepthwise(self, layer, x):
        return self.do_convolution(layer, x, groups=x.shape[1])

    def do_deconvolution(self, layer, x):
        (kh, kw), (sh, sw) = layer.pair("kernel_size", 1), layer.pair("stride", 1)
        (ph, pw), (dh, dw) = layer.pair("pad", 0), layer.pair("dilation", 1)
        groups, out = layer.get("group", 1), layer.get("num_output", 0)
        n, c, h, wide = x.shape
        w = self.weights(layer, c, out // groups, kh, kw)
        y = np.zeros(
            (n, out, (h - 1) * sh + dh * (kh - 1) + 1, (wide - 1) * sw + dw * (kw - 1) + 1)
        )
        for ci in range(c):
            first = ci // (c // groups) * (out // groups)
            for o in range(out // groups):
                for a in range(kh):
                    for b in range(kw):
                        rows = slice(a * dh, a * dh + (h - 1) * sh + 1, sh)
                        columns = slice(b * dw, b * dw + (wide - 1) * sw + 1, sw)
                        y[:, first + o, rows, columns] += x[:, ci] * w[ci, o, a, b]
        y = y[:, :, ph : y.shape[2] - ph, pw : y.shape[3] - pw]
        return y + self._bias(layer, out)

    def do_pooling(self, layer, x):
        n, c, h, w = x.shape
        mean = layer.get("pool", "MAX") == "AVE"
        if layer.get("global_pooling", False):
            return x.mean((2, 3), keepdims=True) if mean else x.max((2, 3), keepdims=True)
        (kh, kw), (sh, sw) = layer.pair("kernel_size", 1), layer.pair("stride", 1)
        ph, pw = layer.pair("pad", 0)
        round_ = np.floor if layer.get("round_mode", "CEIL") == "FLOOR" else np.ceil
        oh = int(round_((h + 2 * ph - kh) / sh)) + 1
        ow = int(round_((w + 2 * pw - kw) / sw)) + 1
        if ph or pw:
            oh -= (oh - 1) * sh >= h + ph
            ow -= (ow - 1) * sw >= w + pw
        y = np.zeros((n, c, oh, ow))
        for i in range(oh):
            for j in range(ow):
                top, left = i * sh - ph, j * sw - pw
                bottom, right = min(top + kh, h + ph), min(left + kw, w + pw)
                cells = (bottom - top) * (right - left)
                part = x[:, :, max(top, 0) : min(bottom, h), max(left, 0) : min(right, w)]
                y[:, :, i, j] = part.sum((2, 3)) / cells if mean else part.max((2, 3))
        return y

    def do_lrn(self, layer, x):
        size, alpha = layer.get("local_size", 5), layer.get("alpha", 1.0)
        beta, k, half = (
            layer.get("beta", 0.75),
            layer.get("k", 1.0),
            layer.get("local_size", 5) // 2,
        )
        scale = np.zeros_like(x)
        if layer.get("norm_region", "ACROSS_CHANNELS") == "ACROSS_CHANNELS":
            for c in range(x.shape[1]):
                scale[:, c] = (x[:, max(c - half, 0) : c + half + 1] ** 2).sum(1)
            return x * (k + alpha / size * scale) ** -beta
        for i in range(x.shape[2]):
            for j in range(x.shape[3]):
                part = x[:, :, max(i - half, 0) : i + half + 1, max(j - half, 0) : j + half + 1]
                scale[:, :, i, j] = (part**2).sum((2, 3)) / size**2
        return x * (1 + alpha * scale) ** -beta

    # --- numbers ---

    def do_relu(self, layer, x):
        return np.where(x > 0, x, layer.get("negative_slope", 0.0) * x)

    def do_prelu(self, layer, x):
        shared = layer.get("channel_shared", False)
        a = self.weights(layer, 1 if shared else x.shape[1])
        return np.where(x > 0, x, a.reshape(-1, *[1] * (x.ndim - 2)) * x)

    def do_elu(self, layer, x):
        return np.where(x > 0, x, layer.get("alpha", 1.0) * np.expm1(np.minimum(x, 0)))

    def do_absval(self, layer, x):
        return np.abs(x)

    def do_bnll(self, layer, x):
        return np.log1p(np.exp(x))

    def do_sigmoid(self, layer, x):
        return 1 / (1 + np.exp(-x))

    def do_tanh(self, layer, x):
        return np.tanh(x)

    def do_dropout(self, layer, x):
        return x

    def do_power(self, layer, x):
        linear = layer.get("shift", 0.0) + layer.get("scale", 1.0) * x
        return linear ** layer.get("power", 1.0)

    def do_exp(self, layer, x):
        base = layer.get("base", -1.0)
        linear = layer.get("shift", 0.0) + layer.get("scale", 1.0) * x
        return np.exp(linear) if base == -1 else base**linear

    def do_log(self, layer, x):
        base = layer.get("base", -1.0)
        value = np.log(layer.get("shift", 0.0) + layer.get("scale", 1.0) * x)
        return value if base == -1 else value / np.log(base)

    def do_threshold(self, layer, x):
        return (x > layer.get("threshold", 0.0)).astype(float)

    def do_swish(self, layer, x):
        return x / (1 + np.exp(-layer.get("beta", 1.0) * x))

    def do_clip(self, layer, x):
        return np.clip(x, layer.get("min", 0.0), layer.get("max", 0.0))

    def do_softmax(self, layer, x):
        axis = layer.get("axis", 1)
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    def do_eltwise(self, layer, *x):
        kind = layer.get("operation", "SUM")
        if kind == "SUM":
            factors = [float(c) for c in layer.p.get("coeff", ["1"] * len(x))]
            return sum(c * v for c, v in zip(factors, x, strict=True))
        return np.prod(x, 0) if kind == "PROD" else np.max(x, 0)

    def do_axpy(self, layer, a, x, y):
        return a * x + y

    # --- weights and norms ---

    def do_innerproduct(self, layer, x):
        x = x.reshape(len(x), -1)
        out, transposed = layer.get("num_output", 0), layer.get("transpose", False)
        w = self.weights(layer, *((x.shape[1], out) if transposed else (out, x.shape[1])))
        y = x @ (w if transposed else w.T)
        return y + self.weights(layer, out) if layer.get("bias_term", True) else y

    def do_batchnorm(self, layer, x):
        c = x.shape[1]
        mean, variance = self.weights(layer, c), self.weights(layer, c, positive=True)
        factor = self.weights(layer, 1, positive=True)
        shape = (-1, *[1] * (x.ndim - 2))
        variance = (variance / factor).reshape(shape)
        return (x - (mean / factor).reshape(shape)) / np.sqrt(variance + layer.get("eps", 1e-5))

    def do_scale(self, layer, x, *other):
        shape = (-1, *[1] * (x.ndim - 2))
        if other:
            return x * other[0].reshape(*other[0].shape, *[1] * (x.ndim - other[0].ndim))
        y = x * self.weights(layer, x.shape[1]).reshape(shape)
        return (
            y + self.weights(layer, x.shape[1]).reshape(shape)
            if layer.get("bias_term", False)
            else y
        )

    def do_bias(self, layer, x):
        return x + self.weights(layer, x.shape[1]).reshape(-1, *[1] * (x.ndim - 2))

    def do_mvn(self, layer, x):
        axes = (1, 2, 3) if layer.get("across_channels", False) else (2, 3)
        y = x - x.mean(axes, keepdims=True)
        if not layer.get("normalize_variance", True):
            return y
        return y / (np.sqrt((y**2).mean(axes, keepdims=True)) + layer.get("eps", 1e-9))

    # --- shapes ---

    def do_concat(self, layer, *x):
        return np.concatenate(x, layer.get("concat_dim", layer.get("axis", 1)))

    def do_slice(self, layer, x):
        points = [int(i) for i in layer.p.get("slice_point", [])]
        return np.split(x, points or len(layer.tops), layer.get("axis", 1))

    def do_split(self, layer, x):
        return [x] * len(layer.tops)

    def do_crop(self, layer, x, like):
        axis, offset = layer.get("axis", 2), layer.get("offset", 0)
        for a in range(axis, x.ndim):
            x = x.take(range(offset, offset + like.shape[a]), a)
        return x

    def do_flatten(self, layer, x):
        axis = layer.get("axis", 1)
        return x.reshape(*x.shape[:axis], -1)

    def do_reshape(self, layer, x):
        axis, count = layer.get("axis", 0), layer.get("num_axes", -1)
        end = x.ndim if count == -1 else axis + count
        dims = [int(d) for d in layer.p["shape"][0]["dim"]]
        dims = [x.shape[axis + i] if d == 0 else d for i, d in enumerate(dims)]
        return x.reshape(*x.shape[:axis], *dims, *x.shape[end:])

    def do_permute(self, layer, x):
        return x.transpose([int(i) for i in layer.p["order"]])

    def do_tile(self, layer, x):
        return np.concatenate([x] * layer.get("tiles", 1), layer.get("axis", 1))

    def do_argmax(self, layer, x):
        if "axis" in layer.p:
            return x.argmax(layer.get("axis", 1))[:, None].astype(float)
        return x.reshape(len(x), -1).argmax(1)[:, None, None].astype(float)

    def do_reduction(self, layer, x):
        axes = tuple(range(layer.get("axis", 0), x.ndim))
        kind = layer.get("operation", "SUM")
        y = {"SUM": x, "ASUM": np.abs(x), "SUMSQ": x**2, "MEAN": x}[kind]
        return layer.get("coeff", 1.0) * (y.mean(axes) if kind == "MEAN" else y.sum(axes))
