#!/usr/bin/env python3
"""Steps a second of genoserve's trainer and of PyTorch's eager loop for the same recipe, in one run.

Usage: trainer_eager.py TRAINER_BENCH [PRESET VARIANTS]... [--seconds S] [--rounds N] [--precision fp32|bf16]

TRAINER_BENCH is build/release/bench/trainer_bench. Its first line tells the sizes and rates; the loop here has the same
layers, losses, batch and optimiser, written as is usual in PyTorch: torch.nn layers, F.gumbel_softmax, autograd for the
gradient penalty, torch.optim. Real rows lie decoded in memory, which spares this side the decoding. Both take turns, one
at a time; what is printed is the median of the rounds and of their ratios, to PyTorch in fp32 and to PyTorch under
torch.autocast("cpu", torch.bfloat16), and last the ratio to PyTorch in fp32 by steps a second of processor time, which
other work on the machine hardly changes. --precision is ours, the preset's own if not given. Threads that wait sleep on both sides
(GOMP_SPINCOUNT=0, the trainer's own default): on a machine with other work PyTorch is many times slower without.
OMP_NUM_THREADS limits both. Needs Python with torch; scripts/deps/python_torch.py runs it with that of the build.
"""
import argparse
import collections
import json
import os
import statistics
import subprocess
import sys
import time

if os.environ.setdefault("GOMP_SPINCOUNT", "0") == "0" and "OMP_WAIT_POLICY" not in os.environ:
    os.environ["OMP_WAIT_POLICY"] = "passive"
    os.execv(sys.executable, [sys.executable, *sys.argv])  # OpenMP reads them before a program begins

import torch
import torch.nn.functional as F
from torch import nn

ROWS = 4000


class AcganGenerator(nn.Module):
    def __init__(self, spec, labels, variants):
        super().__init__()
        self.spec, self.labels = spec, labels
        width = spec["latent_size"] + 2 * spec["label_repeats"] * labels
        self.hidden = nn.ModuleList()
        for size in spec["hidden_sizes"]:
            self.hidden.append(nn.Linear(width, size))
            width = size
        if spec["rank"]:
            self.rank = nn.Linear(width, spec["rank"])
            width = spec["rank"]
        if spec["latent_skip"]:
            self.skip = nn.Linear(spec["latent_size"], width, bias=False)
        self.output = nn.Linear(width, variants)
        if spec["label_logits"]:
            self.label_logits = nn.Embedding(labels, variants)

    def forward(self, z, labels):
        one_hot = F.one_hot(labels, self.labels).float()
        x = torch.cat([one_hot] * self.spec["label_repeats"] + [z] + [one_hot] * self.spec["label_repeats"], 1)
        for layer in self.hidden:
            x = F.leaky_relu(layer(x), self.spec["leaky_slope"])
        if self.spec["rank"]:
            x = self.rank(x)
        if self.spec["latent_skip"]:
            x = x + self.skip(z)
        x = self.output(x)
        return x + self.label_logits(labels) if self.spec["label_logits"] else x


class Discriminator(nn.Module):
    def __init__(self, recipe, slope, labels, variants):
        super().__init__()
        layers, width = [], variants
        dropout = recipe["critic_dropout"] or [0] * len(recipe["critic_hidden_sizes"])
        for size, rate in zip(recipe["critic_hidden_sizes"], dropout):
            layers += [nn.Linear(width, size), nn.LeakyReLU(slope)] + ([nn.Dropout(rate)] if rate else [])
            width = size
        self.body, self.validity, self.classes = nn.Sequential(*layers), nn.Linear(width, 1), nn.Linear(width, labels)

    def forward(self, x):
        x = self.body(x)
        return self.validity(x)[:, 0], self.classes(x)


def hidden_kernel_squares(network):
    hidden = network.hidden if isinstance(network, AcganGenerator) else network.body
    return sum(layer.weight.square().sum() for layer in hidden if isinstance(layer, nn.Linear))


def optimizer_of(recipe, network, rate):
    if recipe["optimizer"] == "rmsprop":
        return torch.optim.RMSprop(network.parameters(), rate, alpha=0.9, eps=1e-7)
    kind = torch.optim.AdamW if recipe["optimizer"] == "adamw" else torch.optim.Adam
    return kind(network.parameters(), rate, betas=(recipe["adam_beta1"], recipe["adam_beta2"]))


class Average:
    """The moving average of the generator's weights."""

    def __init__(self, network, decay):
        self.decay, self.network = decay, network
        self.weights = [p.detach().clone() for p in network.parameters()]

    @torch.no_grad()
    def update(self):
        for mean, weight in zip(self.weights, self.network.parameters()):
            mean.mul_(self.decay).add_(weight, alpha=1 - self.decay)


