"""Dictionaries of one shape, trained side by side.

f = pre [pre > threshold], pre = x W_enc + b_enc, y = f W_dec + b_dec.

Inside, what is read and written is centred and scaled so that the median position's mean square is 1. `tensors` gives
the weights for the model's own numbers, scaled so that rows of W_dec have length 1. The threshold, one for a
dictionary, is steered so that `aim` features are active at a position: in the mean over the batch this is a top-k over
the whole batch (Bussmann et al., BatchTopK), without sorting.
"""
import torch
from torch import nn

from .steered import PLANTED, Steered


class Stack(Steered):
    def __init__(self, sites, features, aim, device):
        super().__init__(len(sites), features, aim, device)
        self.sites = sites

    def values(self, seen):
        """Reads and writes of all sites, [n, rows * positions, d]."""
        both = [s.values(seen) for s in self.sites]
        return tuple(torch.stack([b[i].flatten(0, 1) for b in both]) for i in (0, 1))

    @torch.no_grad()
    def start(self, seen):
        """Scales, and features that each point from one position's input to its output."""
        x, y = self.values(seen)
        x, y = self.scales(seen, x, y)
        n, f = len(self.sites), self.features
        self.W_enc = nn.Parameter(torch.zeros(n, x.shape[2], f, device=self.device))
        self.W_dec = nn.Parameter(torch.zeros(n, f, y.shape[2], device=self.device))
        self.b_enc = nn.Parameter(torch.zeros(n, f, device=self.device))
        self.b_dec = nn.Parameter(torch.zeros(n, y.shape[2], device=self.device))
        rows = torch.randint(x.shape[1], (n, f), device=self.device)
        for i in range(n):
            self._plant(i, torch.ones(f, dtype=torch.bool, device=self.device), x[i, rows[i]], y[i, rows[i]])
        self.guess_threshold(self.pre(x[:, :2048]))

    def _plant(self, i, which, x, y):
        self.W_dec[i, which] = y / PLANTED
        self.W_enc[i][:, which] = (0.5 * PLANTED * x / x.square().sum(1, keepdim=True).clamp(min=1e-6)).T
        self.b_enc[i, which] = 0

    def pre(self, x):
        return torch.baddbmm(self.b_enc[:, None], x, self.W_enc)

    def forward(self, x, y):
        """(outputs in the model's numbers, loss by dictionary, active [n, rows * positions, features])."""
        x, y = self.scaled(x, "in"), self.scaled(y, "out")
        pre = self.pre(x)
        active = pre > self.threshold[:, None, None]
        out = torch.baddbmm(self.b_dec[:, None], pre * active, self.W_dec).float()
        return out * self.scale_out + self.mean_out, self.loss(out, y), active

    @torch.no_grad()
    def revive(self, seen, optimizer, tokens):
        """Features silent for so many tokens start anew at positions that are badly written; how many."""
        x, y = self.values(seen)
        x, miss = self.scaled(x, "in"), (y - self(x, y)[0]) / self.scale_out
        odds = miss.square().mean(2) / self.scaled(y, "out").square().mean(2).clamp(min=1)
        dead = self.silent >= tokens
        for i in range(len(self.sites)):
            if count := int(dead[i].sum()):
                rows = torch.multinomial(odds[i], count)
                self._plant(i, dead[i], x[i, rows], miss[i, rows])
                for p, axis in ((self.W_enc, 1), (self.W_dec, 0), (self.b_enc, 0)):
                    for moment in ("exp_avg", "exp_avg_sq"):
                        optimizer.state[p][moment][i].movedim(axis, 0)[dead[i]] = 0
        self.silent[dead] = 0
        return int(dead.sum())

    @torch.no_grad()
    def tensors(self, i):
        """SAELens' tensors of dictionary i; rows of W_dec have length 1 in the model's numbers."""
        s_in, s_out, m_in, m_out = (v[i] for v in (self.scale_in, self.scale_out, self.mean_in, self.mean_out))
        length = self.W_dec[i].norm(dim=1).clamp(min=1e-6) * s_out[0]
        return {"W_enc": self.W_enc[i] / s_in * length, "b_enc": (self.b_enc[i] - (m_in / s_in)[0] @ self.W_enc[i]) *
                length, "W_dec": self.W_dec[i] * s_out / length[:, None], "b_dec": self.b_dec[i] * s_out[0] + m_out[0],
                "threshold": self.threshold[i] * length}
