#include "core/tokenizer/pipeline.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace vitrine::tokenizer {

namespace {

/// Makes the component under `key`, or null if there is none.
template <typename Made>
Result<std::unique_ptr<Made>> read_stage(const LargeJson& json, const char* key, std::string_view name,
                                         Result<std::unique_ptr<Made>> (*make)(const Component&)) {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return std::unique_ptr<Made>();
    VITRINE_ASSIGN(const Component component, Component::open(*found, fmt::format("{}: the {}", name, key)));
    return make(component);
}

/// True if a component of this type is here or within.
bool mentions(const LargeJson& json, std::string_view type) {
    if (json.is_object() && json.value("type", LargeJson()) == type) return true;
    return json.is_structured() && std::any_of(json.begin(), json.end(),
                                               [&](const LargeJson& inner) { return mentions(inner, type); });
}

bool spells_bytes(const LargeJson& json) {
    for (const char* key : {"normalizer", "pre_tokenizer"})
        if (const auto stage = json.find(key); stage != json.end() && mentions(*stage, "ByteLevel"))
            return true;
    return false;
}

Status tokenize_segment(const Pipeline& pipeline, Segment& segment, Model::Scratch& scratch,
                        std::vector<WordToken>& tokens, std::vector<Item>& items) {
    Words words;
    words.words = {{0, segment.text.text().size()}};
    words.text = std::move(segment.text);
    if (pipeline.pre_tokenizer) VITRINE_TRY(pipeline.pre_tokenizer->apply(words));
    const Vocabulary& vocabulary = pipeline.model->vocabulary();
    for (const Range& word : words.words) {
        tokens.clear();
        VITRINE_TRY(pipeline.model->tokenize(words.text.part(word), scratch, tokens));
        for (const WordToken& token : tokens)
            items.push_back({token.id, words.text.span({word.begin + token.begin, word.begin + token.end}),
                             vocabulary.token(token.id)});
    }
    return {};
}

} // namespace

Result<Pipeline> make_pipeline(const LargeJson& json, std::unique_ptr<Model> model, std::string_view name) {
    Pipeline pipeline;
    pipeline.model = std::move(model);
    VITRINE_ASSIGN(pipeline.normalizer, read_stage(json, "normalizer", name, make_normalizer));
    VITRINE_ASSIGN(pipeline.pre_tokenizer, read_stage(json, "pre_tokenizer", name, make_pre_tokenizer));
    VITRINE_ASSIGN(pipeline.post_processor, read_stage(json, "post_processor", name, make_post_processor));
    VITRINE_ASSIGN(pipeline.decoder, read_stage(json, "decoder", name, make_decoder));

    std::vector<AddedToken> added;
    if (const auto list = json.find("added_tokens"); list != json.end() && !list->is_null()) {
        VITRINE_ASSIGN(added, read_added_tokens(*list, fmt::format("{}: added_tokens", name)));
    }
    for (const AddedToken& token : added)
        if (const auto id = pipeline.model->vocabulary().id_of(token.content); id && *id != token.id)
            pipeline.warnings.push_back(
                fmt::format("{} gives \"{}\" the id {} in added_tokens but {} in vocab; the "
                            "latter counts.",
                            name, token.content, token.id, *id));
    VITRINE_ASSIGN(pipeline.added, AddedTokens::make(std::move(added), pipeline.model->vocabulary(),
                                                     pipeline.normalizer.get()));

    const bool spelled = spells_bytes(json);
    for (auto& warning : pipeline.model->warnings(spelled))
        pipeline.warnings.push_back(std::move(warning));
    pipeline.name = pipeline.model->name() + (spelled ? " (byte-level)" : "");
    if (pipeline.pre_tokenizer && pipeline.model->can_use_bytes() && pipeline.pre_tokenizer->leave_bytes())
        pipeline.model->use_bytes();
    return pipeline;
}

Result<Pipeline> read_pipeline(std::string_view text, std::string_view name) {
    VITRINE_ASSIGN(const LargeJson json, formats::parse_large_json(text, name));
    const auto found = json.is_object() ? json.find("model") : json.end();
    if (found == json.end() || !found->is_object())
        return fail(Code::malformed, fmt::format("{} has no \"model\", so it is not a tokenizer.", name));
    VITRINE_ASSIGN(const Component component, Component::open(*found, fmt::format("{}: the model", name)));
    VITRINE_ASSIGN(auto model, make_model(component));
    VITRINE_ASSIGN(Pipeline pipeline, make_pipeline(json, std::move(model), name));
    if (found->value("byte_fallback", LargeJson()) == true) pipeline.name += " (byte fallback)";
    const auto dropout = found->find("dropout");
    if (dropout != found->end() && dropout->is_number() && *dropout > 0)
        pipeline.warnings.push_back(
            fmt::format("{} asks for dropout of merges; Vitrine tokenizes without it.", name));
    return pipeline;
}

Result<std::vector<Item>> run_pipeline(const Pipeline& pipeline, std::string_view text, bool add_special,
                                       Model::Scratch& scratch, std::vector<Segment>& segments) {
    VITRINE_ASSIGN(segments, pipeline.added.cut(text, pipeline.normalizer.get()));
    std::vector<Item> items;
    std::vector<WordToken> tokens;
    for (Segment& segment : segments) {
        if (segment.added) {
            const Range all{0, segment.text.text().size()};
            items.push_back({*segment.added, segment.text.span(all), segment.text.text()});
        } else {
            VITRINE_TRY(tokenize_segment(pipeline, segment, scratch, tokens, items));
        }
    }
    if (pipeline.post_processor) pipeline.post_processor->process(items, text, add_special);
    return items;
}

} // namespace vitrine::tokenizer
