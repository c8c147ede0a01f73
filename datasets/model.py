"""A Llama for training, with the parameter names of Hugging Face's LlamaForCausalLM."""
import torch
import torch.nn.functional as F
from torch import nn

BASE = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 4096, "hidden_act": "silu",
        "max_position_embeddings": 512, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "rope_scaling": None,
        "attention_bias": False, "mlp_bias": False, "attention_dropout": 0.0, "tie_word_embeddings": True,
        "bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 2, "initializer_range": 0.02, "use_cache": True,
        "torch_dtype": "float16"}


def config(d, layers, heads, ff, width=None):
    return BASE | {"hidden_size": d, "num_hidden_layers": layers, "num_attention_heads": heads,
                   "num_key_value_heads": heads, "head_dim": width or d // heads, "intermediate_size": ff}


CONFIGS = {"vitrine-tiny": config(256, 8, 8, 688), "vitrine-tiny-sibling": config(64, 2, 4, 128, 32),
           "test": config(64, 2, 4, 128)}


class RMSNorm(nn.Module):
    def __init__(self, d):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(d))

    def forward(self, x):
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + 1e-5)
        return (y * self.weight).to(x.dtype)


class Attention(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, inner = c["hidden_size"], c["num_attention_heads"] * c["head_dim"]
        self.heads = c["num_attention_heads"]
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(d, inner, bias=False) for _ in range(3))
        self.o_proj = nn.Linear(inner, d, bias=False)

    def forward(self, x, cos, sin):
        b, t, _ = x.shape
        q, k, v = (p(x).view(b, t, self.heads, -1).transpose(1, 2) for p in (self.q_proj, self.k_proj, self.v_proj))

        def rotate(y):
            half = y.shape[-1] // 2
            return (y * cos + torch.cat((-y[..., half:], y[..., :half]), -1) * sin).to(v.dtype)

        z = F.scaled_dot_product_attention(rotate(q), rotate(k), v, is_causal=True)
        return self.o_proj(z.transpose(1, 2).reshape(b, t, -1))


class MLP(nn.Module):
    def __init__(self, c):
        super().__init__()
        d, ff = c["hidden_size"], c["intermediate_size"]
        self.gate_proj, self.up_proj = nn.Linear(d, ff, bias=False), nn.Linear(d, ff, bias=False)
        self.down_proj = nn.Linear(ff, d, bias=False)

    def forward(self, x):
        return self.down_proj(F.silu(self.gate_proj(x)) * self.up_proj(x))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.input_layernorm, self.self_attn = RMSNorm(c["hidden_size"]), Attention(c)
        self.post_attention_layernorm, self.mlp = RMSNorm(c["hidden_size"]), MLP(c)

    def forward(self, x, cos, sin):
        x = x + self.self_attn(self.input_layernorm(x), cos, sin)
        return x + self.mlp(self.post_attention_layernorm(x))


class Decoder(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.embed_tokens = nn.Embedding(c["vocab_size"], c["hidden_size"])
        self.layers = nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.norm = RMSNorm(c["hidden_size"])


class Llama(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.model = Decoder(c)
        width = c["head_dim"]
        f = c["rope_theta"] ** -(torch.arange(0, width, 2).float() / width)
        angle = torch.arange(c["max_position_embeddings"]).float()[:, None] * torch.cat((f, f))
        self.register_buffer("cos", angle.cos(), persistent=False)
        self.register_buffer("sin", angle.sin(), persistent=False)
        for name, p in self.named_parameters():
            if p.dim() == 2:
                last = name.endswith(("o_proj.weight", "down_proj.weight"))
                nn.init.normal_(p, std=0.02 / ((2 * c["num_hidden_layers"]) ** 0.5 if last else 1))

    def forward(self, ids):
        x = self.model.embed_tokens(ids)
        cos, sin = self.cos[:ids.shape[1]], self.sin[:ids.shape[1]]
        for block in self.model.layers:
            x = block(x, cos, sin)
        return F.linear(self.model.norm(x), self.model.embed_tokens.weight.to(x.dtype))
