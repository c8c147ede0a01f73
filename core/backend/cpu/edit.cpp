// Interventions, in place, entry after entry.
#include <cmath>
#include <limits>

#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

/// Where a value's elements of one batch row stand: (pos, head, channel) → first + pos·pos_stride + ….
struct Placement {
    std::int64_t first = 0;
    std::int64_t pos_stride = 0;
    std::int64_t head_stride = 0;
};

Placement placement_of(const run::Value& value, const run::Batch& batch, int row) {
    if (value.layout == run::Layout::tokens) {
        const std::int64_t token = static_cast<std::int64_t>(value.heads) * value.width;
        return {batch.row_start[static_cast<std::size_t>(row)] * token, token, value.width};
    }
    Placement placement;
    for (int r = 0; r < row; ++r)
        placement.first += static_cast<std::int64_t>(value.heads) * batch.queries(r) * batch.keys(r);
    placement.pos_stride = batch.keys(row);
    placement.head_stride = static_cast<std::int64_t>(batch.queries(row)) * batch.keys(row);
    return placement;
}

/// One entry's tensor; element() is 1 everywhere without one.
struct Source {
    const float* data = nullptr;
    const run::EditEntry& entry;

    double element(int pos, int head, int channel) const {
        if (data == nullptr) return 1.0;
        return data[(pos - entry.pos_begin) * entry.pos_stride +
                    (head - entry.head_begin) * entry.head_stride +
                    (channel - entry.channel_begin) * entry.channel_stride];
    }
};

template <typename S>
void edit_elements(const Source& source, S* x, int pos, int head) {
    const run::EditEntry& entry = source.entry;
    for (int c = entry.channel_begin; c < entry.channel_end; ++c) {
        S& element = x[c];
        switch (entry.kind) {
        case run::EditKind::set:
            element = static_cast<S>(source.data == nullptr ? entry.scalar : source.element(pos, head, c));
            break;
        case run::EditKind::scale:
            element *= static_cast<S>(entry.scalar);
            break;
        case run::EditKind::add:
            element += static_cast<S>(entry.scalar) * static_cast<S>(source.element(pos, head, c));
            break;
        case run::EditKind::mask:
            element = -std::numeric_limits<S>::infinity();
            break;
        case run::EditKind::project_out:
        case run::EditKind::cap:
        case run::EditKind::calibrate:
        case run::EditKind::take:
            break;
        }
    }
}

/// x −= (x·u) u, or x −= max(x·u − scalar, 0) u, with u of length 1.
template <typename S>
void edit_direction(const Source& source, S* x) {
    const run::EditEntry& entry = source.entry;
    const auto direction = [&](int c) { return source.element(entry.pos_begin, entry.head_begin, c); };
    double dot = 0;
    double square = 0;
    for (int c = entry.channel_begin; c < entry.channel_end; ++c) {
        dot += static_cast<double>(x[c]) * direction(c);
        square += direction(c) * direction(c);
    }
    if (square == 0) return;
    const double along = dot / std::sqrt(square);
    const double removed = entry.kind == run::EditKind::cap ? std::max(along - entry.scalar, 0.0) : along;
    const double factor = removed / std::sqrt(square);
    for (int c = entry.channel_begin; c < entry.channel_end; ++c)
        x[c] = static_cast<S>(static_cast<double>(x[c]) - factor * direction(c));
}

/// One head of a batch row, `queries` × `keys` from x on; the queries of the entry are changed.
template <typename S>
void calibrate(const run::EditEntry& entry, int queries, int keys, S* x) {
    const int past = keys - queries;
    std::vector<char> is_sink(static_cast<std::size_t>(keys), 0);
    bool first = true; // it keeps what it has, and takes of what is freed
    for (int key = 0; key < keys; ++key) {
        const int from = std::max(0, key - past); // the first query of this plan that sees it
        double sum = 0;
        for (int query = from; query < queries; ++query)
            sum += static_cast<double>(x[std::int64_t{query} * keys + key]);
        if (sum / (queries - from) <= static_cast<double>(entry.threshold)) continue;
        is_sink[static_cast<std::size_t>(key)] = first ? 0 : 1;
        first = false;
    }
    for (int query = entry.pos_begin; query < entry.pos_end; ++query) {
        S* row = x + std::int64_t{query} * keys;
        double sinks = 0;
        double others = 0;
        for (int key = 0; key < keys; ++key)
            (is_sink[static_cast<std::size_t>(key)] != 0 ? sinks : others) += static_cast<double>(row[key]);
        if (sinks == 0 || others == 0) continue;
        const double beta = entry.scalar;
        const double growth = 1 + (1 - beta) * sinks / others;
        for (int key = 0; key < keys; ++key)
            row[key] = static_cast<S>(static_cast<double>(row[key]) *
                                      (is_sink[static_cast<std::size_t>(key)] != 0 ? beta : growth));
    }
}

} // namespace

template <typename S>
void execute(const run::Edit& op, Context<S>& context) {
    S* data = context.data(op.value);
    const S* other = context.data(op.source);
    for (const run::EditEntry& entry : op.entries) {
        const Placement place = placement_of(context.value(op.value), context.batch(op.value), entry.row);
        const float* tensor =
            entry.tensor == run::absent
                ? nullptr
                : context.plan.constants[static_cast<std::size_t>(entry.tensor)]->data.data() + entry.offset;
        const Source source{tensor, entry};
        if (entry.kind == run::EditKind::calibrate) {
            context.pool.parallel_for(static_cast<std::size_t>(entry.head_end - entry.head_begin),
                                      [&](std::size_t i) {
                                          const auto head = entry.head_begin + static_cast<std::int64_t>(i);
                                          calibrate(entry, context.batch(op.value).queries(entry.row),
                                                    context.batch(op.value).keys(entry.row),
                                                    data + place.first + head * place.head_stride);
                                      });
            continue;
        }
        const bool directed = entry.kind == run::EditKind::project_out || entry.kind == run::EditKind::cap;
        for (int pos = entry.pos_begin; pos < entry.pos_end; ++pos) {
            for (int head = entry.head_begin; head < entry.head_end; ++head) {
                const std::int64_t at = place.first + pos * place.pos_stride + head * place.head_stride;
                S* x = data + at;
                if (entry.kind == run::EditKind::take)
                    std::copy(other + at + entry.channel_begin, other + at + entry.channel_end,
                              x + entry.channel_begin);
                else if (directed)
                    edit_direction(source, x);
                else
                    edit_elements(source, x, pos, head);
            }
        }
    }
}

template void execute(const run::Edit&, Context<float>&);
template void execute(const run::Edit&, Context<double>&);

} // namespace vitrine::backend::cpu
