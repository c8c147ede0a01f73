#include "core/engine/results.h"

#include <algorithm>
#include <cmath>

namespace vitrine::engine {

namespace {

Json nested(const ResultValue& result, std::size_t axis, std::int64_t row, std::int64_t& offset) {
    if (axis == result.axes.size()) {
        const double value = result.data[static_cast<std::size_t>(offset++)];
        if (!std::isfinite(value)) return nullptr;
        return result.whole ? Json(static_cast<std::int64_t>(value)) : Json(value);
    }
    const ResultAxis& current = result.axes[axis];
    std::int64_t part = 1; // elements of one index of this axis
    for (std::size_t inner = axis + 1; inner < result.axes.size(); ++inner)
        part *= result.axes[inner].size;
    std::int64_t kept = current.size;
    if (current.ragged && row >= 0) kept = std::min(kept, result.lengths[static_cast<std::size_t>(row)]);
    const std::int64_t begin = offset;
    Json list = Json::array();
    for (std::int64_t i = 0; i < kept; ++i) {
        offset = begin + i * part;
        list.push_back(nested(result, axis + 1, axis == 0 ? i : row, offset));
    }
    offset = begin + current.size * part;
    return list;
}

} // namespace

Json data_to_json(const ResultValue& result) {
    if (result.data.empty() && result.axes.empty()) return result.json;
    std::int64_t offset = 0;
    return nested(result, 0, -1, offset);
}

bool is_beyond_row(const ResultValue& result, const std::vector<std::int64_t>& index) {
    for (std::size_t axis = 0; axis < result.axes.size(); ++axis)
        if (result.axes[axis].ragged &&
            index[axis] >= result.lengths[static_cast<std::size_t>(index.front())])
            return true;
    return false;
}

Json to_json(const ResultValue& result) {
    Json axes = Json::array();
    for (const ResultAxis& axis : result.axes)
        axes.push_back({{"name", axis.name}, {"size", axis.size}, {"labels", axis.labels}});
    Json json = {{"name", result.name}, {"kind", result.kind}, {"axes", std::move(axes)}};
    if (!result.lengths.empty()) json["lengths"] = result.lengths;
    json["data"] = data_to_json(result);
    return json;
}

} // namespace vitrine::engine
