#include "core/attention/head_store.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace vitrine::attention {

namespace {

constexpr std::size_t most_open = 6; // 14 MB each at 8,192 tokens

} // namespace

HeadStore::HeadStore(std::vector<std::optional<LayerScores>> layers, int heads)
    : layers_(std::move(layers)), heads_(heads) {
    for (auto& briefs : briefs_)
        briefs.resize(layers_.size() * static_cast<std::size_t>(heads));
    for (const auto& layer : layers_)
        if (layer) tokens_ = layer->tokens;
}

std::uint64_t HeadStore::bytes() const {
    std::uint64_t out = 0;
    for (const auto& layer : layers_)
        if (layer) out += (layer->q->data.size() + layer->k->data.size()) * sizeof(float);
    return out;
}

std::shared_ptr<const OpenHead> HeadStore::find(int layer, int head,
                                                const std::vector<bool>& keys_out) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const Opened& opened) {
        return opened.layer == layer && opened.head == head && opened.keys_out == keys_out;
    });
    if (found == open_.end()) return nullptr;
    open_.splice(open_.begin(), open_, found);
    return open_.front().open;
}

Result<std::shared_ptr<const OpenHead>> HeadStore::read(int layer, int head, const OpenOptions& options,
                                                        ThreadPool& pool, const CancelToken& cancel) {
    const auto& scores = layers_[static_cast<std::size_t>(layer)];
    if (!scores)
        return fail(
            Code::unsupported,
            fmt::format("An intervention changes the attention of layer {} itself: at {} tokens such "
                        "patterns are not kept, and queries and keys do not tell them. Switch it off, "
                        "or shorten the prompt.",
                        layer, tokens_));
    return OpenHead::open(*scores, head, options, pool, cancel);
}

Result<std::shared_ptr<const OpenHead>> HeadStore::open(int layer, int head,
                                                        const std::vector<bool>& keys_out, ThreadPool& pool,
                                                        const CancelToken& cancel) {
    if (auto standing = find(layer, head, keys_out)) return standing;
    OpenOptions options;
    options.keys_out = keys_out;
    ++waited_for_;
    auto read_now = read(layer, head, options, pool, cancel);
    --waited_for_;
    VITRINE_ASSIGN(const auto opened, std::move(read_now));
    note(layer, head, !keys_out.empty(), *opened);
    const std::lock_guard lock(mutex_);
    open_.push_front({layer, head, keys_out, opened});
    if (open_.size() > most_open) open_.pop_back();
    return opened;
}

Status HeadStore::read_brief(int layer, int head, const std::vector<bool>& keys_out, ThreadPool& pool,
                             const CancelToken& cancel) {
    if (brief(layer, head, !keys_out.empty())) return {};
    OpenOptions options;
    options.keys_out = keys_out;
    options.largest_level = brief_size;
    options.gives_way_to = &waited_for_;
    VITRINE_ASSIGN(const auto opened, read(layer, head, options, pool, cancel));
    note(layer, head, !keys_out.empty(), *opened);
    return {};
}

std::shared_ptr<const HeadBrief> HeadStore::brief(int layer, int head, bool keys_out) const {
    const std::lock_guard lock(mutex_);
    return briefs_[keys_out ? 1 : 0][index(layer, head)];
}

void HeadStore::note(int layer, int head, bool keys_out, const OpenHead& open) {
    auto brief = std::make_shared<HeadBrief>();
    for (const Level& level : open.levels())
        if (level.size <= brief_size) brief->levels.push_back(level);
    const HeadStatistics& found = open.statistics();
    brief->alpha = found.alpha;
    brief->entropy = std::accumulate(found.entropy.begin(), found.entropy.end(), 0.0) /
                     static_cast<double>(std::max<std::size_t>(1, found.entropy.size()));
    const std::lock_guard lock(mutex_);
    briefs_[keys_out ? 1 : 0][index(layer, head)] = std::move(brief);
}

} // namespace vitrine::attention
