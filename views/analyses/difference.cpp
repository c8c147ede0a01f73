#include "views/analyses/difference.h"

#include <algorithm>
#include <fmt/format.h>

namespace vitrine::views {

Result<std::vector<engine::ResultValue>> difference_of(const std::vector<engine::ResultValue>& a,
                                                       const std::vector<engine::ResultValue>& b) {
    std::vector<engine::ResultValue> out;
    for (const engine::ResultValue& ours : a) {
        if (ours.data.empty() || ours.whole) continue; // ids cannot be subtracted
        const auto theirs = std::find_if(
            b.begin(), b.end(), [&](const engine::ResultValue& other) { return other.name == ours.name; });
        if (theirs == b.end()) continue;
        const bool same = theirs->data.size() == ours.data.size() &&
                          std::equal(ours.axes.begin(), ours.axes.end(), theirs->axes.begin(),
                                     theirs->axes.end(), [](const auto& one, const auto& other) {
                                         return one.name == other.name && one.size == other.size;
                                     });
        if (!same)
            return fail(
                Code::out_of_range,
                fmt::format("\"{}\" has another shape for A than for B, so there is no difference; edit "
                            "one prompt until both have as many tokens.",
                            ours.name));
        engine::ResultValue difference = ours;
        difference.name += "_difference";
        for (std::size_t i = 0; i < difference.data.size(); ++i)
            difference.data[i] -= theirs->data[i];
        out.push_back(std::move(difference));
    }
    if (out.empty())
        return fail(Code::usage, "This analysis gives no numbers that could be subtracted; show A or B.");
    return out;
}

} // namespace vitrine::views
