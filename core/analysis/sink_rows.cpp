#include "core/analysis/sink_rows.h"

#include <algorithm>

namespace vitrine::analysis {

std::string describe_rows(const std::vector<sdk::Row>& rows) {
    int shortest = rows.front().size();
    int longest = shortest;
    std::size_t with_bos = 0;
    for (const sdk::Row& row : rows) {
        shortest = std::min(shortest, row.size());
        longest = std::max(longest, row.size());
        with_bos += row.special.front() ? 1 : 0;
    }
    std::string text = std::to_string(rows.size()) + (rows.size() == 1 ? " row of " : " rows of ");
    text += std::to_string(shortest);
    if (longest > shortest) text += " to " + std::to_string(longest);
    text += longest == 1 ? " token; " : " tokens; ";
    if (with_bos == rows.size()) return text + "a special token (BOS) comes first.";
    if (with_bos == 0) return text + "no special token (BOS) comes first.";
    return text + "a special token (BOS) comes first in " + std::to_string(with_bos) + " of them.";
}

std::optional<sdk::Failure> keys_of(const sdk::Start& start, const char* parameter, std::vector<int>& keys) {
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const auto key = start.positions(parameter, start.rows[row].size());
        if (!key)
            return sdk::Failure{"out-of-range",
                                "Row " + std::to_string(row) + " has " +
                                    std::to_string(start.rows[row].size()) + " tokens, so there is no key " +
                                    std::to_string(start.integer(parameter)) + ": choose a smaller one."};
        keys.push_back(key->front());
    }
    return std::nullopt;
}

sdk::Row with_bos(const sdk::Row& row, std::int32_t bos) {
    if (!row.special.empty() && row.special.front()) return row;
    sdk::Row longer = row;
    longer.ids.insert(longer.ids.begin(), bos);
    longer.special.insert(longer.special.begin(), true);
    if (!longer.tokens.empty()) longer.tokens.insert(longer.tokens.begin(), "BOS");
    return longer;
}

sdk::Row without_bos(const sdk::Row& row) {
    if (row.special.empty() || !row.special.front()) return row;
    sdk::Row shorter = row;
    shorter.ids.erase(shorter.ids.begin());
    shorter.special.erase(shorter.special.begin());
    if (!shorter.tokens.empty()) shorter.tokens.erase(shorter.tokens.begin());
    return shorter;
}

sdk::Row cut(sdk::Row row, int length) {
    if (row.size() <= length) return row;
    row.ids.resize(static_cast<std::size_t>(length));
    row.special.resize(static_cast<std::size_t>(length));
    if (!row.tokens.empty()) row.tokens.resize(static_cast<std::size_t>(length));
    return row;
}

} // namespace vitrine::analysis
