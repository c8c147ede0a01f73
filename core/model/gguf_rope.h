#pragma once
// The rotation of a model in GGUF form: metadata rope.*, and tensors with a factor for each frequency.
#include <cstdint>

#include "core/model/gguf_architectures.h"

namespace vitrine::model {

/// Adds rope_parameters to a config. unsupported, by name, for a scaling that Vitrine does not compute.
Status add_gguf_rotation(const GgufSource& source, std::int64_t head_width, Json& config);

} // namespace vitrine::model
