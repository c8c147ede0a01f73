// What a query may look at, as text and against a model: "window=64 sinks=4 reindexed heads=L0H3,L2H1".
#include "core/run/attention_policy.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include <fmt/format.h>

namespace vitrine::run {

namespace {

constexpr int most_heads = 128; // AttentionSpec::streaming has a bit for each

std::optional<int> whole(std::string_view text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return value;
}

std::vector<std::string_view> split(std::string_view text, char at) {
    std::vector<std::string_view> parts;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find(at), text.size());
        if (end > 0) parts.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return parts;
}

/// "L3H5" into the policy's heads.
bool add_head(std::string_view name, AttentionPolicy& policy) {
    const std::size_t middle = name.find('H');
    if (!name.starts_with('L') || middle == std::string_view::npos) return false;
    const auto layer = whole(name.substr(1, middle - 1));
    const auto head = whole(name.substr(middle + 1));
    if (!layer || !head || *layer < 0 || *head < 0 || *layer > 100000) return false;
    const auto lines = static_cast<std::size_t>(*layer) + 1;
    if (policy.heads.size() < lines) policy.heads.resize(lines);
    auto& heads = policy.heads[lines - 1];
    if (std::find(heads.begin(), heads.end(), *head) == heads.end()) heads.push_back(*head);
    return true;
}

} // namespace

Result<AttentionPolicy> parse_policy(std::string_view text) {
    const auto wrong = [&](const std::string& why) {
        return fail(Code::usage,
                    fmt::format("The attention \"{}\" cannot be read: {}; write window=W [sinks=S] "
                                "[reindexed] [heads=L0H1,L2H3].",
                                text, why));
    };
    AttentionPolicy policy;
    for (const std::string_view word : split(text, ' ')) {
        const std::size_t equals = word.find('=');
        const std::string_view key = word.substr(0, equals);
        const std::string_view value =
            equals == std::string_view::npos ? std::string_view() : word.substr(equals + 1);
        if (word == "reindexed") {
            policy.reindexed = true;
        } else if (key == "window" || key == "sinks") {
            const auto number = whole(value);
            if (!number || *number < (key == "window" ? 1 : 0))
                return wrong(fmt::format("\"{}\" is no number of tokens", word));
            (key == "window" ? policy.window : policy.sinks) = *number;
        } else if (key == "heads" && !value.empty()) {
            for (const std::string_view name : split(value, ','))
                if (!add_head(name, policy)) return wrong(fmt::format("\"{}\" is no head", name));
        } else {
            return wrong(fmt::format("\"{}\" is unknown", word));
        }
    }
    if (policy.window == 0 && !text.empty()) return wrong("it names no window");
    return policy;
}

std::string to_text(const AttentionPolicy& policy) {
    if (policy.window == 0) return {};
    std::string text = fmt::format("window={}", policy.window);
    if (policy.sinks > 0) text += fmt::format(" sinks={}", policy.sinks);
    if (policy.reindexed) text += " reindexed";
    std::string heads;
    for (std::size_t layer = 0; layer < policy.heads.size(); ++layer)
        for (const int head : policy.heads[layer])
            heads += fmt::format("{}L{}H{}", heads.empty() ? "" : ",", layer, head);
    return heads.empty() ? text : text + " heads=" + heads;
}

void set_policy(const AttentionPolicy& policy, int layer, AttentionSpec& attention) {
    if (policy.window == 0) return;
    attention.stream_window = policy.window;
    attention.sinks = policy.sinks;
    if (policy.heads.empty()) {
        attention.streaming.fill(~0U);
    } else if (static_cast<std::size_t>(layer) < policy.heads.size()) {
        for (const int head : policy.heads[static_cast<std::size_t>(layer)])
            attention.streaming[static_cast<std::size_t>(head) / 32] |= 1U
                                                                        << (static_cast<unsigned>(head) % 32);
    }
}

bool rotates_for_sinks(const model::ModelSpec& model, int layer, const AttentionPolicy& policy) {
    return policy.window > 0 && policy.reindexed && policy.sinks > 0 && model.rotary_index(layer) >= 0;
}

Status check_policy(const model::ModelSpec& model, const AttentionPolicy& policy) {
    if (policy.window == 0) return {};
    if (policy.window < 0 || policy.sinks < 0)
        return fail(Code::out_of_range, "An attention window and its sinks cannot be negative.");
    if (policy.reindexed && model.positional != model::Positional::rotary)
        return fail(
            Code::unsupported,
            fmt::format("Positions cannot be counted inside a cache here: this model's are {}, and only "
                        "rotary ones can be; leave reindexed out.",
                        model::name_of(model.positional)));
    for (const model::RotarySpec& rotary : model.rotaries)
        if (policy.reindexed && rotary.long_from > 0)
            return fail(Code::unsupported,
                        "Positions cannot be counted inside a cache here: this model rotates "
                        "long rows otherwise than short ones; leave reindexed out.");
    for (std::size_t layer = 0; layer < policy.heads.size(); ++layer)
        for (const int head : policy.heads[layer])
            if (static_cast<int>(layer) >= model.layers || head >= model.heads)
                return fail(Code::out_of_range,
                            fmt::format("There is no head L{}H{}: the model has {} layers of {} heads.",
                                        layer, head, model.layers, model.heads));
    if (model.heads > most_heads)
        return fail(
            Code::unsupported,
            fmt::format("A cache of sinks and a window works on up to {} heads a layer; this model has "
                        "{}.",
                        most_heads, model.heads));
    return {};
}

} // namespace vitrine::run
