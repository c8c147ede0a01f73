#pragma once
// Where a model's parameters and bytes are.
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/model/model.h"

namespace vitrine::model {

/// A part of a model: "embedding", "position embedding", "attention", "MLP", "norms", "unembedding", "other".
struct Part {
    std::string name;
    std::int64_t parameters = 0;
    std::size_t bytes = 0;                              ///< as the file stores them
    std::vector<std::pair<DType, std::int64_t>> dtypes; ///< parameters by element type, most first
};

/// Every part that the model has, largest first. A tied unembedding is the embedding again and counts once.
std::vector<Part> parts_of(const Model& model);

/// Their sum, named "all".
Part sum_of(const std::vector<Part>& parts);

} // namespace vitrine::model
