#include "core/analysis/sink_changes.h"

#include <algorithm>
#include <iterator>
#include <random>

namespace vitrine::analysis {

namespace {

constexpr const char* last_position = "1048576"; // beyond any row, so that continuations are in it

// Writes changes for one choice of layers.
class Writer {
public:
    Writer(const sdk::Start& start, const std::vector<int>& layers) : start_(start) {
        if (static_cast<int>(layers.size()) == start.model.layers) {
            blocks_.emplace_back("blocks.*.attn.");
        } else {
            for (const int layer : layers)
                blocks_.push_back("blocks." + std::to_string(layer) + ".attn.");
        }
    }

    bool empty() const { return blocks_.empty(); }

    /// Queries after the key do not see it.
    std::vector<std::string> mask(const std::vector<int>& keys) const {
        return each("hook_attn_scores", keys, [](int key) {
            const std::string at = std::to_string(key);
            return " pos=" + std::to_string(key + 1) + ":" + last_position + " key=" + at + " mask";
        });
    }
    std::vector<std::string> value(const std::vector<int>& keys, const char* operation) const {
        return each("hook_v", keys, [&](int key) { return " pos=" + std::to_string(key) + " " + operation; });
    }
    std::vector<std::string> calibrate() const {
        // The shortest text that reads back, whatever the locale.
        const std::string operation = " calibrate " + start_.parameters.at("beta").dump() + " " +
                                      start_.parameters.at("threshold").dump();
        return each("hook_pattern", {0}, [&](int) { return operation; });
    }

private:
    /// One edit a layer (one for all of them), and one a row where rows have the sink at different places.
    template <typename Words>
    std::vector<std::string> each(const std::string& hook, const std::vector<int>& keys, Words words) const {
        const bool same = std::all_of(keys.begin(), keys.end(), [&](int key) { return key == keys.front(); });
        std::vector<std::string> edits;
        for (const std::string& block : blocks_)
            for (std::size_t row = 0; row < (same ? 1 : keys.size()); ++row)
                edits.push_back(block + hook + (same ? "" : " row=" + std::to_string(row)) +
                                words(keys[row]));
        return edits;
    }

    const sdk::Start& start_;
    std::vector<std::string> blocks_;
};

/// In each row a token after the first that is not the sink.
std::vector<int> other_keys(const sdk::Start& start, const std::vector<int>& sinks, std::mt19937_64& random) {
    std::vector<int> keys;
    for (std::size_t row = 0; row < sinks.size(); ++row) {
        // Not the last: no query comes after it.
        const auto choices = static_cast<std::uint64_t>(start.rows[row].size() - 2);
        int key = static_cast<int>(random() % choices) + 1;
        if (key == sinks[row]) key = key > 1 ? key - 1 : key + 1;
        keys.push_back(key);
    }
    return keys;
}

/// Masks and values at `keys`, in the order of sink_changes().
std::vector<Change> changes_at(const Writer& writer, const Writer& later, const std::vector<int>& keys) {
    std::vector<Change> changes{{"mask", writer.mask(keys), {}}};
    if (!later.empty()) changes.push_back({"mask-later", later.mask(keys), {}});
    changes.push_back({"zero-value", writer.value(keys, "zero"), {}});
    changes.push_back({"token-mean", writer.value(keys, "mean"), {}});
    if (keys.size() > 1) changes.push_back({"row-mean", writer.value(keys, "mean by=position"), {}});
    return changes;
}

} // namespace

std::vector<Change> sink_changes(const sdk::Start& start, const std::vector<int>& keys,
                                 const std::vector<int>& layers, std::string& note) {
    std::vector<int> late;
    std::copy_if(layers.begin(), layers.end(), std::back_inserter(late),
                 [&](int layer) { return layer >= start.integer("from"); });
    const Writer writer(start, layers), later(start, late);
    if (later.empty())
        note += " mask-later is left out: no chosen layer comes at or after layer " +
                std::to_string(start.integer("from")) + ".";
    if (keys.size() < 2) note += " row-mean is left out: it needs several rows.";
    std::vector<Change> changes{{"clean", {}, {}}};
    for (Change& change : changes_at(writer, later, keys))
        changes.push_back(std::move(change));
    changes.push_back({"calibrate", writer.calibrate(), {}});
    const std::string window = "window=" + std::to_string(start.integer("window"));
    const bool reindexed = start.model.reindexable;
    if (!reindexed)
        note += " Positions are not counted inside the cache: those of this model (" +
                start.model.positional + ") cannot be.";
    changes.push_back({"window", {}, window});
    changes.push_back(
        {"sinks+window",
         {},
         window + " sinks=" + std::to_string(start.integer("sinks")) + (reindexed ? " reindexed" : "")});
    std::mt19937_64 random(static_cast<std::uint64_t>(start.integer("seed")));
    for (int draw = 0; draw < start.integer("draws"); ++draw) {
        int of = 0;
        for (Change& change : changes_at(writer, later, other_keys(start, keys, random))) {
            change.control_of = ++of;
            changes.push_back(std::move(change));
        }
    }
    return changes;
}

} // namespace vitrine::analysis
