"""A published generator as a PyTorch user would write it: for the peers that our server is measured beside.

Needs torch and numpy.
"""
import argparse
import json
import pathlib

import numpy
import torch
import torch.nn.functional as F

BATCH = 256  # rows


def read_safetensors(path):
    data = numpy.memmap(path, dtype=numpy.uint8, mode="r")
    size = int(data[:8].view("<u8")[0])
    header = json.loads(data[8:8 + size].tobytes())
    header.pop("__metadata__", None)
    tensors = {}
    for name, tensor in header.items():
        assert tensor["dtype"] == "F32", name
        begin, end = (8 + size + offset for offset in tensor["data_offsets"])
        tensors[name] = torch.from_numpy(data[begin:end].copy().view(numpy.float32)).reshape(tensor["shape"])
    return tensors


class Model:
    """Haplotypes of an acgan by a threshold, or genotypes of a wgan-gp by a draw. Weights are converted once.

    Genotypes are drawn by Gumbel noise as in the paper's code, or by one number and cumulated probabilities, which
    takes a fifteenth of the time.
    """

    def __init__(self, store, name, precision, cumulated=False, threads=2):
        torch.set_num_threads(threads)
        torch.set_grad_enabled(False)
        folder = max((pathlib.Path(store) / name).iterdir(), key=lambda version: int(version.name))
        self.manifest = json.loads((folder / "manifest.json").read_text())
        self.cumulated = cumulated
        self.type = {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]
        tensors = read_safetensors(folder / "weights.safetensors")
        self.weights = {key: tensor.to(self.type) for key, tensor in tensors.items()}
        self.variants = int(self.manifest["variant_count"])
        self.labels = [label["name"] for label in self.manifest.get("labels", [])]
        self.phased = "acgan" in self.manifest["generator"]
        self.spec = self.manifest["generator"]["acgan" if self.phased else "wgan_gp"]
        self.rows_of_sample = 2 if self.phased else 1

    def linear(self, name, x):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def inputs(self, rows, label=0):
        z = torch.randn(rows, self.spec["latent_size"]).to(self.type)
        if self.phased:
            one_hot = F.one_hot(torch.full((rows,), label), len(self.labels)).to(self.type)
            return [torch.cat([one_hot] * self.spec["label_repeats"] + [z] + [one_hot] * self.spec["label_repeats"], 1)]
        return [z, torch.randn(rows, self.spec["condition_size"]).to(self.type)]

    def forward(self, z, c=None):
        slope = self.spec["leaky_slope"]
        if self.phased:
            for i in range(len(self.spec["hidden_sizes"])):
                z = F.leaky_relu_(self.linear(f"hidden.{i}", z), slope)
            return self.linear("output", z)
        x = F.leaky_relu_(self.linear("first", torch.cat([z, c], 1)), slope)
        for i in range(len(self.spec["hidden_sizes"]) - 1):
            x = torch.cat([x, c], 1)
            r = self.linear(f"block.{i}.residual2", F.leaky_relu_(self.linear(f"block.{i}.residual1", x), slope))
            x = F.leaky_relu_(self.linear(f"block.{i}.out", F.leaky_relu_(r + x, slope)), slope)
        return self.linear("output", x)

    def draw(self, logits):
        """Codes, one byte an allele or genotype."""
        if self.phased:
            return (torch.tanh(logits) > 0.5).to(torch.uint8).numpy()
        if self.cumulated:
            p = torch.softmax(logits.reshape(len(logits), 3, self.variants), 1)
            u = torch.rand(len(logits), self.variants)
            return (u > p[:, 0]).to(torch.uint8).add_(u > p[:, 0] + p[:, 1]).numpy()
        # The largest of the logits with Gumbel noise, as F.gumbel_softmax draws, without its softmax: a quarter faster.
        noisy = logits - torch.empty_like(logits).exponential_().log_()
        return noisy.reshape(len(logits), 3, self.variants).argmax(1).to(torch.uint8).numpy()

    def pack(self, codes):
        if self.phased:
            return numpy.packbits(codes, axis=1, bitorder="little")
        codes = numpy.pad(codes, ((0, 0), (0, -codes.shape[1] % 4)))
        return codes[:, 0::4] | codes[:, 1::4] << 2 | codes[:, 2::4] << 4 | codes[:, 3::4] << 6

    def generate(self, rows, label=0, packed=True):
        """[rows, bytes of a row]."""
        codes = self.draw(self.forward(*self.inputs(rows, label)))
        return self.pack(codes) if packed else codes


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("store")
    parser.add_argument("model")
    parser.add_argument("--precision", choices=["fp32", "bf16"], default="fp32")
    parser.add_argument("--cumulated", action="store_true", help="draw genotypes by cumulated probabilities")
    return parser


def load(options):
    return Model(options.store, options.model, options.precision, options.cumulated)
