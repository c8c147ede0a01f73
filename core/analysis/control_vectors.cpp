#include "core/analysis/control_vectors.h"

#include <cmath>
#include <set>
#include <utility>
#include <vector>

namespace vitrine::analysis {

namespace {

constexpr double pi = 3.14159265358979323846;

/// In (0, 1].
double uniform(std::mt19937_64& random) { return (static_cast<double>(random() >> 11) + 1) * 0x1p-53; }

} // namespace

double gaussian(std::mt19937_64& random) {
    const double radius = std::sqrt(-2 * std::log(uniform(random)));
    return radius * std::cos(2 * pi * uniform(random));
}

sdk::ArrayData random_of_equal_norm(const sdk::ArrayData& change, std::int64_t group, bool causal,
                                    std::mt19937_64& random) {
    sdk::ArrayData out{change.shape, std::vector<float>(change.data.size())};
    const auto width = static_cast<std::size_t>(group);
    std::vector<double> direction(width);
    for (std::size_t begin = 0, index = 0; begin < change.data.size(); begin += width, ++index) {
        const std::size_t seen = causal ? index % width + 1 : width;
        double wanted = 0, norm = 0;
        for (std::size_t i = 0; i < seen; ++i) {
            const auto x = static_cast<double>(change.data[begin + i]);
            wanted += x * x;
            direction[i] = gaussian(random);
            norm += direction[i] * direction[i];
        }
        const double factor = std::sqrt(wanted / norm);
        for (std::size_t i = 0; i < seen; ++i)
            out.data[begin + i] = static_cast<float>(direction[i] * factor);
    }
    return out;
}

sdk::Row unrelated_row(const sdk::ModelFacts& model, const sdk::Row& like, std::mt19937_64& random) {
    std::set<std::int32_t> special(model.special_ids.begin(), model.special_ids.end());
    if (model.bos) special.insert(*model.bos);
    if (special.size() >= static_cast<std::size_t>(model.vocab)) special.clear();
    sdk::Row row = like;
    row.tokens.clear();
    row.special.resize(row.ids.size(), false);
    for (std::size_t i = 0; i < row.ids.size(); ++i) {
        if (i == 0 && (row.special[0] || special.contains(row.ids[0]))) continue;
        row.special[i] = false;
        do
            row.ids[i] = static_cast<std::int32_t>(random() % static_cast<std::uint64_t>(model.vocab));
        while (special.contains(row.ids[i]));
    }
    return row;
}

sdk::ArrayData copy_of(sdk::View values) {
    sdk::ArrayData copy;
    for (int axis = 0; axis < values.rank(); ++axis)
        copy.shape.push_back(values.size(axis));
    copy.data.assign(values.begin(), values.end());
    return copy;
}

std::shared_ptr<const sdk::ArrayData> shared(sdk::ArrayData array) {
    return std::make_shared<const sdk::ArrayData>(std::move(array));
}

} // namespace vitrine::analysis
