#include "core/run/rotary.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace vitrine::run {

namespace {

/// Tables are rounded up to this many positions, so that plans of like size share a shape.
constexpr int step = 256;

/// Rows of the same kind share a table: 0 short, 1 long, or with dynamic rotation the row's length.
int kind_of(const model::RotarySpec& rotary, int length) {
    if (rotary.long_from == 0 || length <= rotary.long_from) return 0;
    return rotary.dynamic_factor > 0 ? length : 1;
}

std::vector<float> frequencies_of(const model::RotarySpec& rotary, int kind) {
    if (kind == 0) return rotary.inverse_frequency;
    if (rotary.dynamic_factor <= 0) return rotary.long_inverse_frequency;
    const auto factor = static_cast<float>(rotary.dynamic_factor);
    const float share = factor * static_cast<float>(kind) / static_cast<float>(rotary.long_from);
    const float exponent = static_cast<float>(rotary.dims) / static_cast<float>(rotary.dims - 2);
    const float base = static_cast<float>(rotary.dynamic_theta) * std::pow(share - (factor - 1.0F), exponent);
    std::vector<float> frequencies;
    for (int i = 0; i < rotary.dims; i += 2)
        frequencies.push_back(1.0F / std::pow(base, static_cast<float>(i) / static_cast<float>(rotary.dims)));
    return frequencies;
}

} // namespace

RotaryTables rotary_tables(const model::RotarySpec& rotary, const Batch& batch) {
    std::map<int, int> positions; // by kind
    for (int row = 0; row < batch.rows(); ++row) {
        int& most = positions[kind_of(rotary, batch.keys(row))];
        most = std::max(most, (batch.keys(row) + step - 1) / step * step);
    }
    const auto pairs = static_cast<std::int64_t>(rotary.inverse_frequency.size());
    std::map<int, int> first;
    int lines = 0;
    for (const auto& [kind, count] : positions) {
        first[kind] = lines;
        lines += count;
    }
    Tensor cosines({lines, pairs});
    Tensor sines({lines, pairs});
    std::size_t index = 0;
    for (const auto& [kind, count] : positions) {
        const std::vector<float> frequencies = frequencies_of(rotary, kind);
        for (int position = 0; position < count; ++position) {
            for (const float frequency : frequencies) {
                const float angle = static_cast<float>(position) * frequency;
                cosines.data[index] = std::cos(angle) * rotary.scale;
                sines.data[index] = std::sin(angle) * rotary.scale;
                ++index;
            }
        }
    }
    RotaryTables tables{std::make_shared<const Tensor>(std::move(cosines)),
                        std::make_shared<const Tensor>(std::move(sines)),
                        {}};
    if (positions.size() > 1)
        for (int row = 0; row < batch.rows(); ++row)
            tables.first.push_back(first.at(kind_of(rotary, batch.keys(row))));
    return tables;
}

bool rotation_changes(const model::ModelSpec& spec, int before, int after) {
    if (spec.positional != model::Positional::rotary) return false;
    return std::any_of(spec.rotaries.begin(), spec.rotaries.end(), [&](const model::RotarySpec& rotary) {
        return kind_of(rotary, before) != kind_of(rotary, after);
    });
}

} // namespace vitrine::run
