#include "core/run/resolve.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace vitrine::run {

namespace {

bool is_pairs(const model::HookInfo& hook) { return hook.axes.back() == "key"; }

int heads_of(const model::HookInfo& hook) {
    if (is_pairs(hook)) return hook.shape[1];
    return hook.axes.size() == 4 ? hook.shape[2] : 1;
}

bool has_heads(const model::HookInfo& hook) { return hook.axes.size() == 4; }

/// Runs of consecutive indices, so that a list becomes few boxes.
std::vector<std::pair<int, int>> spans(std::vector<int> indices) {
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    std::vector<std::pair<int, int>> found;
    for (const int index : indices) {
        if (!found.empty() && found.back().second == index)
            ++found.back().second;
        else
            found.emplace_back(index, index + 1);
    }
    return found;
}

/// Positions of a row that a selector means, absolute; `length` counts the cached part too.
std::vector<int> positions_of(const Selector& selector, const RunRow& row, int length, int prompt_length) {
    std::vector<int> found;
    switch (selector.word) {
    case SelectorWord::none:
        return indices(selector, length, prompt_length);
    case SelectorWord::prompt:
        for (int i = 0; i < std::min(prompt_length, length); ++i)
            found.push_back(i);
        return found;
    case SelectorWord::generated:
        for (int i = prompt_length; i < length; ++i)
            found.push_back(i);
        return found;
    case SelectorWord::nonspecial:
        for (int i = 0; i < length; ++i) {
            const auto index = static_cast<std::size_t>(i);
            if (index >= row.special.size() || !row.special[index]) found.push_back(i);
        }
        return found;
    }
    return found;
}

EditKind kind_of(EditOp op) {
    switch (op) {
    case EditOp::scale:
        return EditKind::scale;
    case EditOp::add:
    case EditOp::add_vector:
        return EditKind::add;
    case EditOp::project_out:
        return EditKind::project_out;
    case EditOp::cap:
        return EditKind::cap;
    case EditOp::mask:
        return EditKind::mask;
    case EditOp::calibrate:
        return EditKind::calibrate;
    case EditOp::identity:
    case EditOp::sigmoid:
    case EditOp::parallel:
        return EditKind::take;
    case EditOp::zero:
    case EditOp::set:
    case EditOp::set_tensor:
    case EditOp::mean:
    case EditOp::from:
        return EditKind::set;
    }
    return EditKind::set;
}

/// Strides of a tensor over (position or query, head, channel or key), absolute indices.
struct TensorStrides {
    std::int64_t pos = 0, head = 0, channel = 1;
    std::int64_t positions = -1; ///< rows of positions it holds; −1: the same for all
    std::int64_t keys = -1;      ///< keys it holds; −1: not a tensor of pairs
};

Result<TensorStrides> strides_of(const Tensor& tensor, const model::HookInfo& hook, const EditSpec& edit) {
    const int heads = heads_of(hook);
    const int width = is_pairs(hook) ? -1 : hook.shape.back();
    const Shape& s = tensor.shape;
    TensorStrides strides;
    if (is_pairs(hook)) {
        if (s.size() == 3 && s[0] == heads) return TensorStrides{s[2], s[1] * s[2], 1, s[1], s[2]};
        if (s.size() == 2) return TensorStrides{s[1], 0, 1, s[0], s[1]};
    } else {
        if (s.size() == 1 && s[0] == width) return strides;
        if (s.size() == 1 && s[0] == std::int64_t{heads} * width) return TensorStrides{0, width, 1};
        if (s.size() == 2 && s[0] == heads && has_heads(hook) && s[1] == width)
            return TensorStrides{0, width, 1};
        if (s.size() == 2 && s[1] == std::int64_t{heads} * width) return TensorStrides{s[1], width, 1, s[0]};
        if (s.size() == 3 && s[1] == heads && s[2] == width)
            return TensorStrides{std::int64_t{heads} * width, width, 1, s[0]};
    }
    const std::string wanted = is_pairs(hook) ? fmt::format("[{}, queries, keys]", heads)
                               : has_heads(hook)
                                   ? fmt::format("[{1}], [{0}, {1}] or [positions, {0}, {1}]", heads, width)
                                   : fmt::format("[{0}] or [positions, {0}]", width);
    return fail(Code::usage, fmt::format("The tensor {}has shape [{}], but {} takes {}.",
                                         edit.source.empty() ? "" : edit.source + " ", fmt::join(s, ", "),
                                         hook.name, wanted));
}

/// The boxes of one edit at one hook.
class Resolver {
public:
    Resolver(const EditSpec& edit, const model::HookInfo& hook, const RowContext& context)
        : edit_(edit), hook_(hook), context_(context) {}

