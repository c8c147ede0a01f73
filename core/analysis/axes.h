#pragma once
// Results of common shape.
#include <algorithm>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

/// A matrix over all heads, filled with `value`.
inline sdk::ResultData layer_by_head(const std::string& name, const sdk::ModelFacts& model,
                                     double value = 0) {
    auto result = sdk::ResultData::array(name, "matrix", {{"layer", model.layers}, {"head", model.heads}});
    std::fill(result.data.begin(), result.data.end(), value);
    return result;
}

/// An array per row, as the command line has it: with more than one row a leading axis `row`. Axes named
/// in `over_tokens` are as long as the longest row and carry the tokens as labels if there is one row.
inline sdk::ResultData per_row(const std::string& name, const std::string& kind,
                               const std::vector<sdk::Row>& rows, std::vector<sdk::Axis> axes,
                               const std::vector<std::string>& over_tokens) {
    std::vector<int> lengths;
    for (const sdk::Row& row : rows)
        lengths.push_back(row.size());
    const int longest = *std::max_element(lengths.begin(), lengths.end());
    const bool same = std::all_of(lengths.begin(), lengths.end(), [&](int n) { return n == longest; });
    std::vector<sdk::Axis> all;
    if (rows.size() > 1) all.push_back({"row", static_cast<std::int64_t>(rows.size()), {}});
    all.insert(all.end(), std::make_move_iterator(axes.begin()), std::make_move_iterator(axes.end()));
    for (const std::string& axis_name : over_tokens) {
        sdk::Axis axis{axis_name, longest, {}, !same};
        if (rows.size() == 1) axis.labels = rows.front().tokens;
        all.push_back(std::move(axis));
    }
    auto result = sdk::ResultData::array(name, kind, std::move(all));
    if (!same) result.lengths = std::move(lengths);
    return result;
}

} // namespace vitrine::analysis
