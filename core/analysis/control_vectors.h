#pragma once
// Controls of analyses of causes: changes of the same size that mean nothing.
#include <cstdint>
#include <memory>
#include <random>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// A standard normal number; the same on every machine for the same state of the generator.
double gaussian(std::mt19937_64& random);

/// A random direction for every `group` consecutive numbers of `change`, with the norm that the change has
/// there. With `causal` the groups are rows of a pattern [head, query, key], and keys after the query stay 0.
sdk::ArrayData random_of_equal_norm(const sdk::ArrayData& change, std::int64_t group, bool causal,
                                    std::mt19937_64& random);

/// A row as long as `like` that has nothing to do with it: its first token where that is special, then random
/// ordinary ids.
sdk::Row unrelated_row(const sdk::ModelFacts& model, const sdk::Row& like, std::mt19937_64& random);

sdk::ArrayData copy_of(sdk::View values);
std::shared_ptr<const sdk::ArrayData> shared(sdk::ArrayData array);

} // namespace vitrine::analysis
