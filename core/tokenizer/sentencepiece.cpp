#include "core/tokenizer/sentencepiece.h"

#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/sentencepiece_normalizer.h"
#include "core/tokenizer/template_processor.h"
#include "core/tokenizer/unigram.h"

namespace vitrine::tokenizer {

namespace {

/// "▁the" → " the", "<0x0A>" → a line feed; the space that was added goes again.
Result<std::unique_ptr<Decoder>> make_piece_decoder(const SentencePieceRules& rules,
                                                    const std::string& where) {
    LargeJson steps = LargeJson::array();
    if (rules.escape_whitespaces)
        steps.push_back({{"type", "Replace"}, {"pattern", {{"String", "▁"}}}, {"content", " "}});
    steps.push_back({{"type", "ByteFallback"}});
    steps.push_back({{"type", "Fuse"}});
    // A space at the start goes wherever it may have been added, one behind the text stays, as in
    // sentencepiece.
    if (rules.add_dummy_prefix || rules.remove_extra_whitespaces)
        steps.push_back({{"type", "Strip"}, {"content", " "}, {"start", 1U}, {"stop", 0U}});
    const LargeJson json{{"type", "Sequence"}, {"decoders", std::move(steps)}};
    VITRINE_ASSIGN(const Component component, Component::open(json, where));
    return make_decoder(component);
}

Result<std::unique_ptr<Model>> make_scored_model(SentencePieceFile& file, MergeOrder order,
                                                 const std::string& where) {
    switch (file.kind) {
    case SentencePieceFile::Kind::unigram:
        return make_unigram(std::move(file.pieces), file.byte_fallback, where);
    case SentencePieceFile::Kind::bpe:
        return make_scored_bpe(file.pieces, file.byte_fallback, order, where);
    case SentencePieceFile::Kind::word:
    case SentencePieceFile::Kind::character:
        break;
    }
    return fail(
        Code::unsupported,
        fmt::format("{} is a sentencepiece model of words or characters; Vitrine reads the types Unigram "
                    "and BPE.",
                    where));
}

} // namespace

Result<Pipeline> make_scored_pipeline(ScoredTokenizer parts, const std::string& where) {
    SentencePieceFile& file = parts.file;
    Pipeline pipeline;
    std::vector<AddedToken> added;
    for (std::size_t id = 0; id < file.pieces.size(); ++id)
        if (file.pieces[id].kind == PieceKind::control) {
            AddedToken token;
            token.content = file.pieces[id].text;
            token.id = static_cast<std::int32_t>(id);
            token.normalized = false;
            token.special = true;
            added.push_back(std::move(token));
        }
    for (AddedToken& token : parts.added)
        added.push_back(std::move(token));
    VITRINE_ASSIGN(pipeline.decoder, make_piece_decoder(file.rules, where));
    pipeline.normalizer = make_sentencepiece_normalizer(std::move(file.rules), file.pieces);
    VITRINE_ASSIGN(pipeline.model, make_scored_model(file, parts.order, where));
    VITRINE_ASSIGN(pipeline.added, AddedTokens::make(std::move(added), pipeline.model->vocabulary(),
                                                     pipeline.normalizer.get()));
    if (!parts.before.empty() || !parts.after.empty())
        pipeline.post_processor = make_surrounding(std::move(parts.before), std::move(parts.after));
    pipeline.name = pipeline.model->name();
    pipeline.warnings = pipeline.model->warnings(false);
    return pipeline;
}

} // namespace vitrine::tokenizer
