#include "core/run/edit_text.h"

#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace vitrine::run {

namespace {

/// The layer of "blocks.N.attn.hook_z", or −1.
int layer_of_z(std::string_view hook) {
    constexpr std::string_view head = "blocks.", tail = ".attn.hook_z";
    if (!hook.starts_with(head) || !hook.ends_with(tail) || hook.size() <= head.size() + tail.size())
        return -1;
    const std::string_view digits = hook.substr(head.size(), hook.size() - head.size() - tail.size());
    int layer = -1;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
    return error == std::errc() && end == digits.data() + digits.size() ? layer : -1;
}

std::string file(const std::string& source) {
    return source.find(' ') == std::string::npos ? "@" + source : "@\"" + source + "\"";
}

std::string operation(const EditSpec& edit) {
    switch (edit.op) {
    case EditOp::zero:
        return "zero";
    case EditOp::mask:
        return "mask";
    case EditOp::scale:
        return fmt::format("scale {}", edit.value);
    case EditOp::add:
        return fmt::format("add {}", edit.value);
    case EditOp::set:
        return fmt::format("set {}", edit.value);
    case EditOp::add_vector:
        return fmt::format("add {}*{}", edit.value, file(edit.source));
    case EditOp::set_tensor:
        return "set " + file(edit.source);
    case EditOp::project_out:
        return "project-out " + file(edit.source);
    case EditOp::cap:
        return fmt::format("cap {} {}", edit.value, file(edit.source));
    case EditOp::mean:
        return "mean" + (edit.source.empty() ? std::string() : " " + file(edit.source)) +
               (edit.exclude_special ? " exclude=special" : "") + (edit.by_position ? " by=position" : "");
    case EditOp::calibrate:
        return fmt::format("calibrate {} {}", edit.value, edit.threshold);
    case EditOp::identity:
        return "identity";
    case EditOp::sigmoid:
        return "sigmoid";
    case EditOp::parallel:
        return "parallel";
    case EditOp::from:
        return "from " + (edit.source.empty() ? fmt::format("row={}", edit.from_row) : file(edit.source));
    }
    return {};
}

} // namespace

std::string to_text(const EditSpec& edit) {
    const int layer = layer_of_z(edit.hook);
    const bool one_head = !edit.head.all && edit.head.ranges.size() == 1 && edit.head.ranges.front().single &&
                          edit.head.ranges.front().begin >= 0;
    const bool short_name = layer >= 0 && one_head;
    std::string out = short_name ? fmt::format("L{}H{}", layer, edit.head.ranges.front().begin) : edit.hook;
    const auto add = [&](const char* name, const Selector& selector) {
        if (!selector.all) out += fmt::format(" {}={}", name, to_text(selector));
    };
    add("row", edit.row);
    add("pos", edit.pos);
    if (!short_name) add("head", edit.head);
    add("channel", edit.channel);
    add("key", edit.key);
    return out + " " + operation(edit);
}

} // namespace vitrine::run
