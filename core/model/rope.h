#pragma once
// Frequencies of rotary embedding from a config, in the forms of all versions of transformers: every type of
// scaling that it knows for text.
#include "core/model/config.h"

namespace vitrine::model {

/// What a family assumes where its config is silent, and what its older configs call things.
struct RopeDefaults {
    double theta = 10000.0;
    double share = 1.0; ///< of a head's dimensions that rotate
    const char* theta_key = "rope_theta";
    const char* share_key = "partial_rotary_factor";
    int original_context = 0; ///< 0: max_position_embeddings
    /// Member of rope_parameters that holds the parameters, where they are given by layer type.
    const char* layer_type = nullptr;
    bool scaled = true; ///< false: an older config's rope_scaling is not for these layers (Gemma 3)
};

/// theta^(−2i/dims), unscaled.
RotarySpec plain_rope(int dims, double theta);

/// Inverse frequencies and what goes with them, in float32 as `transformers` computes them. Scaling: default,
/// linear, dynamic (NTK), yarn, longrope (su), llama3. Errors: malformed by member; unsupported by type.
Result<RotarySpec> rope_of(const Config& config, const ModelSpec& spec, const RopeDefaults& defaults = {});

/// Sets spec.positional, one rotation for all layers, and the context that dynamic scaling reaches.
Status rotate_all(ModelSpec& spec, const Config& config, const RopeDefaults& defaults = {});

} // namespace vitrine::model
