#include "core/run/alibi.h"

#include <cmath>

#include "core/base/dtype.h"

namespace vitrine::run {

namespace {

float rounded(float x) { return bfloat_to_float(float_to_bfloat(x)); }

} // namespace

SharedTensor alibi_table(const model::ModelSpec& spec, int keys) {
    Tensor table({spec.heads, keys});
    std::size_t index = 0;
    for (const float slope : spec.alibi_slopes) {
        for (int key = 0; key < keys; ++key) {
            const auto place = static_cast<float>(key);
            table.data[index++] =
                spec.alibi == model::AlibiKind::plain
                    ? slope * place
                    : rounded(rounded(slope) * rounded(place)) / std::sqrt(static_cast<float>(spec.d_head));
        }
    }
    return std::make_shared<const Tensor>(std::move(table));
}

} // namespace vitrine::run
