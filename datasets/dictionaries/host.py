"""The model that dictionaries are trained on: a Llama whose run can be read and spliced at every hook."""
import hashlib
import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file


def load(path):
    """(config, weights by Hugging Face's names, SHA-256) of a folder with model.safetensors, or of a GGUF file.

    A GGUF file needs the packages transformers and gguf, which widen its numbers.
    """
    path = Path(path)
    if path.suffix == ".gguf":
        from transformers import AutoModelForCausalLM
        model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32)
        config, state, file = model.config.to_dict(), model.state_dict(), path
        config["rope_theta"] = config.get("rope_theta") or config["rope_parameters"]["rope_theta"]
    else:
        file = path / "model.safetensors"
        config, state = json.loads((path / "config.json").read_text()), load_file(file)
    return config, state, hashlib.sha256(file.read_bytes()).hexdigest()


class Host:
    """Weights in float32; the products run in whatever torch.autocast says. Positions count from the left."""

    def __init__(self, config, state, device):
        self.device, self.layers = device, config["num_hidden_layers"]
        self.d, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.kv_heads, self.eps = config["num_key_value_heads"], config["rms_norm_eps"]
        self.width = config.get("head_dim") or self.d // self.heads
        self.vocabulary = config["vocab_size"]
        self.w = {k.removeprefix("model."): v.float().to(device) for k, v in state.items()}
        f = config["rope_theta"] ** -(torch.arange(0, self.width, 2, device=device).float() / self.width)
        angle = torch.arange(config["max_position_embeddings"], device=device).float()[:, None] * torch.cat((f, f))
        self.cos, self.sin = angle.cos(), angle.sin()

    def norm(self, x, name):
        return F.rms_norm(x, (self.d,), self.w[f"{name}.weight"], self.eps)

    def linear(self, x, layer, name):
        return F.linear(x, self.w[f"layers.{layer}.{name}.weight"])

    def rotate(self, x):
        half, t = self.width // 2, x.shape[-2]
        turned = torch.cat((-x[..., half:], x[..., :half]), -1)
        return (x * self.cos[:t] + turned * self.sin[:t]).to(x.dtype)

    def z(self, x, layer):
        """hook_z of the layer for its hook_resid_pre, heads side by side."""
        b, t, _ = x.shape
        normed = self.norm(x, f"layers.{layer}.input_layernorm")
        q, k, v = (self.linear(normed, layer, f"self_attn.{n}_proj").view(b, t, -1, self.width).transpose(1, 2)
                   for n in "qkv")
        z = F.scaled_dot_product_attention(self.rotate(q), self.rotate(k), v, is_causal=True,
                                           enable_gqa=self.kv_heads != self.heads)
        return z.transpose(1, 2).reshape(b, t, -1)

    def attention_out(self, z, layer):
        return self.linear(z, layer, "self_attn.o_proj")

    def mlp_in(self, mid, layer):
        return self.norm(mid, f"layers.{layer}.post_attention_layernorm")

    def mlp_out(self, normed, layer):
        gate, up = (self.linear(normed, layer, f"mlp.{n}_proj") for n in ("gate", "up"))
        return self.linear(F.silu(gate) * up, layer, "mlp.down_proj")

    def after_attention(self, mid, layer):
        return mid + self.mlp_out(self.mlp_in(mid, layer), layer)

    def block(self, x, layer):
        return self.after_attention(x + self.attention_out(self.z(x, layer), layer), layer)

    def embed(self, ids):
        return F.embedding(ids, self.w["embed_tokens.weight"])

    def logits(self, x):
        return F.linear(self.norm(x, "norm"), self.w.get("lm_head.weight", self.w["embed_tokens.weight"]))

    def run(self, ids, last=None):
        """Lists by layer of pre, z, mid, mlp_in, mlp_out, post, up to the layer `last`; logits if it is None."""
        seen = {name: [] for name in ("pre", "z", "mid", "mlp_in", "mlp_out", "post")}
        x = self.embed(ids)
        for layer in range(self.layers if last is None else last + 1):
            z = self.z(x, layer)
            mid = x + self.attention_out(z, layer)
            normed = self.mlp_in(mid, layer)
            out = self.mlp_out(normed, layer)
            for name, value in zip(seen, (x, z, mid, normed, out, mid + out)):
                seen[name].append(value)
            x = mid + out
        seen["logits"] = self.logits(x) if last is None else None
        return seen

    def tails(self, joins):
        """Logits for hook_resid_post values that join after their layers.

        joins: (layer, [rows, positions, d]) in order of layers; a list of logits in that order. All rows that have
        joined so far run together.
        """
        x = None
        for layer in range(joins[0][0], self.layers):
            if x is not None:
                x = self.block(x, layer)
            if new := [y for at, y in joins if at == layer]:
                x = torch.cat(([] if x is None else [x]) + new)
        return self.logits(x).split([len(y) for _, y in joins])
