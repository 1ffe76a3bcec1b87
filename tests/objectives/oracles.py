#!/usr/bin/env python3
"""Computes objectives, their gradients and optimiser steps by PyTorch, for the tests of trainer/objective.

Usage: oracles.py [--check]   writes trainer/objective/testdata/*.json; with --check compares them instead.
Needs torch; scripts/deps/python_torch runs it with that of the build.
"""
import math
import pathlib
import sys

import torch
import torch.nn.functional as F
from torch import nn

TESTS = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))
import oracle_files

torch.set_default_dtype(torch.float64)


def wave(*sizes, phase=0.0, scale=1.0):
    """Values without a pattern that is the same in each build of PyTorch, and exact in single precision."""
    n = torch.arange(math.prod(sizes), dtype=torch.float64)
    values = scale * torch.sin(phase + 1.7 * n + 0.3 * torch.sin(2.9 * n))
    return (values * 2**12).round().div(2**12).reshape(sizes)


def lists(tensor):
    return tensor.detach().flatten().tolist()


def with_gradient(value, *leaves):
    gradients = torch.autograd.grad(value, leaves)
    return {"value": value.item(), "gradients": [lists(g) for g in gradients]}


def classification():
    logits = wave(7, scale=3).requires_grad_()
    targets = wave(7, phase=1).abs()
    yield "binary_cross_entropy", {
        "logits": lists(logits), "targets": lists(targets),
        **with_gradient(F.binary_cross_entropy_with_logits(logits, targets), logits)}
    logits = wave(6, 4, scale=2).requires_grad_()
    classes = torch.tensor([0, 3, 1, 1, 2, 0])
    alpha, epsilon = 0.1, 0.2
    # The code of Genome-AC-GAN: the network ends in a softmax, and the loss takes one more.
    p = F.softmax(logits, 1)
    smooth = F.one_hot(classes, 4) * (1 - alpha) + alpha / 4
    penalty = (smooth * (1 - F.softmax(p, 1))).sum(1).mean()
    loss = F.cross_entropy(logits, classes, label_smoothing=alpha) + epsilon * penalty
    yield "polyloss", {"logits": lists(logits), "classes": classes.tolist(), "alpha": alpha, "epsilon": epsilon,
                       **with_gradient(loss, logits)}


def draws():
    for straight_through in (False, True):
        name = "_straight_through" if straight_through else ""
        logits = wave(2, 3, 5, scale=2).requires_grad_()
        gumbel, weights, temperature = wave(2, 3, 5, phase=2), wave(2, 3, 5, phase=3), 0.7
        soft = F.softmax((logits + gumbel) / temperature, 1)
        hard = F.one_hot(soft.argmax(1), 3).transpose(1, 2).to(soft) + soft - soft.detach()
        yield "gumbel_softmax" + name, {
            "logits": lists(logits), "noise": lists(gumbel), "weights": lists(weights), "temperature": temperature,
            **with_gradient(((hard if straight_through else soft) * weights).sum(), logits)}
        logits = wave(11, scale=2).requires_grad_()
        logistic, weights = wave(11, phase=2), wave(11, phase=3)
        soft = torch.sigmoid((logits + logistic) / temperature)
        hard = soft.round() + soft - soft.detach()
        yield "relaxed_bernoulli" + name, {
            "logits": lists(logits), "noise": lists(logistic), "weights": lists(weights), "temperature": temperature,
            **with_gradient(((hard if straight_through else soft) * weights).sum(), logits)}


class Block(nn.Module):
    def __init__(self, width, condition, out, slope):
        super().__init__()
        inner = width + condition
        self.residual1, self.residual2, self.out = nn.Linear(inner, inner), nn.Linear(inner, inner), nn.Linear(inner, out)
        self.slope = slope

    def forward(self, x, c):
        x = torch.cat([x, c], 1)
        r = self.residual2(F.leaky_relu(self.residual1(x), self.slope))
        return F.leaky_relu(self.out(F.leaky_relu(r + x, self.slope)), self.slope)


class Critic(nn.Module):
    def __init__(self, inputs, condition, sizes, slope):
        super().__init__()
        self.first = nn.Linear(inputs + condition, sizes[0])
        self.block = nn.ModuleList(Block(a, condition, b, slope) for a, b in zip(sizes, sizes[1:]))
        self.score = nn.Linear(sizes[-1], 1)
        self.slope = slope

    def forward(self, x, c):
        x = F.leaky_relu(self.first(torch.cat([x, c], 1)), self.slope)
        for block in self.block:
            x = block(x, c)
        return self.score(x)[:, 0]


