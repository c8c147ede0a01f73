#include "core/run/rotary.h"

#include <cmath>

namespace vitrine::run {

std::pair<SharedTensor, SharedTensor> rotary_tables(const model::RotarySpec& rotary, int positions) {
    const auto pairs = static_cast<std::int64_t>(rotary.inverse_frequency.size());
    Tensor cosines({positions, pairs});
    Tensor sines({positions, pairs});
    std::size_t index = 0;
    for (int position = 0; position < positions; ++position) {
        for (const float frequency : rotary.inverse_frequency) {
            const float angle = static_cast<float>(position) * frequency;
            cosines.data[index] = std::cos(angle) * rotary.scale;
            sines.data[index] = std::sin(angle) * rotary.scale;
            ++index;
        }
    }
    return {std::make_shared<const Tensor>(std::move(cosines)),
            std::make_shared<const Tensor>(std::move(sines))};
}

} // namespace vitrine::run