    Status resolve(std::vector<EditEntry>& out, std::vector<SharedTensor>& constants) {
        if (const auto found = edit_.tensors.find(hook_.name); found != edit_.tensors.end())
            tensor_ = found->second;
        else
            tensor_ = edit_.tensor;
        if (tensor_) {
            VITRINE_ASSIGN(strides_, strides_of(*tensor_, hook_, edit_));
            // Edits of a sweep share their arrays; neighbours do, so the last ones are looked at first.
            const auto same = std::find(constants.rbegin(), constants.rend(), tensor_);
            constant_ = static_cast<ConstantId>(std::distance(same, constants.rend()) - 1);
            if (same == constants.rend()) {
                constant_ = static_cast<ConstantId>(constants.size());
                constants.push_back(tensor_);
            }
        }
        const auto chosen = indices(edit_.row, context_.spec_rows);
        for (const int row : chosen) {
            const int local = row - context_.first_row;
            if (local < 0 || local >= static_cast<int>(context_.rows->size())) continue;
            VITRINE_TRY(resolve_row(local, out));
        }
        return {};
    }

private:
    Status resolve_row(int row, std::vector<EditEntry>& out) const {
        const auto index = static_cast<std::size_t>(row);
        const RunRow& tokens = (*context_.rows)[index];
        const int past = context_.past[index];
        const int length = past + static_cast<int>(tokens.ids.size());
        const auto positions = positions_of(edit_.pos, tokens, length, context_.prompt_length[index]);
        const int width = is_pairs(hook_) ? length : hook_.shape.back();
        const auto heads = spans(indices(edit_.head, heads_of(hook_)));
        const auto channels = spans(indices(is_pairs(hook_) ? edit_.key : edit_.channel, width));
        const auto reach = spans(positions);
        if (edit_.op == EditOp::calibrate && reach.size() > 1)
            return fail(Code::usage,
                        fmt::format("The edit of {} names several stretches of positions; calibrate "
                                    "judges keys by all queries and takes one stretch.",
                                    hook_.name));
        for (const auto& [begin, end] : reach) {
            const int first = std::max(begin, past);
            if (first >= end) continue;
            VITRINE_TRY(check_reach(end, width));
            for (const auto& [head_begin, head_end] : heads)
                for (const auto& [channel_begin, channel_end] : channels)
                    out.push_back(box(row, {first - past, end - past}, {head_begin, head_end},
                                      {channel_begin, channel_end}, first));
        }
        return {};
    }

    Status check_reach(int end, int width) const {
        if (!tensor_) return {};
        if (strides_.positions >= 0 && end > strides_.positions)
            return fail(Code::usage,
                        fmt::format("The edit of {} reaches position {}, but its tensor {}has {} positions.",
                                    hook_.name, end - 1, edit_.source.empty() ? "" : edit_.source + " ",
                                    strides_.positions));
        if (strides_.keys >= 0 && width > strides_.keys)
            return fail(Code::usage, fmt::format("The edit of {} reaches key {}, but its tensor has {} keys.",
                                                 hook_.name, width - 1, strides_.keys));
        return {};
    }

    EditEntry box(int row, std::pair<int, int> pos, std::pair<int, int> head, std::pair<int, int> channel,
                  int first_position) const {
        EditEntry entry{kind_of(edit_.op), row,         pos.first,     pos.second,
                        head.first,        head.second, channel.first, channel.second};
        entry.scalar = static_cast<float>(edit_.op == EditOp::zero ? 0.0 : edit_.value);
        entry.threshold = static_cast<float>(edit_.threshold);
        if (!tensor_) return entry;
        entry.tensor = constant_;
        entry.pos_stride = strides_.pos;
        entry.head_stride = strides_.head;
        entry.channel_stride = strides_.channel;
        entry.offset = (strides_.pos == 0 ? 0 : first_position * strides_.pos) + head.first * strides_.head +
                       channel.first * strides_.channel;
        return entry;
    }

