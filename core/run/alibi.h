#pragma once
#include "core/base/tensor.h"
#include "core/model/spec.h"

namespace vitrine::run {

/// What ALiBi adds to the scores of each head and key, [heads, keys], in float32 as `transformers` makes it.
SharedTensor alibi_table(const model::ModelSpec& spec, int keys);

} // namespace vitrine::run
