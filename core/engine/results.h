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
};

/// A typed result of an analysis.
struct ResultValue {
    std::string name;
    std::string kind; ///< matrix, series, table, scores, histogram, graph, stack, features, text, number
    std::vector<ResultAxis> axes;
    std::vector<double> data; ///< row-major over axes; empty for table, graph, features and text
    Json json;                ///< table: array of objects; graph: nodes and edges; text: a string
};

} // namespace vitrine::engine
