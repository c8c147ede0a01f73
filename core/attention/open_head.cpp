#include "core/attention/open_head.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <mutex>
#include <thread>

#include "core/attention/cell_source.h"
#include "core/base/memory.h"

namespace vitrine::attention {

namespace cpu = backend::cpu;

namespace {

constexpr float none = std::numeric_limits<float>::quiet_NaN();

/// A block's columns, folded over `cell` keys at a time.
struct Folded {
    std::vector<float> largest, sum; ///< [cells][columns]
    std::vector<float> by_key;       ///< [keys]
    float smallest = 0;
};

} // namespace

struct OpenHead::Parts {
    CellSource source;
    std::vector<bool> keys_out;
    Extreme extreme;
    std::vector<double> left; ///< by query: what is left where keys are out, 0 if nothing is
    HeadStatistics statistics;
    std::vector<Level> levels;
    std::unique_ptr<Presence> present;
    float smallest = 0;

    Parts(const LayerScores& scores, int head, const OpenOptions& options)
        : source(scores, options.minus, head, options.cells), keys_out(options.keys_out),
          extreme(options.minus == nullptr ? Extreme::largest : Extreme::farthest) {
        const auto size = static_cast<std::size_t>(scores.tokens);
        left.assign(size, 1);
        statistics.alpha.assign(size, 0);
        statistics.entropy.assign(size, 0);
    }

    int tokens() const { return source.tokens(); }
    bool key_out(int key) const { return !keys_out.empty() && keys_out[static_cast<std::size_t>(key)]; }
    bool is_pattern() const { return source.cells() == Cells::weight && !source.is_difference(); }
    /// What a cell of many begins with: what a mask hides is no score, but a weight of 0.
    float least() const {
        return source.cells() == Cells::score && !source.is_difference() ? -INFINITY : 0.0F;
    }