def acgan(manifest):
    spec, recipe = manifest["generator"]["acgan"], collections.defaultdict(int, manifest["training"]["recipe"])
    variants, labels, batch = int(manifest["variant_count"]), len(manifest["labels"]), recipe["batch_size"]
    generator = AcganGenerator(spec, labels, variants)
    discriminator = Discriminator(recipe, spec["leaky_slope"], labels, variants)
    g_optimizer = optimizer_of(recipe, generator, recipe["generator_learning_rate"])
    d_optimizer = optimizer_of(recipe, discriminator, recipe["critic_learning_rate"])
    average = Average(generator, recipe["average_decay"])
    data, data_labels = torch.randint(0, 2, (ROWS, variants), dtype=torch.uint8), torch.randint(0, labels, (ROWS,))
    temperature = recipe["temperature_start"]

    def draw(labels_):
        logits = generator(torch.randn(batch, spec["latent_size"]), labels_)
        if spec["output"] == "ALLELE_OUTPUT_TANH_THRESHOLD":
            return torch.tanh(logits)
        u = torch.rand_like(logits)
        soft = torch.sigmoid((logits + torch.log(u) - torch.log1p(-u)) / temperature)
        return (soft > 0.5).float() - soft.detach() + soft if recipe["straight_through"] else soft

    def target_noise(rows):
        return (torch.randn(rows) * 0.01 + 0.1).mul(recipe["target_noise"]).abs()

    def loss_of(x, validity, classes, network):
        v, c = discriminator(x)
        loss = F.binary_cross_entropy_with_logits(v, validity)
        if recipe["classifier_weight"]:
            alpha = recipe["label_smoothing"]
            smooth = F.one_hot(classes, labels) * (1 - alpha) + alpha / labels
            penalty = (smooth * (1 - F.softmax(F.softmax(c, 1), 1))).sum(1).mean()
            cross_entropy = F.cross_entropy(c, classes, label_smoothing=alpha)
            loss = loss + recipe["classifier_weight"] * (cross_entropy + recipe["polyloss_epsilon"] * penalty)
        return loss + recipe["weight_decay"] * hidden_kernel_squares(network)

    def fake_labels(real_labels):
        return torch.randint(0, labels, (batch,)) if recipe["uniform_labels"] else real_labels

    def step():
        rows = torch.randint(0, ROWS, (batch,))
        real, real_labels = data[rows].float(), data_labels[rows]
        if recipe["input_noise"]:
            real = real - ((torch.randn_like(real) + 1) * recipe["input_noise"]).clamp(0, 0.3)
        made_labels = fake_labels(real_labels)
        with torch.no_grad():
            fake = draw(made_labels)
        targets = torch.cat([target_noise(batch),
                             1 - torch.rand(batch) * recipe["target_noise"] - target_noise(batch)])
        order = torch.randperm(2 * batch)
        x, classes = torch.cat([fake, real])[order], torch.cat([made_labels, real_labels])[order]
        parts = recipe["critic_steps"]
        for a, b, c in zip(x.chunk(parts), targets[order].chunk(parts), classes.chunk(parts)):
            d_optimizer.zero_grad()
            loss = loss_of(a, b, c, discriminator)
            loss.backward()
            d_optimizer.step()
            loss.item()
        made_labels = fake_labels(real_labels)
        for p in discriminator.parameters():
            p.requires_grad_(False)
        g_optimizer.zero_grad()
        loss = loss_of(draw(made_labels), 1 - target_noise(batch), made_labels, generator)
        loss.backward()
        g_optimizer.step()
        for p in discriminator.parameters():
            p.requires_grad_(True)
        average.update()
        loss.item()

    return step


class Residual(nn.Module):
    def __init__(self, width, condition, out, slope, norm):
        super().__init__()
        inner = width + condition
        normal = nn.BatchNorm1d if norm else lambda _: nn.Identity()
        self.inner = nn.Sequential(nn.Linear(inner, inner), normal(inner), nn.LeakyReLU(slope), nn.Linear(inner, inner),
                                   normal(inner))
        self.out = nn.Sequential(nn.LeakyReLU(slope), nn.Linear(inner, out), nn.LeakyReLU(slope))

    def forward(self, x, c):
        x = torch.cat([x, c], 1)
        return self.out(self.inner(x) + x)


class Blocks(nn.Module):
    """A first layer and residual blocks, each with the condition: the body of the generator and of the critic."""

    def __init__(self, inputs, condition, sizes, slope, norm):
        super().__init__()
        layers = [nn.Linear(inputs + condition, sizes[0])] + ([nn.BatchNorm1d(sizes[0])] if norm else [])
        self.first = nn.Sequential(*layers, nn.LeakyReLU(slope))
        self.blocks = nn.ModuleList(Residual(a, condition, b, slope, norm) for a, b in zip(sizes, sizes[1:]))

    def forward(self, x, c):
        x = self.first(torch.cat([x, c], 1))
        for block in self.blocks:
            x = block(x, c)
        return x


class WganGpGenerator(nn.Module):
    def __init__(self, spec, variants):
        super().__init__()
        condition, width = spec["condition_size"], spec["hidden_sizes"][-1]
        self.body = Blocks(spec["latent_size"], condition, spec["hidden_sizes"], spec["leaky_slope"], True)
        self.rank = nn.Linear(width, spec["rank"]) if spec["rank"] else nn.Identity()
        width = spec["rank"] or width
        self.skip = nn.Linear(spec["latent_size"] + condition, width, bias=False) if spec["latent_skip"] else None
        self.output = nn.Linear(width, 3 * variants)

    def forward(self, z, c):
        x = self.rank(self.body(z, c))
        if self.skip is not None:
            x = x + self.skip(torch.cat([z, c], 1))
        return self.output(x).view(len(x), -1, 3)


