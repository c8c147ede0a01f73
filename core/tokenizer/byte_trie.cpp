#include "core/tokenizer/byte_trie.h"

#include <algorithm>

namespace vitrine::tokenizer {

ByteTrie::ByteTrie(std::vector<std::pair<std::string_view, std::int32_t>> entries) {
    std::erase_if(entries, [](const auto& entry) { return entry.first.empty(); });
    std::stable_sort(entries.begin(), entries.end(),
                     [](const auto& a, const auto& b) { return a.first < b.first; });

    // Breadth first, so that the children of a node are neighbours.
    struct Open {
        std::size_t begin; // entries that start with the node's string
        std::size_t end;
        std::size_t depth; // its length
    };
    std::vector<Open> open{{0, entries.size(), 0}};
    inner_.emplace_back();
    labels_.push_back(0);
    for (std::size_t node = 0; node < open.size(); ++node) {
        auto [at, end, depth] = open[node];
        for (; at < end && entries[at].first.size() == depth; ++at)
            inner_[node].value = entries[at].second;
        inner_[node].first = static_cast<Node>(inner_.size());
        while (at < end) {
            const char label = entries[at].first[depth];
            const std::size_t begin = at;
            while (at < end && entries[at].first[depth] == label)
                ++at;
            open.push_back({begin, at, depth + 1});
            inner_.emplace_back();
            labels_.push_back(label);
            ++inner_[node].count;
        }
    }
    for (Node child = inner_[root].first; child < inner_[root].first + inner_[root].count; ++child)
        first_[static_cast<unsigned char>(labels_[child])] = child;
}

std::pair<std::size_t, std::int32_t> ByteTrie::longest_prefix(std::string_view text) const {
    std::pair<std::size_t, std::int32_t> longest{0, no_value};
    Node node = root;
    for (std::size_t at = 0; at < text.size(); ++at) {
        node = step(node, text[at]);
        if (node == none) break;
        if (value(node) != no_value) longest = {at + 1, value(node)};
    }
    return longest;
}

} // namespace vitrine::tokenizer
