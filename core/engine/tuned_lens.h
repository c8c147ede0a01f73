#pragma once
// Tuned lenses as the package tuned-lens saves them (Belrose et al. 2023).
#include <filesystem>
#include <map>
#include <string>

#include "core/base/json.h"
#include "core/base/tensor.h"
#include "core/model/spec.h"

namespace vitrine::engine {

struct TunedLens {
    /// "lens.I.W" [d_model, d_model] as [in, out] and "lens.I.b" [1, d_model], which a lens without biases
    /// lacks: the residual stream x before block I reads as x + x · W + b.
    std::map<std::string, Tensor> weights;
    std::string base_model; ///< that the lens was trained for, as its config names it; may be empty
    std::string hash;       ///< SHA-256 of the file of weights
};

/// From a folder with `params.pt` and `config.json`, or from either of the two. Errors: not_found; malformed;
/// unsupported, in words, where the lens was made for a model of another shape or is of another type.
Result<TunedLens> read_tuned_lens(const std::filesystem::path& path, const model::ModelSpec& model);

} // namespace vitrine::engine
