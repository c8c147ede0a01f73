#pragma once
// What ops work on while a plan is executed.
#include <algorithm>
#include <functional>

#include "core/backend/backend.h"
#include "core/backend/cpu/kernels.h"
#include "core/backend/cpu/keys_values.h"
#include "core/backend/cpu/product.h"
#include "core/backend/cpu/weights.h"

namespace vitrine::backend::cpu {

/// Memory that is kept from plan to plan.
template <typename S>
struct Scratch {
    Buffer<S> arena;
    Workspace<S> product;
    Buffer<S> keys_values; ///< tiles of a row's keys and values, where no cache holds them
    Buffer<S> rows;        ///< selected rows of the residual stream
    Buffer<S> logits;      ///< a tile of logits
};

template <typename S>
struct Context {
    const run::Plan& plan;
    const std::vector<S*>& places; ///< of values, in the arena or in the tensor of a capture
    Weights<S>& weights;
    Scratch<S>& scratch;
    CpuCache<S>* cache;
    ThreadPool& pool;
    const CancelToken& cancel;
    Outputs& outputs;

    /// Tokens and rows that a value has.
    const run::Batch& batch(run::ValueId id) const { return plan.batch_of(id); }
    const run::Value& value(run::ValueId id) const { return plan.values[static_cast<std::size_t>(id)]; }
    /// Elements of a value; nullptr if absent.
    S* data(run::ValueId id) const {
        return id == run::absent ? nullptr : places[static_cast<std::size_t>(id)];
    }
    /// Tokens of a value, and elements of each.
    std::int64_t rows(run::ValueId id) const { return value(id).count; }
    std::int64_t row_size(run::ValueId id) const {
        return static_cast<std::int64_t>(value(id).heads) * value(id).width;
    }

    /// body(begin, end) over [0, rows) in pieces of at least some 16 thousand elements, on all threads.
    void for_rows(std::int64_t rows, std::int64_t row_elements,
                  const std::function<void(std::int64_t, std::int64_t)>& body) const {
        const std::int64_t piece = std::max<std::int64_t>(1, 16384 / std::max<std::int64_t>(1, row_elements));
        const std::int64_t pieces = (rows + piece - 1) / piece;
        pool.parallel_for(static_cast<std::size_t>(pieces), [&](std::size_t i) {
            const std::int64_t begin = static_cast<std::int64_t>(i) * piece;
            body(begin, std::min(begin + piece, rows));
        });
    }
};

} // namespace vitrine::backend::cpu
