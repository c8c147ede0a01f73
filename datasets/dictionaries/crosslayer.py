"""A cross-layer transcoder: features of layer s write to the MLP outputs of s and of every layer above.

The same rule, scales, loss and steering as in stack.py.
"""
import torch
from torch import nn

from .steered import PLANTED, Steered


class CrossLayer(Steered):
    def __init__(self, layers, features, aim, device):
        super().__init__(layers, features, aim, device)
        self.layers = layers

    def values(self, seen):
        return tuple(torch.stack([v.float().flatten(0, 1) for v in seen[name]]) for name in ("mlp_in", "mlp_out"))

    @torch.no_grad()
    def start(self, seen):
        x, y = self.scales(seen, *self.values(seen))
        d, f = x.shape[2], self.features
        self.W_enc = nn.Parameter(torch.zeros(self.layers, d, f, device=self.device))
        self.b_enc = nn.Parameter(torch.zeros(self.layers, f, device=self.device))
        self.b_dec = nn.Parameter(torch.zeros(self.layers, d, device=self.device))
        self.W_dec = nn.ParameterList(torch.zeros((t + 1) * f, d, device=self.device) for t in range(self.layers))
        for s in range(self.layers):
            rows = torch.randint(x.shape[1], (f,), device=self.device)
            for t in range(s, self.layers):
                self.W_dec[t][s * f:(s + 1) * f] = y[t, rows] / PLANTED / (t - s + 1)
            self.W_enc[s] = (0.5 * PLANTED * x[s, rows] / x[s, rows].square().sum(1, keepdim=True)).T
        self.guess_threshold(torch.baddbmm(self.b_enc[:, None], x[:, :4096], self.W_enc))

    def encode(self, x, layer):
        """(features, active) for mlp.hook_in of the layer, [positions, d]."""
        x = (x - self.mean_in[layer]) / self.scale_in[layer]
        pre = torch.addmm(self.b_enc[layer], x, self.W_enc[layer])
        active = pre > self.threshold[layer]
        return pre * active, active

    def write(self, features, layer):
        """hook_mlp_out of the layer, from the features of the layers up to it."""
        out = torch.addmm(self.b_dec[layer], torch.cat(features[:layer + 1], 1), self.W_dec[layer]).float()
        return out * self.scale_out[layer] + self.mean_out[layer]

    def forward(self, x, y):
        """(outputs, loss by layer, active [layers, positions, features]) for the host's own inputs."""
        both = [self.encode(x[s], s) for s in range(self.layers)]
        out = torch.stack([self.write([a for a, _ in both], t) for t in range(self.layers)])
        loss = self.loss(self.scaled(out, "out"), self.scaled(y, "out"))
        return out, loss, torch.stack([a for _, a in both])

    def replaced(self, host, ids):
        """Logits when every MLP is replaced at once, each feature reading the run so changed."""
        x, features = host.embed(ids), []
        for layer in range(self.layers):
            mid = x + host.attention_out(host.z(x, layer), layer)
            features.append(self.encode(host.mlp_in(mid, layer).float().flatten(0, 1), layer)[0])
            x = mid + self.write(features, layer).view_as(mid)
        return host.logits(x)

    @torch.no_grad()
    def revive(self, seen, optimizer, tokens):
        """Silent features start anew from badly written positions; how many."""
        x, y = self.values(seen)
        miss = (y - self(x, y)[0]) / self.scale_out
        odds = (miss.square().mean(2) / self.scaled(y, "out").square().mean(2).clamp(min=1)).mean(0)
        x, f = self.scaled(x, "in"), self.features
        dead = self.silent >= tokens
        for s in range(self.layers):
            if count := int(dead[s].sum()):
                rows = torch.multinomial(odds, count)
                at = dead[s].nonzero()[:, 0]
                self.W_enc[s][:, at] = (0.5 * PLANTED * x[s, rows] / x[s, rows].square().sum(1, keepdim=True)).T
                self.b_enc[s, at] = 0
                for moment in ("exp_avg", "exp_avg_sq"):
                    optimizer.state[self.W_enc][moment][s][:, at] = 0
                for t in range(s, self.layers):
                    self.W_dec[t][s * f + at] = miss[t, rows] / PLANTED / (t - s + 1)
                    for moment in ("exp_avg", "exp_avg_sq"):
                        optimizer.state[self.W_dec[t]][moment][s * f + at] = 0
        self.silent[dead] = 0
        return int(dead.sum())

    @torch.no_grad()
    def files(self):
        """circuit-tracer's files: name -> tensors."""
        f, out = self.features, {}
        for s in range(self.layers):
            m, v, o = self.mean_in[s, 0], self.scale_in[s, 0], self.scale_out
            out[f"W_enc_{s}"] = {f"W_enc_{s}": (self.W_enc[s] / v).T,
                                 f"b_enc_{s}": self.b_enc[s] - m / v @ self.W_enc[s],
                                 f"b_dec_{s}": self.b_dec[s] * o[s, 0] + self.mean_out[s, 0],
                                 f"threshold_{s}": self.threshold[s].expand(f)}
            out[f"W_dec_{s}"] = {f"W_dec_{s}": torch.stack(
                [self.W_dec[t][s * f:(s + 1) * f] * o[t] for t in range(s, self.layers)], 1)}
        return out
