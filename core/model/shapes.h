#pragma once
// Models that exist only in memory, for measuring: a known shape, random weights.
#include <string>
#include <vector>

#include "core/model/model.h"

namespace vitrine::model {

/// "gpt2-small", "llama-160m", "llama-1.1b".
const std::vector<std::string>& shape_names();

/// A model of that shape whose weights are drawn from one table of random numbers, uniform with standard
/// deviation 0.02, the same at every call; norms' weights are one. A matrix larger than the table sees parts
/// of it more than once, so that the model takes 16 MiB beside what a backend makes of it. not_found names
/// the shapes there are.
Result<Model> shape_model(const std::string& name);

} // namespace vitrine::model
