#pragma once
// One head's attention pattern without its T² numbers: read once for its statistics and a pyramid of maxima
// and means, any cell recomputed from queries and keys with the bits that the engine's hook_pattern has. The
// same for its scores, its weighted values, and differences of these between two runs.
#include <atomic>
#include <memory>
#include <vector>

#include "core/attention/layer_scores.h"
#include "core/attention/pyramid.h"
#include "core/base/cancel.h"
#include "core/base/thread_pool.h"

namespace vitrine::attention {

/// How a head is opened.
struct OpenOptions {
    Cells cells = Cells::weight;
    /// Columns that are left out; the rest of each row is brought back to a sum of 1. Empty: none. Of weights
    /// only, and not of differences.
    std::vector<bool> keys_out = {};
    /// The cells are differences from the same head there, which has as many tokens; nullptr: they are not.
    /// Pyramids then keep what lies farthest from zero, with its sign, in place of the largest.
    const LayerScores* minus = nullptr;
    /// Reading waits while this is above 0: somebody waits for another head. nullptr: it does not.
    const std::atomic<int>* gives_way_to = nullptr;
    int largest_level = 1024; ///< the finest level kept has at most so many cells a side
};

/// What is found while a pattern is read once; zeros where other cells were read.
struct HeadStatistics {
    std::vector<double> alpha;   ///< by key: mean attention from the queries that see it; nothing left out
    std::vector<double> entropy; ///< by query: −Σ A ln A, nats; nothing left out
};

/// Part of a level, row-major; NaN where no cell exists.
struct Patch {
    int cell = 1;                             ///< tokens along each side of a cell
    int row = 0, col = 0, rows = 0, cols = 0; ///< in cells
    std::vector<float> largest;               ///< or farthest from zero
    std::vector<float> mean;
};

/// Safe to read from several threads at once.
class OpenHead {
public:
    /// Reads the whole pattern of one head, on the pool's threads. cancelled, out_of_memory, not_found: norms
    /// of values that weighted values need.
    static Result<std::shared_ptr<const OpenHead>> open(const LayerScores& scores, int head,
                                                        const OpenOptions& options, ThreadPool& pool,
                                                        const CancelToken& cancel);
    ~OpenHead();
    OpenHead(const OpenHead&) = delete;
    OpenHead& operator=(const OpenHead&) = delete;

    int tokens() const;
    const HeadStatistics& statistics() const;
    /// Finest first, down to one cell.
    const std::vector<Level>& levels() const;
    Cells cells() const;
    bool is_difference() const;
    /// Of all cells: of scores the smallest one, else 0.
    float smallest() const;

    /// One cell; NaN where it is left out, the key follows the query, or a mask hides a score.
    float at(int query, int key) const;
    /// A query's cells, of keys 0 … query.
    std::vector<float> row(int query) const;
    /// Cells of `cell` tokens a side, a power of two: from the levels, or recomputed where they are finer.
    /// Parts outside the square are cut off. cancelled: the patch is empty.
    Patch patch(int cell, int row, int col, int rows, int cols, const CancelToken& cancel) const;

private:
    struct Parts;
    explicit OpenHead(std::unique_ptr<Parts> parts);
    std::unique_ptr<Parts> parts_;
};

} // namespace vitrine::attention
