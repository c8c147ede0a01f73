#include "core/backend/cpu/captures.h"

#include <sys/mman.h>

namespace vitrine::backend::cpu {

namespace {

/// Huge pages for the part of [data, data + bytes) that holds whole ones: far fewer page faults.
void ask_for_huge_pages(void* data, std::size_t bytes) {
    constexpr std::uintptr_t huge = std::uintptr_t{1} << 21;
    const auto address = reinterpret_cast<std::uintptr_t>(data);
    const std::uintptr_t begin = (address + huge - 1) / huge * huge;
    const std::uintptr_t end = (address + bytes) / huge * huge;
    if (begin < end) madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

} // namespace

std::vector<Tensor> make_captures(const run::Plan& plan, ThreadPool& pool) {
    std::vector<Tensor> captures(static_cast<std::size_t>(plan.capture_slots));
    std::vector<Tensor*> made;
    for (const run::Op& op : plan.ops) {
        const auto* capture = std::get_if<run::Capture>(&op);
        if (capture == nullptr) continue;
        const run::Value& value = plan.values[static_cast<std::size_t>(capture->value)];
        const std::int64_t elements = plan.elements(capture->value);
        Tensor& tensor = captures[static_cast<std::size_t>(capture->slot)];
        tensor.shape = value.layout == run::Layout::tokens ? Shape{value.count, value.heads, value.width}
                                                           : Shape{elements};
        tensor.data.reserve(static_cast<std::size_t>(elements)); // may throw, so not on the pool's threads
        ask_for_huge_pages(tensor.data.data(), static_cast<std::size_t>(elements) * sizeof(float));
        made.push_back(&tensor);
    }
    pool.parallel_for(made.size(), [&](std::size_t i) { made[i]->data.resize(made[i]->data.capacity()); });
    return captures;
}

std::vector<int> slots_in_place(const run::Plan& plan) {
    std::vector<int> slots(plan.values.size(), run::absent);
    for (const run::Op& op : plan.ops) {
        // Only an edit writes a value that was captured already: what was captured must not change.
        if (const auto* edit = std::get_if<run::Edit>(&op))
            slots[static_cast<std::size_t>(edit->value)] = run::absent;
        const auto* capture = std::get_if<run::Capture>(&op);
        if (capture == nullptr) continue;
        int& slot = slots[static_cast<std::size_t>(capture->value)];
        if (slot == run::absent) slot = capture->slot;
    }
    return slots;
}

} // namespace vitrine::backend::cpu
