"""Where a dictionary sits in the model: what it reads, what it stands for, and the run with its output instead."""
from dataclasses import dataclass


@dataclass(frozen=True)
class Site:
    kind: str  # transcoder, resid, z
    layer: int

    @property
    def hook_in(self):
        name = {"transcoder": "mlp.hook_in", "resid": "hook_resid_post", "z": "attn.hook_z"}[self.kind]
        return f"blocks.{self.layer}.{name}"

    @property
    def hook_out(self):
        return f"blocks.{self.layer}.hook_mlp_out" if self.kind == "transcoder" else self.hook_in

    def values(self, seen):
        """(what the dictionary reads, what it should write) of a run of the host, [rows, positions, d]."""
        read, write = {"transcoder": ("mlp_in", "mlp_out"), "resid": ("post", "post"), "z": ("z", "z")}[self.kind]
        return seen[read][self.layer].float(), seen[write][self.layer].float()

    def spliced(self, host, seen, written):
        """hook_resid_post of the layer when the dictionary writes `written`."""
        if self.kind == "resid":
            return written
        if self.kind == "transcoder":
            return seen["mid"][self.layer] + written
        return host.after_attention(seen["pre"][self.layer] + host.attention_out(written, self.layer), self.layer)
