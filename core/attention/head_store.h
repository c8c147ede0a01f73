#pragma once
// All heads of one run whose patterns are not kept: the few that are looked at stand open, of the others what
// a thumbnail needs.
#include <array>
#include <list>
#include <mutex>
#include <optional>

#include "core/attention/open_head.h"

namespace vitrine::attention {

/// What is looked at.
struct Look {
    Cells cells = Cells::weight;
    std::vector<bool> keys_out = {}; ///< see OpenOptions
    bool operator==(const Look&) const = default;
};

/// What stays of a head that was opened once.
struct HeadBrief {
    std::vector<Level> levels; ///< of at most HeadStore::brief_size cells a side, finest first
    std::vector<double> alpha; ///< by key; zeros where the cells are no weights
    double entropy = 0;        ///< mean over queries, nats
    float smallest = 0;        ///< of scores: the smallest

    /// The largest cell, of differences the one farthest from zero.
    float largest() const { return levels.empty() ? 0 : levels.back().largest.front(); }
};

/// Safe to use from several threads at once.
class HeadStore {
public:
    static constexpr int brief_size = 128;

    /// By layer; nullopt: an intervention changes the layer's scores or patterns, so that its queries and
    /// keys do not tell them.
    HeadStore(std::vector<std::optional<LayerScores>> layers, int heads);
    /// Differences between the heads of two runs of the same shape and as many tokens.
    HeadStore(std::shared_ptr<const HeadStore> a, std::shared_ptr<const HeadStore> minus);

    int layers() const { return static_cast<int>(layers_.size()); }
    int heads() const { return heads_; }
    int tokens() const { return tokens_; }
    bool is_difference() const { return minus_ != nullptr; }
    bool has_layer(int layer) const;
    std::uint64_t bytes() const; ///< of queries and keys

    /// Norms of a layer's values, which Cells::value_weighted needs.
    void set_norms(int layer, std::shared_ptr<const ValueNorms> norms);
    bool has_norms(int layer) const;

    /// A head: from those that stand open, or read now. unsupported: see has_layer; not_found: see has_norms.
    Result<std::shared_ptr<const OpenHead>> open(int layer, int head, const Look& look, ThreadPool& pool,
                                                 const CancelToken& cancel);
    /// nullptr if it does not stand open.
    std::shared_ptr<const OpenHead> find(int layer, int head, const Look& look) const;
    /// Reads a head for its brief, without keeping it open. Of briefs without keys there is one a head.
    Status read_brief(int layer, int head, const Look& look, ThreadPool& pool, const CancelToken& cancel);
    /// nullptr before the head was opened or read so.
    std::shared_ptr<const HeadBrief> brief(int layer, int head, Cells cells = Cells::weight,
                                           bool keys_out = false) const;

private:
    struct Opened {
        int layer, head;
        Look look;
        std::shared_ptr<const OpenHead> open;
    };
    std::size_t index(int layer, int head) const {
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads_) +
               static_cast<std::size_t>(head);
    }
    std::optional<LayerScores> scores_of(int layer) const;
    std::shared_ptr<const HeadBrief>& brief_of(int layer, int head, Cells cells, bool keys_out) const;
    Result<std::shared_ptr<const OpenHead>> read(int layer, int head, OpenOptions options, ThreadPool& pool,
                                                 const CancelToken& cancel);
    void note(int layer, int head, const Look& look, const OpenHead& open);

    std::vector<std::optional<LayerScores>> layers_; ///< of a difference: see a_
    std::shared_ptr<const HeadStore> a_, minus_;     ///< of a difference
    int heads_;
    int tokens_ = 0;
    std::atomic<int> waited_for_{0}; ///< heads that are being opened: briefs give way to them
    mutable std::mutex mutex_;
    mutable std::list<Opened> open_; ///< the last used first
    /// Weights, weights with keys left out, scores, weighted values; empty until one is noted.
    mutable std::array<std::vector<std::shared_ptr<const HeadBrief>>, 4> briefs_;
};

} // namespace vitrine::attention