class Critic(nn.Module):
    def __init__(self, recipe, slope, condition, variants):
        super().__init__()
        self.body = Blocks(3 * variants, condition, recipe["critic_hidden_sizes"], slope, False)
        self.score = nn.Linear(recipe["critic_hidden_sizes"][-1], 1)

    def forward(self, x, c):
        return self.score(self.body(x, c))[:, 0]


def wgan_gp(manifest):
    spec, recipe = manifest["generator"]["wgan_gp"], collections.defaultdict(int, manifest["training"]["recipe"])
    variants, batch = int(manifest["variant_count"]), recipe["batch_size"]
    generator = WganGpGenerator(spec, variants)
    critic = Critic(recipe, spec["leaky_slope"], spec["condition_size"], variants)
    g_optimizer = optimizer_of(recipe, generator, recipe["generator_learning_rate"])
    c_optimizer = optimizer_of(recipe, critic, recipe["critic_learning_rate"])
    average = Average(generator, recipe["average_decay"])
    data = torch.randint(0, 3, (ROWS, variants), dtype=torch.uint8)
    conditions = torch.randn(ROWS, spec["condition_size"])

    def draw(c):
        logits = generator(torch.randn(batch, spec["latent_size"]), c)
        return F.gumbel_softmax(logits, recipe["temperature_start"], hard=recipe["straight_through"]).flatten(1)

    def step():
        rows = torch.randint(0, ROWS, (batch,))
        c, real = conditions[rows], F.one_hot(data[rows].long(), 3).float().flatten(1)
        for _ in range(recipe["critic_steps"]):
            with torch.no_grad():
                fake = draw(c)
            mix = torch.rand(batch, 1)
            between = (mix * real + (1 - mix) * fake).requires_grad_()
            slopes = torch.autograd.grad(critic(between, c).sum(), between, create_graph=True)[0]
            penalty = ((slopes.norm(2, dim=1) - 1) ** 2).mean()
            c_optimizer.zero_grad()
            loss = critic(fake, c).mean() - critic(real, c).mean() + recipe["gradient_penalty"] * penalty
            loss.backward()
            c_optimizer.step()
            loss.item()
        for p in critic.parameters():
            p.requires_grad_(False)
        g_optimizer.zero_grad()
        loss = -critic(draw(c), c).mean()
        loss.backward()
        g_optimizer.step()
        for p in critic.parameters():
            p.requires_grad_(True)
        average.update()
        loss.item()

    return step


def rate_of(step, seconds, bf16):
    """Steps a second, and a second of processor time."""
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        for _ in range(3):
            step()
        steps, begin, processor = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - begin < seconds:
            step()
            steps += 1
        return steps / (time.perf_counter() - begin), steps / (time.process_time() - processor)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("bench")
    parser.add_argument("cases", nargs="*", default=["acgan", "805", "acgan", "10000", "wgan-gp", "805", "wgan-gp", "10000"])
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--precision", choices=["fp32", "bf16"])
    arguments = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {torch.get_num_threads()} threads; steps/s, median of {arguments.rounds} rounds")
    print("| preset | variants | PyTorch eager | its bf16 autocast | genoserve | precision | ratio | lowest | highest | "
          "ratio to autocast | ratio by processor time |\n|" + "---|" * 11)
    for preset, variants in zip(arguments.cases[::2], arguments.cases[1::2]):
        step, precision, ours, fp32, bf16 = None, "", [], [], []
        for _ in range(arguments.rounds):
            command = [arguments.bench, preset, variants, str(arguments.seconds)]
            command += [arguments.precision] if arguments.precision else []
            lines = subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE).stdout.splitlines()
            ours.append([float(word) for word in lines[1].split()])
            if step is None:
                manifest = json.loads(lines[0])
                precision = manifest["training"]["recipe"].get("precision") or "fp32"
                step = (acgan if preset.startswith("acgan") else wgan_gp)(manifest)
            fp32.append(rate_of(step, arguments.seconds, False))
            bf16.append(rate_of(step, arguments.seconds, True))

        def median(rates):
            return statistics.median(rate for rate, _ in rates)

        def ratios(rates, which=0):
            return [a[which] / b[which] for a, b in zip(ours, rates)]

        wall = ratios(fp32)
        print(f"| {preset} | {variants} | {median(fp32):.3g} | {median(bf16):.3g} | {median(ours):.3g} | {precision} | "
              f"{statistics.median(wall):.2f} | {min(wall):.2f} | {max(wall):.2f} | "
              f"{statistics.median(ratios(bf16)):.2f} | {statistics.median(ratios(fp32, 1)):.2f} |", flush=True)


if __name__ == "__main__":
    main()
