#include "core/tokenizer/decoder.h"

#include <utility>

#include "core/tokenizer/byte_decoders.h"
#include "core/tokenizer/text_decoders.h"
#include "core/tokenizer/word_decoders.h"

namespace vitrine::tokenizer {

namespace {

class SequenceDecoder final : public Decoder {
public:
    explicit SequenceDecoder(std::vector<std::unique_ptr<Decoder>> steps) : steps_(std::move(steps)) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        for (const auto& step : steps_)
            tokens = step->decode(std::move(tokens));
        return tokens;
    }

    std::string bytes(std::string token) const override {
        for (const auto& step : steps_)
            token = step->bytes(std::move(token));
        return token;
    }

private:
    std::vector<std::unique_ptr<Decoder>> steps_;
};

Result<std::unique_ptr<Decoder>> make_sequence(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("decoders"));
    std::vector<std::unique_ptr<Decoder>> steps;
    for (const auto& json : *list) {
        VITRINE_ASSIGN(const Component inner, component.inside(json));
        VITRINE_ASSIGN(auto step, make_decoder(inner));
        steps.push_back(std::move(step));
    }
    return std::make_unique<SequenceDecoder>(std::move(steps));
}

} // namespace

Result<std::unique_ptr<Decoder>> make_decoder(const Component& component) {
    const std::string type = component.type();
    if (type == "Sequence") return make_sequence(component);
    if (type == "ByteLevel") return make_byte_level_decoder();
    if (type == "ByteFallback") return make_byte_fallback_decoder();
    if (type == "Fuse") return make_fuse_decoder();
    if (type == "Strip") return make_strip_decoder(component);
    if (type == "Replace") return make_replace_decoder(component);
    if (type == "Metaspace") return make_metaspace_decoder(component);
    if (type == "WordPiece") return make_word_piece_decoder(component);
    if (type == "BPEDecoder") return make_suffix_decoder(component);
    return component.unknown_type("decoder");
}

} // namespace vitrine::tokenizer
