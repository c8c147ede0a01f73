// Next-token statistics, without ever holding the logits of more than a tile of rows.
#include <cmath>
#include <limits>

#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

constexpr std::int64_t rows_per_tile = 96;

/// The `count` largest logits, largest first; ties by smaller id.
template <typename S>
std::vector<TopToken> largest(const S* logits, std::int64_t vocab, int count) {
    const auto before = [](const TopToken& a, const TopToken& b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    };
    std::vector<TopToken> top; // a heap whose front is the one to give way
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(count, vocab));
    if (wanted == 0) return top;
    top.reserve(wanted + 1);
    for (std::int64_t id = 0; id < vocab; ++id) {
        const TopToken token{static_cast<std::int32_t>(id), static_cast<float>(logits[id])};
        if (top.size() == wanted && !before(token, top.front())) continue;
        top.push_back(token);
        std::push_heap(top.begin(), top.end(), before);
        if (top.size() > wanted) {
            std::pop_heap(top.begin(), top.end(), before);
            top.pop_back();
        }
    }
    std::sort_heap(top.begin(), top.end(), before);
    return top;
}

/// With d = x − max, Z = Σ eᵈ and ln p = d − ln Z: H = ln Z − Σed/Z, and the variance of ln p is that of d.
template <typename S>
LogitRow statistics(const run::LogitStats& op, const S* logits, std::int64_t vocab, std::int32_t target) {
    const LogitSums sums = kernels<S>().logit_sums(logits, vocab);
    const double mean = sums.first / sums.weight;
    LogitRow row;
    row.logsumexp = static_cast<float>(sums.max + std::log(sums.weight));
    row.entropy = static_cast<float>(std::log(sums.weight) - mean);
    row.varentropy = static_cast<float>(std::max(0.0, sums.second / sums.weight - mean * mean));
    row.nll = std::numeric_limits<float>::quiet_NaN();
    if (target >= 0 && target < vocab)
        row.nll = static_cast<float>(sums.max + std::log(sums.weight) - static_cast<double>(logits[target]));
    row.top = largest(logits, vocab, op.top);
    for (const std::int32_t id : op.watch)
        row.watched.push_back(static_cast<float>(logits[id]));
    return row;
}

/// Scales and caps a row of logits.
template <typename S>
void finish(const run::LogitStats& op, std::int64_t vocab, S* logits) {
    if (op.scale != 1.0F) pointwise(run::PointwiseKind::scale, op.scale, vocab, logits);
    if (op.cap != 0.0F) pointwise(run::PointwiseKind::cap, op.cap, vocab, logits);
}

} // namespace

template <typename S>
void execute(const run::LogitStats& op, Context<S>& context) {
    const auto rows = static_cast<std::int64_t>(op.rows.size());
    const bool stored = op.logits != run::absent;
    const std::int64_t vocab = stored ? context.row_size(op.logits) : context.weights.stored(op.weight).cols;
    context.outputs.logit_rows.resize(op.rows.size());
    for (std::int64_t first = 0; first < rows && !context.cancel.cancelled(); first += rows_per_tile) {
        const std::int64_t count = std::min(rows_per_tile, rows - first);
        const S* logits = stored ? context.data(op.logits) + first * vocab : nullptr;
        S* tile = nullptr;
        if (!stored) {
            const std::int64_t width = context.row_size(op.hidden);
            S* hidden = context.scratch.rows.at_least(static_cast<std::size_t>(count * width));
            for (std::int64_t i = 0; i < count; ++i) {
                const S* row = context.data(op.hidden) + op.rows[static_cast<std::size_t>(first + i)] * width;
                std::copy(row, row + width, hidden + i * width);
            }
            tile = context.scratch.logits.at_least(static_cast<std::size_t>(count * vocab));
            const Matrix<S>& matrix = context.weights.matrix(op.weight, context.pool);
            multiply<S>(matrix, matrix.whole(), {hidden, count, width, true}, context.weights.vector(op.bias),
                        {tile, vocab}, context.scratch.product, context.pool, context.cancel);
            logits = tile;
        }
        context.pool.parallel_for(static_cast<std::size_t>(count), [&](std::size_t i) {
            if (context.cancel.cancelled()) return;
            const std::size_t row = static_cast<std::size_t>(first) + i;
            if (!stored) finish(op, vocab, tile + static_cast<std::int64_t>(i) * vocab);
            const std::int32_t target = row < op.targets.size() ? op.targets[row] : -1;
            context.outputs.logit_rows[row] =
                statistics(op, logits + static_cast<std::int64_t>(i) * vocab, vocab, target);
        });
    }
}

template void execute(const run::LogitStats&, Context<float>&);
template void execute(const run::LogitStats&, Context<double>&);

} // namespace vitrine::backend::cpu
