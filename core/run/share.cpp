#include "core/run/share.h"

#include <algorithm>
#include <tuple>

#include "core/run/token_flow.h"
#include "core/run/token_parts.h"

namespace vitrine::run {

namespace {

/// Where a version of a value lies in the new plan.
struct Placed {
    ValueId id = absent;
    int part = absent;
};

class Writer {
public:
    Writer(const Plan& plan, const TokenFlow& flow) : plan_(plan), flow_(flow), parts_(plan.batch) {
        out_.batch = plan.batch;
        out_.constants = plan.constants;
        out_.capture_slots = plan.capture_slots;
    }

    Plan write() {
        for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
            const auto& writes = flow_.of_op(i).writes;
            const bool unwanted = !writes.empty() && std::none_of(writes.begin(), writes.end(), [&](int id) {
                return flow_.version(id).wanted;
            });
            if (!unwanted) std::visit([&](const auto& op) { this->op(op, flow_.of_op(i)); }, plan_.ops[i]);
        }
        out_.parts = parts_.batches();
        return std::move(out_);
    }

private:
    Placed& placed(int version) { return placed_[version]; }

    ValueId new_value(ValueId like, int part) {
        Value value = plan_.values[static_cast<std::size_t>(like)];
        value.part = part;
        if (value.layout == Layout::tokens) value.count = parts_.size(part);
        out_.values.push_back(value);
        return static_cast<ValueId>(out_.values.size()) - 1;
    }

    /// A version's tokens where another part wants them: copies, made once.
    ValueId fetch(int version, int part) {
        const Placed from = placed(version);
        if (from.part == part) return from.id;
        const auto known = fetched_.find({version, part});
        if (known != fetched_.end()) return known->second;
        std::vector<int> places;
        for (int i = 0; i < parts_.size(part); ++i)
            places.push_back(place_of(version, parts_.token(part, i)));
        const ValueId out = new_value(flow_.version(version).value, part);
        out_.ops.emplace_back(Select{std::move(places), from.id, out});
        fetched_.emplace(std::pair{version, part}, out);
        return out;
    }

    /// Where a token of the batch, or the one that stands for it, lies in a version.
    int place_of(int version, int token) {
        const Version& of = flow_.version(version);
        const int computed = of.whole ? token : (*of.classes)[static_cast<std::size_t>(token)];
        return parts_.place(placed(version).part, computed);
    }

    int part_of(const OpVersions& at) {
        const Version& version = flow_.version(at.writes.front());
        const std::tuple key(version.classes, version.tokens, version.whole);
        const auto known = known_.find(key);
        if (known != known_.end()) return known->second;
        return known_.emplace(key, parts_.of(flow_.computed(version))).first->second;
    }

    /// Makes the values that an op writes, and names them in it.
    void write_to(const Places& places, const OpVersions& at, int part) {
        for (std::size_t i = 0; i < at.writes.size(); ++i) {
            const ValueId id = new_value(*places.writes[i], part);
            placed(at.writes[i]) = {id, part};
            *places.writes[i] = id;
        }
    }

    bool selected(const OpVersions& at) const {
        return std::any_of(at.reads.begin(), at.reads.end(),
                           [&](int id) { return flow_.version(id).selected; });
    }

    /// Values of selected tokens stay as they are.
    void copy(Op op, const OpVersions& at) {
        const Places places = places_of(op);
        for (std::size_t i = 0; i < places.reads.size(); ++i)
            *places.reads[i] = placed(at.reads[i]).id;
        for (std::size_t i = 0; i < at.writes.size(); ++i) {
            out_.values.push_back(plan_.values[static_cast<std::size_t>(*places.writes[i])]);
            const auto id = static_cast<ValueId>(out_.values.size()) - 1;
            placed(at.writes[i]) = {id, absent};
            *places.writes[i] = id;
        }
        out_.ops.push_back(std::move(op));
    }

