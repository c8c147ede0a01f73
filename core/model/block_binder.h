#pragma once
// What the families' bindings have in common: the ends of a model and the parts of a block, whose shapes
// follow from the spec. A bias is bound where the file has one.
#include <functional>
#include <string>

#include "core/model/binder.h"

namespace vitrine::model {

/// Norms that multiply by 1 + w are given `plus` = 1.
struct NormTensors {
    float plus = 0.0F;
};

/// The matrices of a block.
enum class Part { Q, K, V, O, gate, in, out };

/// How a fused projection lays out its outputs.
enum class Fused {
    in_turn,  ///< all queries, all keys, all values
    by_group, ///< for each key head: its queries, its key, its value
};

/// nn.Linear or its transpose under "PREFIXW_PART" and "PREFIXb_PART".
Status bind_linear(Binder& binder, const std::string& prefix, const std::string& part,
                   const std::string& tensor, std::int64_t in, std::int64_t out,
                   Stored stored = Stored::out_in, Slice slice = {});

/// "OURS.w" and "OURS.b".
Status bind_norm(Binder& binder, const std::string& ours, const std::string& tensor, std::int64_t size,
                 NormTensors norm = {});

/// Tensors of block `layer`, whose names begin with "PREFIXlayer.".
class BlockBinder {
public:
    BlockBinder(const ModelSpec& spec, Binder& binder, const std::string& prefix, int layer);

    /// A norm over d_model: "ln1", "ln2", "ln1_post", "ln2_post".
    Status norm(const char* ours, const std::string& tensor, NormTensors norm = {}) const;
    Status linear(Part part, const std::string& tensor, Stored stored = Stored::out_in) const;
    Status fused_qkv(const std::string& tensor, Fused layout, Stored stored = Stored::out_in) const;
    /// Gate and up projection in one matrix, in this order.
    Status fused_gate(const std::string& tensor) const;
    /// q_proj, k_proj, v_proj below `prefix` and the output projection's own name.
    Status attention(const std::string& prefix, const std::string& output) const;
    /// gate_proj, up_proj and down_proj below "mlp.".
    Status gated_mlp() const;
    /// Norms of queries and keys, sized as spec.qk_norm says.
    Status qk_norm(const std::string& query, const std::string& key, NormTensors norm = {}) const;

    const std::string& ours() const { return ours_; }     ///< "blocks.3."
    const std::string& theirs() const { return theirs_; } ///< "layers.3."
    const ModelSpec& spec() const { return spec_; }
    Binder& binder() const { return binder_; }

private:
    const ModelSpec& spec_;
    Binder& binder_;
    std::string ours_;
    std::string theirs_;
};

/// Calls `bind` for every block.
Status bind_blocks(const ModelSpec& spec, Binder& binder, const std::string& prefix,
                   const std::function<Status(const BlockBinder&)>& bind);

/// Names of what lies outside of the blocks; empty where a family has none.
struct Ends {
    const char* embedding = "embed_tokens";
    const char* positions = ""; ///< a table of context + position_offset rows
    const char* norm = "norm";
    const char* unembedding = "lm_head";
    NormTensors norm_tensors = {};
};

/// W_E, W_pos, ln_final and unembed.W_U: the transpose of W_E if spec.tied, else a matrix of its own.
Status bind_ends(const ModelSpec& spec, Binder& binder, const Ends& ends = {});

} // namespace vitrine::model
