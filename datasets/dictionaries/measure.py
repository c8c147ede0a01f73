"""The figures of a card, in float32: how much a dictionary says, and what the model loses with its output instead.

L0, FVE = 1 - sum |y - y'|^2 / sum |y - mean|^2 and the silent share leave out special tokens and first positions (the
attention sink). Loss: cross-entropy of every next token in nats; recovered = (zero - spliced) / (zero - clean). The
first position keeps its own value when the rest is spliced, zeroed or set to the mean; `everywhere` replaces it too.
"""
import torch
import torch.nn.functional as F


def encode(tensors, x):
    pre = x @ tensors["W_enc"] + tensors["b_enc"]
    return pre * (pre > tensors["threshold"])


def decode(tensors, features):
    return features @ tensors["W_dec"] + tensors["b_dec"]


class CrossTensors:
    """A cross-layer transcoder from its files: encode by layer, write by layer from all features below."""

    def __init__(self, t):
        self.t, self.layers = t, sum(k.startswith("W_enc") for k in t)

    def encode(self, x, layer):
        pre = x @ self.t[f"W_enc_{layer}"].T + self.t[f"b_enc_{layer}"]
        return pre * (pre > self.t[f"threshold_{layer}"])

    def write(self, features, layer):
        return self.t[f"b_dec_{layer}"] + sum(features[s] @ self.t[f"W_dec_{s}"][:, layer - s]
                                              for s in range(layer + 1))


def cross_entropy(logits, ids):
    return F.cross_entropy(logits[:, :-1].transpose(1, 2), ids[:, 1:], reduction="sum").item()


def counted(ids, special):
    keep = ids >= special
    keep[:, 0] = False
    return keep


def keep_first(value, own):
    return torch.cat((own[:, :1], value[:, 1:]), 1)


class Sums:
    """Adds up L0, FVE and which features were active."""

    def __init__(self):
        self.n, self.active, self.miss, self.square, self.total, self.fired = 0, 0.0, 0.0, 0.0, 0.0, 0

    def add(self, features, y, out):
        self.n += len(y)
        self.active += (features != 0).sum().item()
        self.miss += (y - out).double().square().sum().item()
        self.square += y.double().square().sum().item()
        self.total = self.total + y.double().sum(0)
        self.fired = self.fired + (features != 0).sum(0)

    def figures(self):
        spread = self.square - (self.total.square().sum() / self.n).item()
        return {"tokens": self.n, "l0": round(self.active / self.n, 2), "fve": round(1 - self.miss / spread, 4),
                "silent_share": round((self.fired == 0).float().mean().item(), 4)}


def losses_figures(sums, n):
    ce = {k: v / n for k, v in sums.items()}
    out = {f"ce_{k}": round(v, 5) for k, v in ce.items()}
    for place in ("", "_everywhere"):
        gap = ce["zero" + place] - ce["clean"]
        out["loss_recovered" + place] = round((ce["zero" + place] - ce["spliced" + place]) / gap, 4)
    return out


@torch.no_grad()
def card(host, site, tensors, ids, special, rows=8):
    """Figures of one SAE or transcoder on windows of ids, [windows, positions]."""
    sums, ce, predicted = Sums(), {}, 0
    mean = 0.0
    for part in ids.split(rows):
        y = site.values(host.run(part, site.layer))[1]
        mean = mean + y[counted(part, special)].double().sum(0)
    mean = (mean / counted(ids, special).sum()).float()
    for part in ids.split(rows):
        seen = host.run(part)
        x, y = site.values(seen)
        features = encode(tensors, x)
        out = decode(tensors, features)
        keep = counted(part, special)
        sums.add(features[keep], y[keep], out[keep])
        runs = {"spliced": out, "zero": torch.zeros_like(y), "mean": mean.expand_as(y)}
        joins = {k: site.spliced(host, seen, keep_first(v, y)) for k, v in runs.items()}
        joins |= {f"{k}_everywhere": site.spliced(host, seen, runs[k]) for k in ("spliced", "zero")}
        logits = host.tails([(site.layer, v) for v in joins.values()])
        for name, v in zip(joins, logits):
            ce[name] = ce.get(name, 0) + cross_entropy(v, part)
        ce["clean"] = ce.get("clean", 0) + cross_entropy(seen["logits"], part)
        predicted += part[:, 1:].numel()
    return sums.figures() | losses_figures(ce, predicted)


@torch.no_grad()
def cross_card(host, cross, ids, special, rows=8):
    """Figures of a cross-layer transcoder; spliced and zero: every MLP at once, features read from the changed run."""
    sums, ce, predicted = [Sums() for _ in range(host.layers)], {}, 0

    def replaced(part, write, first):
        x, features = host.embed(part), []
        for layer in range(host.layers):
            mid = x + host.attention_out(host.z(x, layer), layer)
            normed = host.mlp_in(mid, layer)
            features.append(cross.encode(normed, layer))
            out = cross.write(features, layer) if write else torch.zeros_like(mid)
            x = mid + (out if first else keep_first(out, host.mlp_out(normed, layer)))
        return host.logits(x)

    for part in ids.split(rows):
        seen, keep = host.run(part), counted(part, special)
        features = [cross.encode(x, layer) for layer, x in enumerate(seen["mlp_in"])]
        for layer, y in enumerate(seen["mlp_out"]):
            sums[layer].add(features[layer][keep], y[keep], cross.write(features, layer)[keep])
        ce["clean"] = ce.get("clean", 0) + cross_entropy(seen["logits"], part)
        for name, write in (("spliced", True), ("zero", False)):
            for place, first in (("", False), ("_everywhere", True)):
                ce[name + place] = ce.get(name + place, 0) + cross_entropy(replaced(part, write, first), part)
        predicted += part[:, 1:].numel()
    layers = [s.figures() for s in sums]
    miss, n = sum(s.miss for s in sums), sums[0].n
    spread = sum(s.square - (s.total.square().sum() / s.n).item() for s in sums)
    return {"tokens": n, "l0": round(sum(f["l0"] for f in layers), 2), "fve": round(1 - miss / spread, 4),
            "silent_share": round(sum(f["silent_share"] for f in layers) / len(layers), 4), "layers": layers} \
        | losses_figures(ce, predicted)
