#pragma once
// A causal square of numbers at falling resolution: of every cell × cell tokens the value that stands out and
// the mean over what is there.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::attention {

/// Which value stands for a cell of many.
enum class Extreme {
    largest,
    farthest ///< from zero, with its sign; of two as far the positive one
};
/// The one of two numbers that stands for both.
inline float extreme_of(Extreme kind, float a, float b) {
    if (kind == Extreme::largest) return b > a ? b : a;
    const float ours = a < 0 ? -a : a, theirs = b < 0 ? -b : b;
    return theirs > ours || (theirs == ours && b > a) ? b : a;
}

/// Keys that a query sees: the last `window`, its own among them, and of these, where stream_window is above
/// 0, the last of that or one of the first `sinks`. 0: all.
struct KeyMask {
    int window = 0, sinks = 0, stream_window = 0;
};

/// Which cells exist: key ≤ query, neither the query nor the key left out, and seen by every mask given.
class Presence {
public:
    /// Empty lists: none is left out.
    Presence(int tokens, const std::vector<bool>& keys_out, const std::vector<bool>& queries_out,
             std::vector<KeyMask> masks = {});
    /// Cells in [q0, q1) × [k0, k1), cut to the square.
    std::int64_t count(int q0, int q1, int k0, int k1) const;
    int tokens() const { return tokens_; }
    bool query_out(int query) const {
        return queries_[static_cast<std::size_t>(query) + 1] == queries_[static_cast<std::size_t>(query)];
    }

private:
    std::int64_t seen_by_masks(int query, int k0, int k1, std::size_t first_mask) const;

    int tokens_;
    std::vector<KeyMask> masks_;
    std::vector<std::int32_t> keys_, queries_; ///< [tokens + 1] how many are there before
};

/// One resolution, row-major [size, size]; NaN where no cell exists.
struct Level {
    int cell = 1;               ///< tokens along each side of a cell
    int size = 0;               ///< cells along each side: ⌈tokens / cell⌉
    std::vector<float> largest; ///< or farthest from zero
    std::vector<float> mean;

    std::size_t at(int row, int col) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(size) + static_cast<std::size_t>(col);
    }
};

/// The next level: cells twice as large.
Level coarser(const Level& level, const Presence& present, Extreme kind = Extreme::largest);

} // namespace vitrine::attention
