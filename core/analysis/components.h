#pragma once
// Heads, attention layers and MLPs by the names that people write.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/sdk/input.h"

namespace vitrine::analysis {

/// "L5H0", or "M3" (head −1).
struct Node {
    int layer = 0, head = -1;

    friend bool operator==(const Node&, const Node&) = default;
};

/// A number from the whole text.
std::optional<int> number_in(std::string_view text);

/// Nothing where the text is neither a head nor an MLP of the model.
std::optional<Node> node_named(std::string_view text, const sdk::ModelFacts& model);
std::string name_of(const Node& node);

} // namespace vitrine::analysis
