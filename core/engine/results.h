#pragma once
// Typed results of analyses: what figures, tables and exports are made from.
#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"

namespace vitrine::engine {

/// One axis of a result.
struct ResultAxis {
    std::string name;
    std::int64_t size = 0;
    std::vector<std::string> labels; ///< empty, or one for each index
    bool ragged = false;             ///< ends early in shorter rows, see ResultValue::lengths
};

/// A typed result of an analysis.
struct ResultValue {
    std::string name;
    std::string kind; ///< matrix, series, table, scores, histogram, graph, stack, features, text, number
    std::vector<ResultAxis> axes;
    std::vector<double> data; ///< row-major over axes; empty for table, graph, features and text
    Json json;                ///< table: array of objects; graph: nodes and edges; text: a string
    /// Where rows differ in length: entries of each row along its ragged axes (the first axis is `row`).
    /// Those axes are as large as the longest row needs, and `data` is NaN beyond the end of a row.
    std::vector<std::int64_t> lengths;
    bool whole = false; ///< ids or counts: written without a fraction
};

/// The data as the command line prints it: nested arrays in the order of the axes, ragged rows cut to their
/// length, null for what is not finite; or the table, graph or text.
Json data_to_json(const ResultValue& result);

/// Whether an index (one entry an axis) lies beyond the end of its row, where there is no value.
bool is_beyond_row(const ResultValue& result, const std::vector<std::int64_t>& index);

/// {"name","kind","axes":[{"name","size","labels"}],"data"}, with "lengths" where rows differ.
Json to_json(const ResultValue& result);

} // namespace vitrine::engine
