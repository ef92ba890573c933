"""Modules as a user would write them in their own source."""

import torch
from torch import nn


class Normalised(nn.Module):
    """A residual network with batch normalisation, dropout and a gate: what a perceptron is not."""

    def __init__(self, input_size: int, output_size: int, width: int = 16) -> None:
        super().__init__()
        self.gate = nn.Parameter(torch.ones(input_size))
        self.enter = nn.Linear(input_size, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(0.1)
        self.leave = nn.Linear(width, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        hidden = self.enter(rows * torch.sigmoid(self.gate))
        return self.leave(hidden + self.dropout(torch.relu(self.norm(hidden))))


class Convolution(nn.Module):
    """Pixels in rows of 8, through one convolution."""

    def __init__(self, input_size: int, output_size: int, channels: int = 4) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(1, channels, 3, padding=1)
        self.leave = nn.Linear(channels * input_size // 4, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        pixels = rows.reshape(-1, 1, 8, 8)
        return self.leave(torch.max_pool2d(torch.relu(self.convolution(pixels)), 2).flatten(1))


class Tied(nn.Module):
    """Two layers that share their weights."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.first = nn.Linear(input_size, input_size)
        self.second = nn.Linear(input_size, input_size)
        self.second.weight = self.first.weight
        self.leave = nn.Linear(input_size, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.leave(self.second(torch.tanh(self.first(rows))))


class Flat(nn.Module):
    """One number a row, without a second dimension."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.leave = nn.Linear(input_size, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.leave(rows).reshape(-1)


class Single(nn.Module):
    """A network that insists on single precision."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.leave = nn.Linear(input_size, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.leave(rows.to(torch.float32))


class Branching(nn.Module):
    """What it computes depends on the values of its rows: a graph cannot say that."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.leave = nn.Linear(input_size, output_size)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        if rows.sum() > 0:
            return self.leave(rows)
        return self.leave(-rows)


class TooMany(nn.Module):
    """One output more than it was asked for."""

    def __init__(self, input_size: int, output_size: int) -> None:
        super().__init__()
        self.leave = nn.Linear(input_size, output_size + 1)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        return self.leave(rows)


class NoModule:
    """A class, but no network."""