    /// Ops that work on each token by itself, and those of whole rows.
    template <typename T>
    void op(const T& like, const OpVersions& at) {
        if (selected(at)) return copy(like, at);
        Op op = like;
        const Places places = places_of(op);
        const int part = part_of(at);
        for (std::size_t i = 0; i < places.reads.size(); ++i)
            *places.reads[i] = fetch(at.reads[i], part);
        write_to(places, at, part);
        if (auto* rotate = std::get_if<Rotate>(&op); rotate != nullptr && !rotate->first.empty()) {
            std::vector<int> first;
            for (int row = 0; row < parts_.batch(part).rows(); ++row)
                first.push_back(rotate->first[static_cast<std::size_t>(parts_.whole_row(part, row))]);
            rotate->first = std::move(first);
        }
        out_.ops.push_back(std::move(op));
    }

    /// Queries of some tokens, keys and values of the rows that they stand in.
    void op(const Attention& like, const OpVersions& at) {
        Op op = like;
        const Places places = places_of(op);
        const int part = part_of(at);
        const int seen = parts_.seen_by(part);
        for (std::size_t i = 0; i < places.reads.size(); ++i)
            *places.reads[i] = fetch(at.reads[i], i == 1 || i == 2 ? seen : part);
        write_to(places, at, part);
        out_.ops.push_back(std::move(op));
    }

    void op(const Edit& edit, const OpVersions& at) {
        const int part = part_of(at);
        Edit moved{fetch(at.reads.front(), part), {}, absent};
        if (edit.source != absent) moved.source = fetch(at.reads.back(), part);
        for (const EditEntry& entry : edit.entries)
            move(entry, part, moved.entries);
        placed(at.writes.front()) = {moved.value, part};
        if (!moved.entries.empty()) out_.ops.emplace_back(std::move(moved));
    }

    /// The pieces of a box that lie in a part.
    void move(const EditEntry& entry, int part, std::vector<EditEntry>& out) const {
        if (part == absent) return out.push_back(entry);
        const Batch& batch = parts_.batch(part);
        for (const int row : parts_.rows_of(part, entry.row)) {
            const int past = batch.past[static_cast<std::size_t>(row)];
            const int begin = std::max(entry.pos_begin, past);
            const int end = std::min(entry.pos_end, past + batch.queries(row));
            if (begin >= end) continue;
            EditEntry piece = entry;
            piece.row = row;
            piece.pos_begin = begin - past;
            piece.pos_end = end - past;
            piece.offset += (begin - entry.pos_begin) * entry.pos_stride;
            out.push_back(piece);
        }
    }

    void op(const Select& select, const OpVersions& at) {
        if (selected(at)) return copy(select, at);
        Select moved = select;
        for (int& row : moved.rows)
            row = place_of(at.reads.front(), row);
        copy(moved, at);
    }

    void op(const Capture& capture, const OpVersions& at) {
        if (selected(at)) return copy(capture, at);
        out_.ops.emplace_back(Capture{fetch(at.reads.front(), absent), capture.slot});
    }

    void op(const LogitStats& stats, const OpVersions& at) {
        if (selected(at)) return copy(stats, at);
        LogitStats moved = stats;
        for (int& row : moved.rows)
            row = place_of(at.reads.front(), row);
        copy(moved, at);
    }

    const Plan& plan_;
    const TokenFlow& flow_;
    TokenParts parts_;
    Plan out_;
    std::map<int, Placed> placed_;                             ///< by version
    std::map<std::tuple<Classes, TokenSet, bool>, int> known_; ///< parts that computed() gave
    std::map<std::pair<int, int>, ValueId> fetched_;           ///< by version and part
};

/// Caches hold whole rows, and values that must stay are asked for as they are.
bool may_share(const Plan& plan) {
    const bool past =
        std::any_of(plan.batch.past.begin(), plan.batch.past.end(), [](int n) { return n > 0; });
    const bool keeps =
        std::any_of(plan.values.begin(), plan.values.end(), [](const Value& value) { return value.keep; });
    const bool cached = std::any_of(plan.ops.begin(), plan.ops.end(),
                                    [](const Op& op) { return std::holds_alternative<CacheAppend>(op); });
    return !past && !keeps && !cached;
}

} // namespace

Plan share(Plan plan) {
    if (!may_share(plan)) return plan;
    const TokenFlow flow(plan);
    return Writer(plan, flow).write();
}

} // namespace vitrine::run