def wasserstein():
    for name, sizes, condition in (("flat", [6], 0), ("conditioned", [7, 5, 4], 2)):
        rows, variants, slope, penalty_weight = 4, 5, 0.05, 10.0
        critic = Critic(3 * variants, condition, sizes, slope)
        with torch.no_grad():
            for i, parameter in enumerate(critic.parameters()):
                parameter.copy_(wave(*parameter.shape, phase=i, scale=0.6))
        real = F.one_hot(torch.arange(rows * variants).reshape(rows, variants) * 7 % 3, 3).transpose(1, 2).flatten(1)
        fake = F.one_hot(torch.arange(rows * variants).reshape(rows, variants) * 5 % 4 % 3, 3).transpose(1, 2).flatten(1)
        real, fake = real.to(torch.float64), fake.to(torch.float64)
        c, mix = wave(rows, condition, phase=4), wave(rows, 1, phase=5).abs()
        between = (mix * real + (1 - mix) * fake).requires_grad_()
        slopes = torch.autograd.grad(critic(between, c).sum(), between, create_graph=True)[0]
        penalty = (slopes.norm(2, dim=1) - 1).square().mean()
        loss = critic(fake, c).mean() - critic(real, c).mean() + penalty_weight * penalty
        made = fake.clone().requires_grad_()
        yield "wasserstein_" + name, {
            "sizes": sizes, "condition_size": condition, "variants": variants, "rows": rows, "slope": slope,
            "penalty_weight": penalty_weight, "real": lists(real), "fake": lists(fake), "condition": lists(c),
            "mix": lists(mix), "names": [n for n, _ in critic.named_parameters()],
            "weights": [lists(p) for p in critic.parameters()], "penalty": penalty.item(),
            **with_gradient(loss, *critic.parameters()), "generator": with_gradient(-critic(made, c).mean(), made)}


def optimisers():
    settings = {"learning_rate": 0.05, "adam_beta1": 0.5, "adam_beta2": 0.9, "weight_decay": 0.1}
    betas = (settings["adam_beta1"], settings["adam_beta2"])
    rate = settings["learning_rate"]
    make = {"adam": lambda p: torch.optim.Adam(p, rate, betas),
            "adamw": lambda p: torch.optim.AdamW(p, rate, betas, weight_decay=settings["weight_decay"]),
            "rmsprop": lambda p: torch.optim.RMSprop(p, rate, alpha=0.9, eps=1e-7)}
    for name, optimizer_of in make.items():
        weights = [nn.Parameter(wave(5, 7)), nn.Parameter(wave(5, phase=1))]
        start = [lists(w) for w in weights]
        optimizer = optimizer_of(weights)
        # Linear: 4 steps of warm-up, then down over 12 steps, in all of them clipped.
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: (step + 1) / 5 if step < 4 else (16 - step) / 12)
        steps = []
        for step in range(16):
            gradients = [1.5 + wave(5, 7, phase=step), -2.5 + wave(5, phase=2 * step)]
            for weight, gradient in zip(weights, gradients):
                weight.grad = gradient.clone()
            torch.nn.utils.clip_grad_norm_(weights, 6.0 + step / 4)
            optimizer.step()
            schedule.step()
            steps.append([lists(g) for g in gradients])
        yield name, {**settings, "start": start, "gradients": steps, "clip": [6.0 + s / 4 for s in range(16)],
                     "warmup": 4, "weights": [lists(w) for w in weights]}
    weight = nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([weight], 1.0)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 20)
    factors = []
    for _ in range(20):
        factors.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    yield "cosine", {"factors": factors}


def critic_options():
    layer = nn.Linear(6, 4)
    with torch.no_grad():
        layer.weight.copy_(wave(4, 6))
    start = lists(layer.weight)
    torch.nn.utils.parametrizations.spectral_norm(layer, n_power_iterations=200)
    layer.train()
    weights = wave(4, 6, phase=2)
    normalised = layer.weight
    yield "spectral_norm", {"matrix": start, "normalised": lists(normalised), "weights": lists(weights),
                            **with_gradient((normalised * weights).sum(), layer.parametrizations.weight.original)}
    features, weights = wave(5, 3).requires_grad_(), wave(5, 4, phase=2)
    deviation = torch.std(features, dim=0, unbiased=False).mean()
    wider = torch.hstack([features, torch.full((5, 1), 1.0) * deviation])
    yield "minibatch_deviation", {"features": lists(features), "weights": lists(weights),
                                  **with_gradient((wider * weights).sum(), features)}
    average = torch.optim.swa_utils.AveragedModel(
        nn.Linear(3, 2, bias=False), multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.8))
    with torch.no_grad():
        average.module.weight.copy_(wave(2, 3))
    average.n_averaged.fill_(1)
    model = nn.Linear(3, 2, bias=False)
    start = lists(average.module.weight)
    for step in range(5):
        with torch.no_grad():
            model.weight.copy_(wave(2, 3, phase=step + 1))
        average.update_parameters(model)
    yield "average", {"decay": 0.8, "start": start, "steps": [lists(wave(2, 3, phase=s + 1)) for s in range(5)],
                      "average": lists(average.module.weight)}


if __name__ == "__main__":
    sys.exit(oracle_files.main(
        __doc__, TESTS.parent / "trainer" / "objective" / "testdata",
        {module.__name__: lambda module=module: dict(module())
         for module in (classification, draws, wasserstein, optimisers, critic_options)}, 1e-9, 1e-11))
