"""What the dictionaries of stack.py and crosslayer.py share: scales, the loss, the threshold's steering."""
import torch
from torch import nn

PLANTED = 16.0  # twice the activation of a new feature at the position that it is made from


class Steered(nn.Module):
    """n sets of features with a threshold each, which is steered so that `aim` of them are active at a position."""

    def __init__(self, n, features, aim, device):
        super().__init__()
        self.n, self.features, self.aim, self.device = n, features, aim, device
        self.register_buffer("threshold", torch.ones(n, device=device))
        self.register_buffer("silent", torch.zeros(n, features, device=device))  # tokens since last active

    def scales(self, seen, x, y):
        """Takes means and scales from all positions but the first; x and y of those, scaled.

        The scale is of the median position: a few sinks have most of the variance of a residual stream.
        """
        inner = torch.ones(seen["post"][0].shape[:2], dtype=torch.bool, device=self.device)
        inner[:, 0] = False
        for name, v in (("in", x[:, inner.flatten()]), ("out", y[:, inner.flatten()])):
            mean = v.mean(1, keepdim=True)
            self.register_buffer(f"mean_{name}", mean)
            typical = (v - mean).square().mean(2, keepdim=True).median(1, keepdim=True).values
            self.register_buffer(f"scale_{name}", typical.sqrt())
        return self.scaled(x[:, inner.flatten()], "in"), self.scaled(y[:, inner.flatten()], "out")

    def scaled(self, v, name):
        return (v - getattr(self, f"mean_{name}")) / getattr(self, f"scale_{name}")

    def guess_threshold(self, pre):
        pre = pre.flatten(1)
        rank = int(pre.shape[1] * (1 - self.aim / self.features))
        self.threshold.copy_(pre.kthvalue(rank, 1).values.clamp(min=0.05))

    def loss(self, out, y):
        """Mean square by set, of scaled values [n, positions, d], each position over its own size or the median's.

        Without the weights, sinks and the words of tasks, which are written largest, take all features from prose.
        """
        weight = 1 / y.square().mean(2).clamp(min=1)
        return ((out - y).square().mean(2) * weight).mean(1)

    @torch.no_grad()
    def steer(self, active, rows, prose, gain):
        """Moves thresholds towards the aim, in prose or tasks, whichever has more active; notes silent features."""
        active = active.view(self.n, rows, -1, self.features)[:, :, 1:]
        count = torch.stack((active[:, :prose].sum((1, 2)), active[:, prose:].sum((1, 2)))).float()
        per = torch.tensor([prose, rows - prose], device=self.device).clamp(min=1) * active.shape[2]
        l0 = (count.sum(2) / per[:, None]).amax(0)
        self.threshold.mul_(torch.exp(gain * (l0 / self.aim - 1).clamp(-1, 1))).clamp_(min=1e-3)
        self.silent.add_(rows * active.shape[2]).mul_(count.sum(0) == 0)
        return l0
