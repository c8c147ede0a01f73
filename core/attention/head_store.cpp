#include "core/attention/head_store.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

namespace vitrine::attention {

namespace {

constexpr std::size_t most_open = 6; // 14 MB each at 8,192 tokens

std::string changed(int layer, int tokens) {
    return fmt::format("An intervention changes the attention of layer {} itself: at {} tokens such patterns "
                       "are not kept, and queries and keys do not tell them. Switch it off, or shorten the "
                       "prompt.",
                       layer, tokens);
}

} // namespace

HeadStore::HeadStore(std::vector<std::optional<LayerScores>> layers, int heads)
    : layers_(std::move(layers)), heads_(heads) {
    for (const auto& layer : layers_)
        if (layer) tokens_ = layer->tokens;
}

HeadStore::HeadStore(std::shared_ptr<const HeadStore> a, std::shared_ptr<const HeadStore> minus)
    : layers_(a->layers_.size()), a_(std::move(a)), minus_(std::move(minus)), heads_(a_->heads_),
      tokens_(a_->tokens_) {}

bool HeadStore::has_layer(int layer) const {
    if (is_difference()) return a_->has_layer(layer) && minus_->has_layer(layer);
    return layers_[static_cast<std::size_t>(layer)].has_value();
}

std::uint64_t HeadStore::bytes() const {
    std::uint64_t out = 0;
    for (const auto& layer : layers_)
        if (layer) out += (layer->q->data.size() + layer->k->data.size()) * sizeof(float);
    return out;
}

void HeadStore::set_norms(int layer, std::shared_ptr<const ValueNorms> norms) {
    const std::lock_guard lock(mutex_);
    if (auto& scores = layers_[static_cast<std::size_t>(layer)]) scores->norms = std::move(norms);
}

bool HeadStore::has_norms(int layer) const {
    if (is_difference()) return a_->has_norms(layer) && minus_->has_norms(layer);
    const std::lock_guard lock(mutex_);
    const auto& scores = layers_[static_cast<std::size_t>(layer)];
    return scores && scores->norms;
}

std::optional<LayerScores> HeadStore::scores_of(int layer) const {
    const std::lock_guard lock(mutex_);
    return layers_[static_cast<std::size_t>(layer)];
}

std::shared_ptr<const OpenHead> HeadStore::find(int layer, int head, const Look& look) const {
    const std::lock_guard lock(mutex_);
    const auto found = std::find_if(open_.begin(), open_.end(), [&](const Opened& opened) {
        return opened.layer == layer && opened.head == head && opened.look == look;
    });
    if (found == open_.end()) return nullptr;
    open_.splice(open_.begin(), open_, found);
    return open_.front().open;
}

Result<std::shared_ptr<const OpenHead>> HeadStore::read(int layer, int head, OpenOptions options,
                                                        ThreadPool& pool, const CancelToken& cancel) {
    const auto scores = is_difference() ? a_->scores_of(layer) : scores_of(layer);
    const auto minus = is_difference() ? minus_->scores_of(layer) : std::nullopt;
    if (!scores || (is_difference() && !minus)) return fail(Code::unsupported, changed(layer, tokens_));
    if (minus) options.minus = &*minus;
    return OpenHead::open(*scores, head, options, pool, cancel);
}

Result<std::shared_ptr<const OpenHead>> HeadStore::open(int layer, int head, const Look& look,
                                                        ThreadPool& pool, const CancelToken& cancel) {
    if (auto standing = find(layer, head, look)) return standing;
    OpenOptions options;
    options.cells = look.cells;
    options.keys_out = look.keys_out;
    ++waited_for_;
    auto read_now = read(layer, head, std::move(options), pool, cancel);
    --waited_for_;
    VITRINE_ASSIGN(const auto opened, std::move(read_now));
    note(layer, head, look, *opened);
    const std::lock_guard lock(mutex_);
    open_.push_front({layer, head, look, opened});
    if (open_.size() > most_open) open_.pop_back();
    return opened;
}

Status HeadStore::read_brief(int layer, int head, const Look& look, ThreadPool& pool,
                             const CancelToken& cancel) {
    if (brief(layer, head, look.cells, !look.keys_out.empty())) return {};
    OpenOptions options;
    options.cells = look.cells;
    options.keys_out = look.keys_out;
    options.largest_level = brief_size;
    options.gives_way_to = &waited_for_;
    VITRINE_ASSIGN(const auto opened, read(layer, head, std::move(options), pool, cancel));
    note(layer, head, look, *opened);
    return {};
}

std::shared_ptr<const HeadBrief>& HeadStore::brief_of(int layer, int head, Cells cells, bool keys_out) const {
    const std::size_t kind = cells == Cells::score            ? 2
                             : cells == Cells::value_weighted ? 3
                             : keys_out                       ? 1
                                                              : 0;
    auto& briefs = briefs_[kind];
    briefs.resize(layers_.size() * static_cast<std::size_t>(heads_));
    return briefs[static_cast<std::size_t>(layer) * static_cast<std::size_t>(heads_) +
                  static_cast<std::size_t>(head)];
}

std::shared_ptr<const HeadBrief> HeadStore::brief(int layer, int head, Cells cells, bool keys_out) const {
    const std::lock_guard lock(mutex_);
    return brief_of(layer, head, cells, keys_out);
}

void HeadStore::note(int layer, int head, const Look& look, const OpenHead& open) {
    auto brief = std::make_shared<HeadBrief>();
    for (const Level& level : open.levels())
        if (level.size <= brief_size) brief->levels.push_back(level);
    const HeadStatistics& found = open.statistics();
    brief->alpha = found.alpha;
    brief->entropy = std::accumulate(found.entropy.begin(), found.entropy.end(), 0.0) /
                     static_cast<double>(std::max<std::size_t>(1, found.entropy.size()));
    brief->smallest = open.smallest();
    const std::lock_guard lock(mutex_);
    brief_of(layer, head, look.cells, !look.keys_out.empty()) = std::move(brief);
}

} // namespace vitrine::attention
