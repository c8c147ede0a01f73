#pragma once
// What a decoder computes, as fields: everything in which families differ. A family's file fills it from its
// config; nothing after that knows the family's name.
#include <string>
#include <vector>

namespace vitrine::model {

enum class NormKind { layer, rms };
enum class Activation { gelu, gelu_tanh, silu, relu };
enum class Positional { learned, rotary, none };

/// y = (x − mean) / √(variance + eps) · w + b for `layer`; y = x / √(mean of squares + eps) · w for `rms`.
struct NormSpec {
    NormKind kind = NormKind::layer;
    float eps = 1e-5F;
};

/// Rotary position embedding (Su et al. 2021). Angle of pair i at position p is p · inverse_frequency[i],
/// computed in float32 as `transformers` does.
struct RotarySpec {
    int dims = 0;                         ///< rotated dimensions of a head, the first ones; even
    bool interleaved = false;             ///< pairs (2i, 2i+1) instead of (i, i + dims/2)
    float scale = 1.0F;                   ///< factor on cos and sin
    std::vector<float> inverse_frequency; ///< dims / 2 entries
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

    NormSpec norm;
    Activation activation = Activation::gelu;
    bool gated = false; ///< post = act(pre) · pre_linear
    Positional positional = Positional::none;
    RotarySpec rotary;
    float attention_scale = 1.0F; ///< factor on q·k
    float embedding_scale = 1.0F;
    bool tied = false;       ///< W_U is W_E transposed
    std::vector<int> window; ///< per layer: keys q − window < k ≤ q are visible; 0 or absent: all k ≤ q

    /// Window of a layer, 0 if it sees all keys.
    int window_of(int layer) const { return window.empty() ? 0 : window[static_cast<std::size_t>(layer)]; }
};

/// "gelu_tanh", "rms", … as the command line prints them.
std::string name_of(NormKind kind);
std::string name_of(Activation activation);
std::string name_of(Positional positional);

} // namespace vitrine::model
