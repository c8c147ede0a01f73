#pragma once
// All heads of one run whose patterns are not kept: the few that are looked at stand open, of the others what
// a thumbnail needs.
#include <list>
#include <mutex>
#include <optional>

#include "core/attention/open_head.h"

namespace vitrine::attention {

/// What stays of a head that was opened once.
struct HeadBrief {
    std::vector<Level> levels; ///< of at most HeadStore::brief_size cells a side, finest first
    std::vector<double> alpha; ///< by key
    double entropy = 0;        ///< mean over queries, nats
};

/// Safe to use from several threads at once.
class HeadStore {
public:
    static constexpr int brief_size = 128;

    /// By layer; nullopt: an intervention changes the layer's scores or patterns, so that its queries and
    /// keys do not tell them.
    HeadStore(std::vector<std::optional<LayerScores>> layers, int heads);

    int layers() const { return static_cast<int>(layers_.size()); }
    int heads() const { return heads_; }
    int tokens() const { return tokens_; }
    bool has_layer(int layer) const { return layers_[static_cast<std::size_t>(layer)].has_value(); }
    std::uint64_t bytes() const; ///< of queries and keys

    /// A head, with or without keys: from those that stand open, or read now. unsupported: see has_layer.
    Result<std::shared_ptr<const OpenHead>> open(int layer, int head, const std::vector<bool>& keys_out,
                                                 ThreadPool& pool, const CancelToken& cancel);
    /// nullptr if it does not stand open.
    std::shared_ptr<const OpenHead> find(int layer, int head, const std::vector<bool>& keys_out) const;
    /// Reads a head for its brief, without keeping it open; `keys_out` gives its other brief, that without
    /// these keys.
    Status read_brief(int layer, int head, const std::vector<bool>& keys_out, ThreadPool& pool,
                      const CancelToken& cancel);
    /// nullptr before the head was opened or read so.
    std::shared_ptr<const HeadBrief> brief(int layer, int head, bool keys_out = false) const;

private:
    struct Opened {
        int layer, head;
        std::vector<bool> keys_out;
        std::shared_ptr<const OpenHead> open;
    };
    std::size_t index(int layer, int head) const {
        return static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads_) +
               static_cast<std::size_t>(head);
    }
    Result<std::shared_ptr<const OpenHead>> read(int layer, int head, const OpenOptions& options,
                                                 ThreadPool& pool, const CancelToken& cancel);
    void note(int layer, int head, bool keys_out, const OpenHead& open);

    std::vector<std::optional<LayerScores>> layers_;
    int heads_;
    int tokens_ = 0;
    std::atomic<int> waited_for_{0}; ///< heads that are being opened: briefs give way to them
    mutable std::mutex mutex_;
    mutable std::list<Opened> open_;                          ///< the last used first
    std::vector<std::shared_ptr<const HeadBrief>> briefs_[2]; ///< plain, and with keys left out
};

} // namespace vitrine::attention
