// Placing values in one arena: first fit over the gaps that living values leave.
#include <algorithm>

#include "core/run/plan.h"

namespace vitrine::run {

namespace {

struct Life {
    int first = -1; // op that writes the value first
    int last = -1;  // op that touches it last
};

std::vector<Life> lives_of(const Plan& plan) {
    std::vector<Life> lives(plan.values.size());
    for (int i = 0; i < static_cast<int>(plan.ops.size()); ++i) {
        const Access access = access_of(plan.ops[static_cast<std::size_t>(i)]);
        for (const ValueId id : access.writes) {
            Life& life = lives[static_cast<std::size_t>(id)];
            if (life.first < 0) life.first = i;
            life.last = i;
        }
        for (const ValueId id : access.reads)
            lives[static_cast<std::size_t>(id)].last = i;
    }
    for (std::size_t id = 0; id < lives.size(); ++id)
        if (plan.values[id].keep) lives[id].last = static_cast<int>(plan.ops.size());
    return lives;
}

struct Placed {
    std::int64_t begin, end;
    int last;
};

} // namespace

ArenaLayout lay_out(const Plan& plan, std::int64_t align, Activations activations) {
    std::vector<std::int64_t> elements;
    for (ValueId id = 0; id < static_cast<ValueId>(plan.values.size()); ++id)
        elements.push_back(plan.elements(id));
    return lay_out(plan, align, elements, activations);
}

ArenaLayout lay_out(const Plan& plan, std::int64_t align, const std::vector<std::int64_t>& elements,
                    Activations activations) {
    const std::vector<Life> lives = lives_of(plan);
    std::vector<ValueId> by_birth;
    for (ValueId id = 0; id < static_cast<ValueId>(lives.size()); ++id)
        if (lives[static_cast<std::size_t>(id)].first >= 0) by_birth.push_back(id);
    std::stable_sort(by_birth.begin(), by_birth.end(), [&](ValueId a, ValueId b) {
        return lives[static_cast<std::size_t>(a)].first < lives[static_cast<std::size_t>(b)].first;
    });

    ArenaLayout layout;
    layout.offset.assign(plan.values.size(), absent);
    std::vector<Placed> living; // sorted by begin
    for (const ValueId id : by_birth) {
        const Life life = lives[static_cast<std::size_t>(id)];
        std::erase_if(living, [&](const Placed& placed) { return placed.last < life.first; });
        const auto* activate = std::get_if<Activate>(&plan.ops[static_cast<std::size_t>(life.first)]);
        if (activations == Activations::in_place && activate != nullptr && activate->out == id &&
            lives[static_cast<std::size_t>(activate->in)].last == life.first &&
            elements[static_cast<std::size_t>(activate->in)] == elements[static_cast<std::size_t>(id)]) {
            const std::int64_t begin = layout.offset[static_cast<std::size_t>(activate->in)];
            const auto taken = std::find_if(living.begin(), living.end(), [&](const Placed& placed) {
                return placed.begin == begin && placed.last == life.first;
            });
            if (taken != living.end()) {
                taken->last = life.last;
                layout.offset[static_cast<std::size_t>(id)] = begin;
                continue;
            }
        }
        const std::int64_t size = (elements[static_cast<std::size_t>(id)] + align - 1) / align * align;
        std::int64_t begin = 0;
        auto after = living.begin();
        for (; after != living.end() && begin + size > after->begin; ++after)
            begin = after->end;
        living.insert(after, Placed{begin, begin + size, life.last});
        layout.offset[static_cast<std::size_t>(id)] = begin;
        layout.elements = std::max(layout.elements, begin + size);
    }
    return layout;
}

} // namespace vitrine::run