    const EditSpec& edit_;
    const model::HookInfo& hook_;
    const RowContext& context_;
    SharedTensor tensor_;
    TensorStrides strides_;
    ConstantId constant_ = absent;
};

Status check_component(const Selector& selector, int size, const char* what, const EditSpec& edit,
                       const std::string& hook) {
    if (selector.all) return {};
    if (indices(selector, size).empty())
        return fail(Code::usage,
                    fmt::format("The edit of {} matches nothing: {}={} lies outside the {} there are "
                                "(hook {}).",
                                edit.hook, what, to_text(selector), size, hook));
    for (const SelectorRange& range : selector.ranges)
        if (range.single && (range.begin >= size || range.begin < -size))
            return fail(Code::usage, fmt::format("The edit of {} names {} {}, but {} has {}.", edit.hook,
                                                 what, range.begin, hook, size));
    return {};
}

/// Edits that put one operation in the place of another work where that operation writes.
Status check_place(const EditSpec& edit, const model::HookInfo& hook) {
    struct Place {
        EditOp op;
        const char* name;
        const char* hook;
    };
    constexpr std::array places{
        Place{EditOp::identity, "identity replaces the activation function", "mlp.hook_post"},
        Place{EditOp::sigmoid, "sigmoid replaces the softmax", "attn.hook_pattern"},
        Place{EditOp::parallel, "parallel gives the MLP the block's own input", "hook_mlp_in"}};
    for (const Place& place : places)
        if (edit.op == place.op && !hook.name.ends_with(std::string(".") + place.hook))
            return fail(Code::usage,
                        fmt::format("{} and works on {}, not on {}.", place.name, place.hook, hook.name));
    return {};
}

Status check_kinds(const EditSpec& edit, const model::HookInfo& hook) {
    VITRINE_TRY(check_place(edit, hook));
    if (!has_heads(hook) && !is_pairs(hook) && !edit.head.all)
        return fail(Code::usage, fmt::format("The edit names heads, but {} has no heads.", hook.name));
    if (!is_pairs(hook) && !edit.key.all)
        return fail(Code::usage,
                    fmt::format("The edit names keys, but {} has none; attn.hook_attn_scores and "
                                "attn.hook_pattern do.",
                                hook.name));
    if (is_pairs(hook) && !edit.channel.all)
        return fail(Code::usage,
                    fmt::format("The edit names channels, but {} has queries and keys.", hook.name));
    if (edit.op == EditOp::mask && !hook.name.ends_with("hook_attn_scores"))
        return fail(Code::usage,
                    fmt::format("mask sets scores to minus infinity and works on attn.hook_attn_scores, "
                                "not on {}; zero works on every hook.",
                                hook.name));
    if (edit.op == EditOp::calibrate && !hook.name.ends_with("hook_pattern"))
        return fail(
            Code::usage,
            fmt::format("calibrate moves attention between keys and works on attn.hook_pattern, not on "
                        "{}.",
                        hook.name));
    if (edit.by_position && edit.exclude_special)
        return fail(Code::usage, "A mean by position takes the tokens of each position as they are: leave "
                                 "exclude=special out.");
    if (edit.op == EditOp::calibrate && !edit.key.all)
        return fail(Code::usage, "calibrate finds its keys by itself: leave key= out.");
    if (is_pairs(hook) &&
        (edit.op == EditOp::mean || edit.op == EditOp::project_out || edit.op == EditOp::cap))
        return fail(Code::usage,
                    fmt::format("mean, project-out and cap need channels, and {} has none.", hook.name));
    return {};
}

} // namespace

bool needs_reference(const EditSpec& edit) {
    if (edit.op == EditOp::mean) return edit.tensors.empty();
    return edit.op == EditOp::from && edit.from_row >= 0 && edit.tensors.empty();
}

Status check_edit(const MatchedEdit& edit, const std::vector<RunRow>& rows, bool generating) {
    const EditSpec& spec = edit.spec;
    VITRINE_TRY(check_component(spec.row, static_cast<int>(rows.size()), "row", spec, spec.hook));
    if (spec.from_row >= static_cast<int>(rows.size()))
        return fail(Code::usage, fmt::format("The edit of {} takes row {}, but there are {} rows.", spec.hook,
                                             spec.from_row, rows.size()));
    for (const model::HookInfo& hook : edit.hooks) {
        VITRINE_TRY(check_kinds(spec, hook));
        VITRINE_TRY(check_component(spec.head, heads_of(hook), "head", spec, hook.name));
        if (!is_pairs(hook))
            VITRINE_TRY(check_component(spec.channel, hook.shape.back(), "channel", spec, hook.name));
    }
    if (generating) return {}; // rows still grow
    bool any_position = spec.pos.all;
    bool any_key = spec.key.all;
    for (const int row : indices(spec.row, static_cast<int>(rows.size()))) {
        const RunRow& tokens = rows[static_cast<std::size_t>(row)];
        const int length = static_cast<int>(tokens.ids.size());
        any_position = any_position || !positions_of(spec.pos, tokens, length, length).empty();
        any_key = any_key || !indices(spec.key, length).empty();
    }
    if (!any_position || !any_key)
        return fail(Code::usage,
                    fmt::format("The edit of {} matches nothing: no row has {}={}.", spec.hook,
                                any_position ? "key" : "pos", to_text(any_position ? spec.key : spec.pos)));
    return {};
}

Status resolve_edit(const MatchedEdit& edit, const RowContext& context, HookEdits& out,
                    std::vector<SharedTensor>& constants) {
    for (const model::HookInfo& hook : edit.hooks) {
        std::vector<EditEntry> entries;
        VITRINE_TRY(Resolver(edit.spec, hook, context).resolve(entries, constants));
        if (entries.empty()) continue;
        auto& all = out[hook.name];
        all.insert(all.end(), entries.begin(), entries.end());
    }
    return {};
}

} // namespace vitrine::run
