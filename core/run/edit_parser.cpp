// The grammar of --edit: HOOK [row=R] [pos=P] [head=H] [channel=C] [key=K] OP [VALUE]
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

#include "core/run/run_spec.h"

namespace vitrine::run {

namespace {

/// Splits at spaces; a part in quotes may hold spaces and keeps what stands before the quote ("@\"my
/// file\"").
Result<std::vector<std::string>> words_of(std::string_view text) {
    std::vector<std::string> words;
    std::string word;
    bool quoted = false;
    bool started = false;
    for (const char c : text) {
        if (c == '"') {
            quoted = !quoted;
            started = true;
        } else if (c == ' ' && !quoted) {
            if (started) words.push_back(std::exchange(word, {}));
            started = false;
        } else {
            word += c;
            started = true;
        }
    }
    if (quoted)
        return fail(Code::usage, fmt::format("The edit \"{}\" opens a quote and does not close it.", text));
    if (started) words.push_back(word);
    return words;
}

std::optional<double> number(std::string_view text) {
    double value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size() || !std::isfinite(value))
        return std::nullopt;
    return value;
}

class Parser {
public:
    explicit Parser(std::string_view text) : text_(text) {}

    Result<EditSpec> parse() {
        VITRINE_ASSIGN(words_, words_of(text_));
        if (words_.size() < 2) return wrong("it needs a hook and an operation");
        edit_.hook = words_[0];
        expand_head();
        next_ = 1;
        VITRINE_TRY(selectors());
        if (next_ >= words_.size()) return wrong("it names no operation");
        VITRINE_TRY(operation(words_[next_++]));
        if (next_ < words_.size()) return wrong(fmt::format("\"{}\" is left over", words_[next_]));
        return edit_;
    }

private:
    tl::unexpected<Error> wrong(const std::string& why) const {
        return fail(Code::usage,
                    fmt::format("The edit \"{}\" cannot be read: {}; write HOOK [row=] [pos=] [head=] "
                                "[channel=] [key=] OP [VALUE].",
                                text_, why));
    }

    /// L3H5 stands for that head's hook_z.
    void expand_head() {
        const std::string& hook = edit_.hook;
        const std::size_t head = hook.find('H');
        if (!hook.starts_with('L') || head == std::string::npos) return;
        const auto layer = number(std::string_view(hook).substr(1, head - 1));
        const auto index = number(std::string_view(hook).substr(head + 1));
        if (!layer || !index) return;
        edit_.head = Selector::one(static_cast<int>(*index));
        edit_.hook = fmt::format("blocks.{}.attn.hook_z", static_cast<int>(*layer));
    }

    Status selectors() {
        for (; next_ < words_.size(); ++next_) {
            const std::string& word = words_[next_];
            const std::size_t equals = word.find('=');
            if (equals == std::string::npos) return {};
            const std::string key = word.substr(0, equals);
            Selector* target = key == "row"       ? &edit_.row
                               : key == "pos"     ? &edit_.pos
                               : key == "head"    ? &edit_.head
                               : key == "channel" ? &edit_.channel
                               : key == "key"     ? &edit_.key
                                                  : nullptr;
            if (target == nullptr) return wrong(fmt::format("\"{}\" selects nothing it knows", key));
            VITRINE_ASSIGN(*target, parse_selector(std::string_view(word).substr(equals + 1), key == "pos"));
        }
        return {};
    }

    Result<std::string> value(const std::string& op) {
        if (next_ >= words_.size()) return wrong(fmt::format("{} needs a value", op));
        return words_[next_++];
    }

    Status scalar(const std::string& op) {
        VITRINE_ASSIGN(const std::string text, value(op));
        const auto parsed = number(text);
        if (!parsed) return wrong(fmt::format("\"{}\" is no number", text));
        edit_.value = *parsed;
        return {};
    }

    Status file(const std::string& op) {
        VITRINE_ASSIGN(const std::string text, value(op));
        if (!text.starts_with('@') || text.size() < 2)
            return wrong(fmt::format("{} needs a file, written @FILE", op));
        edit_.source = text.substr(1);
        return {};
    }

