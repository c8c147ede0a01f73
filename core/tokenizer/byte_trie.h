#pragma once
#include <array>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <vector>

namespace vitrine::tokenizer {

/// A tree of the bytes of many strings, each with a value, that is walked byte by byte: for vocabularies.
class ByteTrie {
public:
    using Node = std::uint32_t;
    static constexpr Node root = 0;
    static constexpr Node none = 0; ///< what step() returns where nothing goes on: the root is nobody's child
    static constexpr std::int32_t no_value = -1;

    ByteTrie() : ByteTrie(std::vector<std::pair<std::string_view, std::int32_t>>()) {}

    /// Values are not negative; empty strings are left out, of equal strings the last counts.
    explicit ByteTrie(std::vector<std::pair<std::string_view, std::int32_t>> entries);

    Node step(Node node, char byte) const {
        if (node == root) return first_[static_cast<unsigned char>(byte)];
        const Inner& inner = inner_[node];
        const char* const labels = labels_.data() + inner.first;
        const void* const found = std::memchr(labels, static_cast<unsigned char>(byte), inner.count);
        if (found == nullptr) return none;
        return inner.first + static_cast<Node>(static_cast<const char*>(found) - labels);
    }

    /// Of the string that ends at this node, or no_value.
    std::int32_t value(Node node) const { return inner_[node].value; }

    /// Bytes and value of the longest string that `text` begins with; 0 bytes if there is none.
    std::pair<std::size_t, std::int32_t> longest_prefix(std::string_view text) const;

private:
    struct Inner {
        Node first = 0; // of the children, which are neighbours
        std::uint32_t count = 0;
        std::int32_t value = no_value;
    };
    std::array<Node, 256> first_{};
    std::vector<Inner> inner_;
    std::vector<char> labels_; // of each node: the byte that leads to it
};

} // namespace vitrine::tokenizer
