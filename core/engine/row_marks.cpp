#include "core/engine/row_marks.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/engine/engine.h"

namespace vitrine::engine {

namespace {

using tokenizer::Specials;
using tokenizer::Tokenizer;

std::string quoted_tokens(const Tokenizer& tokenizer, const std::vector<tokenizer::Token>& tokens) {
    std::string text;
    for (const tokenizer::Token& token : tokens)
        text += fmt::format("{}{}", text.empty() ? "" : " ", dump_json(tokenizer.token_text(token.id)));
    return text;
}

/// Of the row that the answer belongs to: the clean one of a pair. Nothing for ids.
std::optional<std::string> prompt_of(const PromptLine& line) {
    if (line.role.empty()) return line.ids ? std::nullopt : std::optional(line.text);
    const auto clean = line.fields.find("clean");
    if (clean == line.fields.end() || !clean->is_string()) return std::nullopt;
    return clean->get<std::string>();
}

class MarkReader {
public:
    MarkReader(const Tokenizer* tokenizer, const PromptLine& line)
        : tokenizer_(tokenizer), line_(line), prompt_(prompt_of(line)) {}

    Result<std::vector<std::int32_t>> ids(const char* name) const {
        const Json& value = line_.fields.at(name);
        std::vector<std::int32_t> ids;
        if (value.is_array() && value.empty())
            return fail(Code::malformed, fmt::format("{}: the {} is an empty list.", line_.where, name));
        for (const Json& item : value.is_array() ? value : Json::array({value})) {
            VITRINE_ASSIGN(const std::int32_t id, id_of(name, item));
            ids.push_back(id);
        }
        return ids;
    }

    Result<int> position() const {
        const Json& value = line_.fields.at("position");
        if (!value.is_number_integer() || value < INT32_MIN || value > INT32_MAX)
            return fail(Code::malformed, fmt::format("{}: the position must be a whole number, not {}.",
                                                     line_.where, dump_json(value)));
        return value.get<int>();
    }

private:
    Result<std::int32_t> id_of(const char* name, const Json& item) const {
        if (item.is_number_integer() && item >= 0 && item <= INT32_MAX) return item.get<std::int32_t>();
        if (!item.is_string())
            return fail(Code::malformed,
                        fmt::format("{}: the {} must be a text, a token's id or a list of these, not {}.",
                                    line_.where, name, dump_json(item)));
        if (tokenizer_ == nullptr)
            return fail(
                Code::unsupported,
                fmt::format("{}: the {} must be an id: this model has no tokenizer.", line_.where, name));
        const auto text = item.get<std::string>();
        if (const auto id = token_after(*tokenizer_, prompt_.value_or(""), text)) return *id;
        VITRINE_ASSIGN(const auto cut, tokenizer_->encode(text, Specials::none));
        return fail(Code::malformed,
                    fmt::format("{}: the {} {} must be exactly one token, and this model's tokenizer cuts it "
                                "into {} ({}); a leading space is part of a token.",
                                line_.where, name, dump_json(item), cut.size(),
                                quoted_tokens(*tokenizer_, cut)));
    }

    const Tokenizer* tokenizer_;
    const PromptLine& line_;
    std::optional<std::string> prompt_;
};

bool has_field(const PromptLine& line, const char* name) {
    const auto found = line.fields.find(name);
    return found != line.fields.end() && !found->is_null();
}

} // namespace

WantedMarks wanted_marks(const Json& manifest) {
    WantedMarks wanted;
    for (const Json& parameter : manifest.value("parameters", Json::array())) {
        const auto name = parameter.value("name", std::string());
        wanted.answer = wanted.answer || name == "answer";
        wanted.distractor = wanted.distractor || name == "distractor";
        wanted.position = wanted.position || name == "position";
    }
    return wanted;
}

std::optional<std::int32_t> token_after(const Tokenizer& tokenizer, std::string_view prompt,
                                        std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (!prompt.empty()) {
        const auto before = tokenizer.encode(prompt, Specials::none);
        const auto both = tokenizer.encode(std::string(prompt) + std::string(text), Specials::none);
        const bool longer = before && both && both->size() == before->size() + 1 &&
                            std::equal(before->begin(), before->end(), both->begin(),
                                       [](const auto& a, const auto& b) { return a.id == b.id; });
        if (longer) return both->back().id;
    }
    return tokenizer.single_token(text);
}

Result<run::RowMarks> read_marks(const Tokenizer* tokenizer, const PromptLine& line,
                                 const WantedMarks& wanted) {
    run::RowMarks marks;
    marks.role = line.role;
    const MarkReader reader(tokenizer, line);
    if (has_field(line, "answer")) {
        auto ids = reader.ids("answer");
        if (!ids && wanted.answer) return tl::unexpected(ids.error());
        if (ids) marks.answer = std::move(*ids);
    }
    if (has_field(line, "distractor")) {
        auto ids = reader.ids("distractor");
        if (!ids && wanted.distractor) return tl::unexpected(ids.error());
        if (ids) marks.distractor = std::move(*ids);
    }
    if (has_field(line, "position")) {
        const auto position = reader.position();
        if (!position && wanted.position) return tl::unexpected(position.error());
        if (position) marks.position = *position;
    }
    return marks;
}

Status check_marks(const model::ModelSpec& model, const std::vector<run::RunRow>& rows) {
    for (std::size_t row = 0; row < rows.size(); ++row) {
        const run::RowMarks& marks = rows[row].marks;
        for (const auto* ids : {&marks.answer, &marks.distractor})
            for (const std::int32_t id : *ids)
                if (id < 0 || id >= model.vocab)
                    return fail(Code::out_of_range,
                                fmt::format("Row {} has the {} {}, but the vocabulary has {} tokens.", row,
                                            ids == &marks.answer ? "answer" : "distractor", id, model.vocab));
        const int length = static_cast<int>(rows[row].ids.size());
        if (marks.position && (*marks.position < -length || *marks.position >= length))
            return fail(Code::out_of_range, fmt::format("Row {} has the position {}, but it has {} tokens.",
                                                        row, *marks.position, length));
    }
    return {};
}

Result<run::RunRow> row_of_line(const OpenModel& model, const PromptLine& line, Specials specials,
                                const WantedMarks* wanted) {
    const Tokenizer* tokenizer = model.tokenizer ? &*model.tokenizer : nullptr;
    run::RunRow row;
    if (line.ids) {
        row.ids = *line.ids;
        for (const std::int32_t id : row.ids)
            row.special.push_back(tokenizer != nullptr && tokenizer->is_special(id));
    } else {
        VITRINE_ASSIGN(row, encode_row(model, line.text, specials));
    }
    if (wanted != nullptr) {
        VITRINE_ASSIGN(row.marks, read_marks(tokenizer, line, *wanted));
    }
    return row;
}

} // namespace vitrine::engine