    void read_block(int query, Level& finest, std::vector<double>& alpha, float& smallest);
    void fold_weights(const float* cells, int begin, int end, int cell, Folded& folded) const;
    void fold_any(const float* cells, int begin, int end, int cell, Folded& folded) const;
    void read(Level& finest, const std::atomic<int>* gives_way_to, ThreadPool& pool,
              const CancelToken& cancel);
    float shown(float value, int query, int key) const;
};

void OpenHead::Parts::fold_weights(const float* cells, int begin, int end, int cell, Folded& folded) const {
    const auto& kernel = cpu::kernels<float>();
    const int columns = HeadBlocks::columns();
    const int first = begin / cell, count = (end + cell - 1) / cell - first;
    for (int c = 0; c < count; ++c) {
        const auto at = static_cast<std::size_t>(c) * static_cast<std::size_t>(columns);
        const int from = std::max(begin, (first + c) * cell), to = std::min(end, (first + c + 1) * cell);
        for (int key = from; key < to;) {
            int until = key; // a stretch of keys that are all out, or all there
            while (until < to && key_out(until) == key_out(key))
                ++until;
            std::vector<float> aside; // what is out is measured, but not part of the picture
            if (key_out(key)) aside.assign(static_cast<std::size_t>(2 * columns), 0);
            float* largest = aside.empty() ? &folded.largest[at] : aside.data();
            float* sum = aside.empty() ? &folded.sum[at] : aside.data() + columns;
            kernel.fold_keys(cells + std::int64_t{key} * columns, until - key, largest, sum,
                             &folded.by_key[static_cast<std::size_t>(key)]);
            key = until;
        }
    }
}

// Of either sign; −∞ is no cell.
void OpenHead::Parts::fold_any(const float* cells, int begin, int end, int cell, Folded& folded) const {
    const auto columns = static_cast<std::size_t>(HeadBlocks::columns());
    const int first = begin / cell;
    std::vector<float> smallest(columns, INFINITY);
    for (int key = begin; key < end; ++key) {
        const float* line = cells + static_cast<std::size_t>(key) * columns;
        const std::size_t at = static_cast<std::size_t>(key / cell - first) * columns;
        float* largest = folded.largest.data() + at;
        float* sum = folded.sum.data() + at;
        if (extreme == Extreme::largest) {
            for (std::size_t i = 0; i < columns; ++i) {
                const bool there = line[i] != -INFINITY;
                largest[i] = line[i] > largest[i] ? line[i] : largest[i];
                sum[i] += there ? line[i] : 0.0F;
                const float low = there ? line[i] : INFINITY;
                smallest[i] = low < smallest[i] ? low : smallest[i];
            }
        } else {
            for (std::size_t i = 0; i < columns; ++i) {
                const float value = line[i] != -INFINITY ? line[i] : 0.0F;
                largest[i] = extreme_of(Extreme::farthest, largest[i], value);
                sum[i] += value;
            }
        }
    }
    folded.smallest = *std::min_element(smallest.begin(), smallest.end());
}

void OpenHead::Parts::read_block(int query, Level& finest, std::vector<double>& alpha, float& smallest_here) {
    thread_local Folded folded;
    const int columns = HeadBlocks::columns();
    const cpu::QueryBlock block = source.block_at(query);
    const cpu::KeyRange range = source.visible(block);
    const auto begin = static_cast<int>(range.begin), end = static_cast<int>(range.end);
    std::vector<float> moment(static_cast<std::size_t>(columns));
    const float* cells_read = source.read(block, moment.data());
    const int first = begin / finest.cell, cells = (end + finest.cell - 1) / finest.cell - first;
    folded.largest.assign(static_cast<std::size_t>(cells) * static_cast<std::size_t>(columns), least());
    folded.sum.assign(folded.largest.size(), 0);
    folded.by_key.assign(static_cast<std::size_t>(end), 0);
    if (source.cells() == Cells::score || source.is_difference())
        fold_any(cells_read, begin, end, finest.cell, folded);
    else
        fold_weights(cells_read, begin, end, finest.cell, folded);
    smallest_here = std::min(smallest_here, folded.smallest);
    for (int key = begin; key < end && is_pattern(); ++key)
        alpha[static_cast<std::size_t>(key)] +=
            static_cast<double>(folded.by_key[static_cast<std::size_t>(key)]);
    for (int i = 0; i < block.count; ++i) {
        const auto row = static_cast<std::size_t>(query + i);
        const double inv = is_pattern() ? static_cast<double>(source.inverse(query + i)) : 0;
        if (inv > 0)
            statistics.entropy[row] =
                -std::log(inv) - static_cast<double>(moment[static_cast<std::size_t>(i)]) * inv;
        float factor = 1;
        if (!keys_out.empty()) {
            double rest = 0;
            for (int c = 0; c < cells; ++c)
                rest += static_cast<double>(folded.sum[static_cast<std::size_t>(c * columns + i)]);
            left[row] = rest;
            if (rest <= 0) continue;
            factor = static_cast<float>(1 / rest);
        }
        const int level_row = (query + i) / finest.cell;
        for (int c = 0; c < cells; ++c) {
            const std::size_t at = finest.at(level_row, first + c);
            const auto from = static_cast<std::size_t>(c * columns + i);
            finest.largest[at] = extreme_of(extreme, finest.largest[at], folded.largest[from] * factor);
            finest.mean[at] += folded.sum[from] * factor; // a sum, for now
        }
    }
}

void OpenHead::Parts::read(Level& finest, const std::atomic<int>* gives_way_to, ThreadPool& pool,
                           const CancelToken& cancel) {
    // Cells of one line are written by one thread.
    const int strip = std::max(HeadBlocks::columns(), finest.cell);
    const int strips = (tokens() + strip - 1) / strip;
    std::mutex mutex;
    float smallest_cell = INFINITY;
    pool.parallel_for(static_cast<std::size_t>(strips), [&](std::size_t i) {
        while (gives_way_to != nullptr && *gives_way_to > 0 && !cancel.cancelled())
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        if (cancel.cancelled()) return;
        thread_local std::vector<double> alpha;
        alpha.assign(static_cast<std::size_t>(tokens()), 0);
        float smallest_here = INFINITY;
        const int begin = (strips - 1 - static_cast<int>(i)) * strip; // those with most keys first
        for (int query = begin; query < std::min(begin + strip, tokens()); query += HeadBlocks::columns())
            read_block(query, finest, alpha, smallest_here);
        const std::lock_guard lock(mutex);
        smallest_cell = std::min(smallest_cell, smallest_here);
        for (std::size_t key = 0; key < alpha.size(); ++key)
            statistics.alpha[key] += alpha[key];
    });
    if (source.cells() == Cells::score && !source.is_difference()) smallest = smallest_cell;
}

float OpenHead::Parts::shown(float value, int query, int key) const {
    if (key > query || key_out(key) || value == -INFINITY) return none;
    if (keys_out.empty()) return value;
    const double rest = left[static_cast<std::size_t>(query)];
    return rest <= 0 ? none : static_cast<float>(static_cast<double>(value) / rest);
}

OpenHead::OpenHead(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
OpenHead::~OpenHead() = default;

Result<std::shared_ptr<const OpenHead>> OpenHead::open(const LayerScores& scores, int head,
                                                       const OpenOptions& options, ThreadPool& pool,
                                                       const CancelToken& cancel) {
    return within_memory(
        "There is not enough memory to open this head: shorten the prompt.",
        [&]() -> Result<std::shared_ptr<const OpenHead>> {
            if (options.cells == Cells::value_weighted &&
                (!scores.norms || (options.minus != nullptr && !options.minus->norms)))
                return fail(Code::not_found, "The lengths of this layer's values were not read yet.");
            auto parts = std::make_unique<Parts>(scores, head, options);
            const int tokens = parts->tokens();
            Level finest;
            finest.cell = 8; // divides a block's columns at every vector width
            while ((tokens + finest.cell - 1) / finest.cell > options.largest_level)
                finest.cell *= 2;
            finest.size = (tokens + finest.cell - 1) / finest.cell;
            const auto cells = static_cast<std::size_t>(finest.size) * static_cast<std::size_t>(finest.size);
            finest.largest.assign(cells, parts->least());
            finest.mean.assign(cells, 0);
            parts->read(finest, options.gives_way_to, pool, cancel);
            VITRINE_TRY(cancel.check());
            for (int key = 0; key < tokens; ++key)
                parts->statistics.alpha[static_cast<std::size_t>(key)] /= tokens - key;
            std::vector<bool> queries_out;
            if (!options.keys_out.empty())
                for (int query = 0; query < tokens; ++query)
                    queries_out.push_back(parts->left[static_cast<std::size_t>(query)] <= 0);
            // Where a mask hides a key the weight is 0, but there is no score.
            std::vector<KeyMask> masks;
            if (options.cells == Cells::score) masks = parts->source.masks();
            parts->present = std::make_unique<Presence>(tokens, options.keys_out, queries_out, masks);
            for (int row = 0; row < finest.size; ++row)
                for (int col = 0; col < finest.size; ++col) {
                    const std::size_t at = finest.at(row, col);
                    const std::int64_t count =
                        col > row ? 0
                                  : parts->present->count(row * finest.cell, (row + 1) * finest.cell,
                                                          col * finest.cell, (col + 1) * finest.cell);
                    if (count == 0) finest.largest[at] = none;
                    finest.mean[at] = count == 0 ? none : finest.mean[at] / static_cast<float>(count);
                }
            parts->levels.push_back(std::move(finest));
            while (parts->levels.back().size > 1)
                parts->levels.push_back(coarser(parts->levels.back(), *parts->present, parts->extreme));
            return std::shared_ptr<const OpenHead>(new OpenHead(std::move(parts)));
        });
}

int OpenHead::tokens() const { return parts_->tokens(); }
const HeadStatistics& OpenHead::statistics() const { return parts_->statistics; }
const std::vector<Level>& OpenHead::levels() const { return parts_->levels; }
Cells OpenHead::cells() const { return parts_->source.cells(); }
bool OpenHead::is_difference() const { return parts_->source.is_difference(); }
float OpenHead::smallest() const { return parts_->smallest; }

float OpenHead::at(int query, int key) const {
    if (key > query) return none;
    const int columns = HeadBlocks::columns();
    const cpu::QueryBlock block = parts_->source.block_at(query / columns * columns);
    const float* pattern = parts_->source.part(block, key, key + 1);
    return parts_->shown(pattern[std::int64_t{key} * columns + query - block.first], query, key);
}

std::vector<float> OpenHead::row(int query) const {
    const int columns = HeadBlocks::columns();
    const cpu::QueryBlock block = parts_->source.block_at(query / columns * columns);
    const float* pattern = parts_->source.part(block, 0, query + 1);
    std::vector<float> out;
    for (int key = 0; key <= query; ++key)
        out.push_back(parts_->shown(pattern[std::int64_t{key} * columns + query - block.first], query, key));
    return out;
}

Patch OpenHead::patch(int cell, int row, int col, int rows, int cols, const CancelToken& cancel) const {
    const int size = (tokens() + cell - 1) / cell;
    Patch out{cell, row, col, std::min(rows, size - row), std::min(cols, size - col), {}, {}};
    if (out.rows <= 0 || out.cols <= 0) return {};
    const auto cells = static_cast<std::size_t>(out.rows) * static_cast<std::size_t>(out.cols);
    out.largest.assign(cells, none);
    out.mean.assign(cells, none);
    const auto at = [&](int r, int c) {
        return static_cast<std::size_t>(r) * static_cast<std::size_t>(out.cols) + static_cast<std::size_t>(c);
    };
    for (const Level& level : levels()) {
        if (level.cell != cell) continue;
        for (int r = 0; r < out.rows; ++r)
            for (int c = 0; c < out.cols; ++c) {
                out.largest[at(r, c)] = level.largest[level.at(row + r, col + c)];
                out.mean[at(r, c)] = level.mean[level.at(row + r, col + c)];
            }
        return out;
    }
    const int columns = HeadBlocks::columns();
    const int query_begin = row * cell, query_end = std::min((row + out.rows) * cell, tokens());
    const int key_begin = col * cell, key_end = std::min((col + out.cols) * cell, tokens());
    std::vector<double> sums(cells, 0);
    for (int first = query_begin / columns * columns; first < query_end; first += columns) {
        if (cancel.cancelled()) return {};
        const cpu::QueryBlock block = parts_->source.block_at(first);
        const int last = std::min(first + block.count, query_end);
        const int end = std::min(key_end, last);
        if (end <= key_begin) continue;
        const float* pattern = parts_->source.part(block, key_begin, end);
        for (int key = key_begin; key < end; ++key)
            for (int query = std::max({first, query_begin, key}); query < last; ++query) {
                const float value =
                    parts_->shown(pattern[std::int64_t{key} * columns + query - first], query, key);
                if (std::isnan(value)) continue;
                const std::size_t to = at(query / cell - row, key / cell - col);
                out.largest[to] =
                    std::isnan(out.largest[to]) ? value : extreme_of(parts_->extreme, out.largest[to], value);
                sums[to] += static_cast<double>(value);
            }
    }
    for (int r = 0; r < out.rows; ++r)
        for (int c = 0; c < out.cols; ++c) {
            if (std::isnan(out.largest[at(r, c)])) continue;
            const int q = (row + r) * cell, k = (col + c) * cell;
            out.mean[at(r, c)] = static_cast<float>(
                sums[at(r, c)] / static_cast<double>(parts_->present->count(q, q + cell, k, k + cell)));
        }
    return out;
}

} // namespace vitrine::attention