    /// `X`, or `X*@F.npy`, or `@F.npy`.
    Status added(const std::string& text) {
        const std::size_t at = text.find('@');
        if (at == std::string::npos) {
            const auto parsed = number(text);
            if (!parsed) return wrong(fmt::format("\"{}\" is no number", text));
            edit_.op = EditOp::add;
            edit_.value = *parsed;
            return {};
        }
        edit_.op = EditOp::add_vector;
        edit_.source = text.substr(at + 1);
        edit_.value = 1;
        if (at == 0) return {};
        const auto factor = number(std::string_view(text).substr(0, at - 1));
        if (text[at - 1] != '*' || !factor) return wrong(fmt::format("\"{}\" should read X*@FILE", text));
        edit_.value = *factor;
        return {};
    }

    Status mean() {
        edit_.op = EditOp::mean;
        for (; next_ < words_.size(); ++next_) {
            const std::string& word = words_[next_];
            if (word == "exclude=special")
                edit_.exclude_special = true;
            else if (word == "by=position")
                edit_.by_position = true;
            else if (word.starts_with('@') && word.size() > 1)
                edit_.source = word.substr(1);
            else
                return wrong(fmt::format(
                    "after mean come @PROMPTS, exclude=special and by=position, not \"{}\"", word));
        }
        return {};
    }

    Status from() {
        edit_.op = EditOp::from;
        VITRINE_ASSIGN(const std::string text, value("from"));
        if (text.starts_with('@') && text.size() > 1) {
            edit_.source = text.substr(1);
            return {};
        }
        const auto row = text.starts_with("row=") ? number(std::string_view(text).substr(4)) : std::nullopt;
        if (!row || *row < 0 || *row != std::floor(*row))
            return wrong(fmt::format("\"{}\" should read @FILE.h5:row or row=R", text));
        edit_.from_row = static_cast<int>(*row);
        return {};
    }

    /// `calibrate BETA THRESHOLD`
    Status calibrate() {
        edit_.op = EditOp::calibrate;
        VITRINE_TRY(scalar("calibrate"));
        const double beta = edit_.value;
        VITRINE_TRY(scalar("calibrate"));
        edit_.threshold = std::exchange(edit_.value, beta);
        if (beta < 0 || beta > 1 || edit_.threshold < 0 || edit_.threshold > 1)
            return wrong("beta and threshold of calibrate lie between 0 and 1");
        return {};
    }

    Status operation(const std::string& op) {
        if (op == "zero" || op == "mask") {
            edit_.op = op == "zero" ? EditOp::zero : EditOp::mask;
            return {};
        }
        if (op == "identity" || op == "sigmoid" || op == "parallel") {
            edit_.op = op == "identity"  ? EditOp::identity
                       : op == "sigmoid" ? EditOp::sigmoid
                                         : EditOp::parallel;
            return {};
        }
        if (op == "scale") {
            edit_.op = EditOp::scale;
            return scalar(op);
        }
        if (op == "add") {
            VITRINE_ASSIGN(const std::string text, value(op));
            return added(text);
        }
        if (op == "set") {
            if (next_ < words_.size() && words_[next_].starts_with('@')) {
                edit_.op = EditOp::set_tensor;
                return file(op);
            }
            edit_.op = EditOp::set;
            return scalar(op);
        }
        if (op == "project-out") {
            edit_.op = EditOp::project_out;
            return file(op);
        }
        if (op == "cap") {
            edit_.op = EditOp::cap;
            VITRINE_TRY(scalar(op));
            return file(op);
        }
        if (op == "calibrate") return calibrate();
        if (op == "mean") return mean();
        if (op == "from") return from();
        if (op == "splice" || op == "feature")
            return fail(Code::unsupported,
                        fmt::format("The edit \"{}\" needs a dictionary, which this version cannot open yet.",
                                    text_));
        return wrong(fmt::format("\"{}\" is no operation; there are zero, scale, add, set, mask, mean, from, "
                                 "project-out, cap, calibrate, identity, sigmoid and parallel",
                                 op));
    }

    std::string_view text_;
    std::vector<std::string> words_;
    std::size_t next_ = 0;
    EditSpec edit_;
};

} // namespace

Result<EditSpec> parse_edit(std::string_view text) { return Parser(text).parse(); }

} // namespace vitrine::run
