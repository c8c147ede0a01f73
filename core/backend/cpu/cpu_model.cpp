#include "core/backend/cpu/cpu_model.h"

#include <chrono>
#include <new>
#include <type_traits>

#include <fmt/format.h>

#include "core/backend/cpu/captures.h"
#include "core/backend/cpu/ops.h"

namespace vitrine::backend::cpu {

namespace {

bool appends(const run::Plan& plan) {
    return std::any_of(plan.ops.begin(), plan.ops.end(),
                       [](const run::Op& op) { return std::holds_alternative<run::CacheAppend>(op); });
}

constexpr std::uint64_t kept_bytes = std::uint64_t{96} << 20; // of the arena, between runs

template <typename S>
Status check_cache(const run::Batch& batch, const CpuCache<S>* cache) {
    if (cache == nullptr)
        return fail(Code::internal, "A plan that keeps keys and values was given no cache.");
    if (cache->rows() != batch.rows())
        return fail(Code::internal, "The cache of keys and values was made for another number of rows.");
    for (int row = 0; row < batch.rows(); ++row) {
        if (cache->length(row) != batch.past[static_cast<std::size_t>(row)])
            return fail(Code::internal,
                        "The cache of keys and values does not hold the tokens the plan expects.");
        if (batch.keys(row) > cache->capacity())
            return fail(Code::out_of_range,
                        fmt::format("Row {} would grow to {} tokens, but there is room for {}.", row,
                                    batch.keys(row), cache->capacity()));
    }
    return {};
}

/// What the machine would promise and not keep: more than three quarters of its memory for one plan.
Status check_room(const run::Plan& plan, const run::ArenaLayout& layout, std::size_t element,
                  std::uint64_t memory) {
    std::uint64_t bytes = static_cast<std::uint64_t>(layout.elements) * element;
    for (const run::Op& op : plan.ops)
        if (const auto* capture = std::get_if<run::Capture>(&op))
            bytes += static_cast<std::uint64_t>(plan.elements(capture->value)) * sizeof(float);
    if (memory == 0 || bytes <= memory / 4 * 3) return {};
    return fail(Code::out_of_memory,
                fmt::format("This run of {} tokens would take {:.1f} GB with its captures and edits, and the "
                            "machine has {:.1f}: shorten the prompt, or capture and edit less.",
                            plan.batch.size(), static_cast<double>(bytes) / 1e9,
                            static_cast<double>(memory) / 1e9));
}

template <typename S>
std::vector<S*> place_values(const run::Plan& plan, const run::ArenaLayout& layout, S* arena,
                             std::vector<Tensor>& captures) {
    std::vector<S*> places;
    for (const std::int64_t offset : layout.offset)
        places.push_back(offset < 0 ? nullptr : arena + offset);
    if constexpr (std::is_same_v<S, float>) {
        const std::vector<int> slots = slots_in_place(plan);
        for (std::size_t id = 0; id < slots.size(); ++id)
            if (slots[id] != run::absent)
                places[id] = captures[static_cast<std::size_t>(slots[id])].data.data();
    }
    return places;
}

} // namespace

template <typename S>
Limits CpuModel<S>::limits() const {
    Limits limits;
    limits.scratch_bytes = std::max<std::uint64_t>(device_.memory_bytes / 4, std::uint64_t{1} << 28);
    limits.worthwhile_bytes = kept_bytes;
    return limits;
}

template <typename S>
Result<std::unique_ptr<KvCache>> CpuModel<S>::make_cache(int rows, int capacity) {
    try {
        return std::make_unique<CpuCache<S>>(spec_.layers, spec_.kv_heads, spec_.d_head, rows, capacity);
    } catch (const std::bad_alloc&) {
        return fail(
            Code::out_of_memory,
            fmt::format("There is not enough memory to keep the keys and values of {} rows of {} tokens; "
                        "use fewer rows or shorter ones.",
                        rows, capacity));
    }
}

template <typename S>
Result<Outputs> CpuModel<S>::execute(const run::Plan& plan, KvCache* cache, const CancelToken& cancel,
                                     const Progress& progress) {
    auto* own_cache = dynamic_cast<CpuCache<S>*>(cache);
    const bool keeps = appends(plan);
    if (keeps) VITRINE_TRY(check_cache(plan.batch, own_cache));
    try {
        const auto start = std::chrono::steady_clock::now();
        constexpr std::int64_t line = 64 / sizeof(S);
        const run::ArenaLayout layout = run::lay_out(plan, line, run::Activations::in_place);
        VITRINE_TRY(check_room(plan, layout, sizeof(S), device_.memory_bytes));
        S* arena = scratch_.arena.at_least(static_cast<std::size_t>(layout.elements));
        Outputs outputs;
        outputs.captures = make_captures(plan, *pool_);
        const std::vector<S*> places = place_values(plan, layout, arena, outputs.captures);
        Context<S> context{plan, places, weights_, scratch_, own_cache, *pool_, cancel, outputs};
        for (std::size_t i = 0; i < plan.ops.size(); ++i) {
            VITRINE_TRY(cancel.check());
            if (progress)
                progress(static_cast<double>(i) / static_cast<double>(plan.ops.size()),
                         run::op_name(plan.ops[i]));
            std::visit([&](const auto& op) { cpu::execute(op, context); }, plan.ops[i]);
        }
        VITRINE_TRY(cancel.check());
        if (keeps)
            for (int row = 0; row < plan.batch.rows(); ++row)
                own_cache->commit(row, plan.batch.queries(row));
        const std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
        outputs.device_ms = elapsed.count();
        // What a long row took is given back: between runs it would only lie there.
        if (static_cast<std::uint64_t>(layout.elements) * sizeof(S) > kept_bytes) {
            scratch_.arena.release();
            scratch_.keys_values.release();
        }
        outputs.scratch_bytes = static_cast<std::uint64_t>(layout.elements) * sizeof(S);
        return outputs;
    } catch (const std::bad_alloc&) {
        scratch_ = {};
        return fail(Code::out_of_memory,
                    "There is not enough memory for this run; use fewer or shorter rows, or capture less.");
    }
}

template class CpuModel<float>;
template class CpuModel<double>;

} // namespace vitrine::backend::cpu
