#include "core/analysis/components.h"

#include <charconv>

namespace vitrine::analysis {

std::optional<int> number_in(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::optional<Node> node_named(std::string_view text, const sdk::ModelFacts& model) {
    const auto there = [&](const Node& node) {
        return node.layer >= 0 && node.layer < model.layers && node.head >= -1 && node.head < model.heads;
    };
    if (text.starts_with('M')) {
        const auto layer = number_in(text.substr(1));
        if (!layer || !there({*layer, -1})) return std::nullopt;
        return Node{*layer, -1};
    }
    const std::size_t h = text.find('H');
    if (!text.starts_with('L') || h == std::string_view::npos) return std::nullopt;
    const auto layer = number_in(text.substr(1, h - 1)), head = number_in(text.substr(h + 1));
    if (!layer || !head || *head < 0 || !there({*layer, *head})) return std::nullopt;
    return Node{*layer, *head};
}

std::string name_of(const Node& node) {
    const std::string layer = std::to_string(node.layer);
    return node.head < 0 ? "M" + layer : "L" + layer + "H" + std::to_string(node.head);
}

} // namespace vitrine::analysis
