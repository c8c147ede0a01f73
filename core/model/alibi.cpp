#include "core/model/alibi.h"

#include <bit>
#include <cmath>

namespace vitrine::model {

std::vector<float> alibi_slopes(int heads) {
    const int p = static_cast<int>(std::bit_floor(static_cast<unsigned>(heads)));
    std::vector<float> slopes;
    for (int i = 1; i <= p; ++i)
        slopes.push_back(std::pow(static_cast<float>(std::exp2(-8.0 / p)), static_cast<float>(i)));
    for (int j = 1; static_cast<int>(slopes.size()) < heads; j += 2)
        slopes.push_back(std::pow(static_cast<float>(std::exp2(-4.0 / p)), static_cast<float>(j)));
    return slopes;
}

} // namespace vitrine::model
