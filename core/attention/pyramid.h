#pragma once
// A causal square of numbers at falling resolution: of every cell × cell tokens the largest value and the
// mean over what is there.
#include <cstddef>
#include <cstdint>
#include <vector>

namespace vitrine::attention {

/// Which cells exist: key ≤ query, neither the query nor the key left out.
class Presence {
public:
    /// Empty lists: none is left out.
    Presence(int tokens, const std::vector<bool>& keys_out, const std::vector<bool>& queries_out);
    /// Cells in [q0, q1) × [k0, k1), cut to the square.
    std::int64_t count(int q0, int q1, int k0, int k1) const;
    int tokens() const { return tokens_; }
    bool query_out(int query) const {
        return queries_[static_cast<std::size_t>(query) + 1] == queries_[static_cast<std::size_t>(query)];
    }

private:
    int tokens_;
    std::vector<std::int32_t> keys_, queries_; ///< [tokens + 1] how many are there before
};

/// One resolution, row-major [size, size]; NaN where no cell exists.
struct Level {
    int cell = 1; ///< tokens along each side of a cell
    int size = 0; ///< cells along each side: ⌈tokens / cell⌉
    std::vector<float> largest, mean;

    std::size_t at(int row, int col) const {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(size) + static_cast<std::size_t>(col);
    }
};

/// The next level: cells twice as large.
Level coarser(const Level& level, const Presence& present);

} // namespace vitrine::attention
