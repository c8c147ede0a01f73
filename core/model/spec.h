#pragma once
// What a decoder computes, as fields: everything in which families differ. A family's file fills it from its
// config; nothing after that knows the family's name.
#include <cstddef>
#include <string>
#include <vector>

namespace vitrine::model {

enum class NormKind { layer, rms };
enum class Activation {
    gelu,
    gelu_tanh,
    silu,
    relu,
    identity, ///< none: x itself
};
enum class Positional { learned, rotary, alibi, none };

/// y = (x − mean) / √(variance + eps) · w + b for `layer`; y = x / √(mean of squares + eps) · w for `rms`.
/// Gemma's 1 + w is made when the weights are bound.
struct NormSpec {
    NormKind kind = NormKind::layer;
    float eps = 1e-5F;
};

/// Where a block's norms stand.
enum class NormPlace {
    before,        ///< ln1 and ln2 on what attention and MLP read
    branch_output, ///< ln1_post and ln2_post on what they write; they read the residual stream (OLMo 2)
    sandwich,      ///< both: ln1, ln1_post, ln2, ln2_post (Gemma 2 and 3)
    after_sum,     ///< ln1 on the sum with attention's output, ln2 on that with the MLP's (OPT-350m):
                   ///< hook_resid_mid and hook_resid_post are what the norms give
};

/// Norms of queries and keys, before rotation: weights blocks.i.attn.q_norm.w, .b and k_norm.w, .b.
enum class QkNorm {
    none,
    head,     ///< over each head, one weight [d_head] for all (Qwen3, Gemma 3)
    per_head, ///< over each head, weight [heads · d_head] (Cohere, StableLM)
    whole,    ///< over the whole vector, weight [heads · d_head] (OLMo 2)
};

/// Rotary position embedding (Su et al. 2021). Angle of pair i at position p is p · inverse_frequency[i],
/// computed in float32 as `transformers` does.
struct RotarySpec {
    int dims = 0;                         ///< rotated dimensions of a head, the first ones; even
    bool interleaved = false;             ///< pairs (2i, 2i+1) instead of (i, i + dims/2)
    float scale = 1.0F;                   ///< factor on cos and sin
    std::vector<float> inverse_frequency; ///< dims / 2 entries

    /// Rows of more than this many tokens, the cached part included, are rotated otherwise, all tokens of
    /// them alike; 0: no row is. Then either `long_inverse_frequency` or `dynamic_factor` is set.
    int long_from = 0;
    std::vector<float> long_inverse_frequency; ///< of longrope; `scale` holds for both lists
    /// Dynamic NTK: a row of n > long_from = L tokens is rotated with base
    /// dynamic_theta · (factor · n / L − (factor − 1))^(dims / (dims − 2)).
    double dynamic_factor = 0;
    double dynamic_theta = 0;
};

/// How the bias slope · k of ALiBi (Press et al. 2022) is made and added to scaled scores.
enum class AlibiKind {
    plain, ///< slope · k (BLOOM, MPT)
    falcon ///< bfloat16(bfloat16(slope) · bfloat16(k)) / √d_head
};

struct ModelSpec {
    std::string family; ///< "gpt2", "llama", … for display only
    int layers = 0;
    int d_model = 0;
    int heads = 0;
    int kv_heads = 0; ///< heads of keys and values; divides `heads`
    int d_head = 0;
    int d_ff = 0;
    int vocab = 0;
    int context = 0; ///< longest row

    // Embedding and read-out.
    bool tied = false;            ///< W_U is W_E transposed
    float embedding_scale = 1.0F; ///< on W_E's rows, before hook_embed
    /// Width of W_E and W_U where they are narrower than d_model; weights embed.W_in [embed_width, d_model]
    /// and unembed.W_in [d_model, embed_width] then project (OPT-350m). 0: d_model. hook_embed and
    /// unembed.hook_in are d_model wide.
    int embed_width = 0;
    bool embed_norm = false;  ///< embed.ln.w, .b on the embedding (BLOOM); hook_embed is after it
    bool final_norm = true;   ///< ln_final before the unembedding
    float logit_scale = 1.0F; ///< on logits, before the cap
    float logit_cap = 0.0F;   ///< cap · tanh(logit / cap); 0: none

    // Blocks.
    NormSpec norm;
    NormPlace norm_place = NormPlace::before;
    bool parallel = false;       ///< attention and MLP read the same residual and are added together: no
                                 ///< hook_resid_mid
    bool shared_norm = false;    ///< with `parallel`: both read ln1's output, there is no ln2
    float residual_scale = 1.0F; ///< on each branch; hook_attn_out and hook_mlp_out are after it, what is
                                 ///< added to the residual stream
    Activation activation = Activation::gelu;
    bool gated = false; ///< post = act(pre) · pre_linear

    // Positions.
    Positional positional = Positional::none;
    int position_offset = 0; ///< row of W_pos that position 0 reads (OPT: 2)
    std::vector<RotarySpec> rotaries;
    std::vector<int> rotary_of_layer; ///< index into `rotaries`, −1: does not rotate; empty: all use 0
    std::vector<float> alibi_slopes;  ///< [heads]
    AlibiKind alibi = AlibiKind::plain;

    // Attention. Order: projection, hook_q, clip, norm, hook_q_normed, rotation, hook_rot_q; scores = q·k ·
    // scale, cap, bias of positions, mask.
    float attention_scale = 1.0F;             ///< factor on q·k
    std::vector<float> layer_attention_scale; ///< per layer, instead of attention_scale; empty: the same
    float score_cap = 0.0F;                   ///< cap · tanh(score / cap); 0: none
    float qkv_clip = 0.0F;                    ///< q, k and v are held within ± this; 0: they are not
    QkNorm qk_norm = QkNorm::none;
    NormSpec qk_norm_spec;
    std::vector<int> window; ///< per layer: keys q − window < k ≤ q are visible; 0 or absent: all k ≤ q

    /// Window of a layer, 0 if it sees all keys.
    int window_of(int layer) const { return window.empty() ? 0 : window[static_cast<std::size_t>(layer)]; }
    /// Index of a layer's rotation, −1 if it does not rotate.
    int rotary_index(int layer) const {
        if (positional != Positional::rotary) return -1;
        return rotary_of_layer.empty() ? 0 : rotary_of_layer[static_cast<std::size_t>(layer)];
    }
    float attention_scale_of(int layer) const {
        return layer_attention_scale.empty() ? attention_scale
                                             : layer_attention_scale[static_cast<std::size_t>(layer)];
    }
    /// Whether ln1 and ln2 stand before attention and MLP.
    bool norms_before() const { return norm_place == NormPlace::before || norm_place == NormPlace::sandwich; }
    /// Whether ln1_post and ln2_post stand behind them.
    bool norms_branches() const {
        return norm_place == NormPlace::branch_output || norm_place == NormPlace::sandwich;
    }
    /// Whether what attention and MLP write is changed before it is added to the residual stream: then
    /// attn.hook_out and mlp.hook_out are hooks of their own.
    bool changes_branches() const { return norms_branches() || residual_scale != 1.0F; }
    /// Width of W_E's rows and of W_U's columns.
    int width_of_embedding() const { return embed_width > 0 ? embed_width : d_model; }
};

/// "gelu_tanh", "rms", … as the command line prints them.
std::string name_of(NormKind kind);
std::string name_of(NormPlace place);
std::string name_of(QkNorm norm);
std::string name_of(Activation activation);
std::string name_of(Positional positional);

} // namespace vitrine::model
