#include "core/tokenizer/normalizer.h"

#include <utility>

#include "core/tokenizer/bert_normalizer.h"
#include "core/tokenizer/precompiled.h"
#include "core/tokenizer/text_normalizers.h"
#include "core/tokenizer/unicode_normalizer.h"

namespace vitrine::tokenizer {

namespace {

class SequenceNormalizer final : public Normalizer {
public:
    explicit SequenceNormalizer(std::vector<std::unique_ptr<Normalizer>> steps) : steps_(std::move(steps)) {}

    Status apply(AlignedText& text) const override {
        for (const auto& step : steps_)
            VITRINE_TRY(step->apply(text));
        return {};
    }

private:
    std::vector<std::unique_ptr<Normalizer>> steps_;
};

Result<std::unique_ptr<Normalizer>> make_sequence(const Component& component) {
    VITRINE_ASSIGN(const LargeJson* list, component.list("normalizers"));
    std::vector<std::unique_ptr<Normalizer>> steps;
    for (const auto& json : *list) {
        VITRINE_ASSIGN(const Component inner, component.inside(json));
        VITRINE_ASSIGN(auto step, make_normalizer(inner));
        steps.push_back(std::move(step));
    }
    return make_sequence_normalizer(std::move(steps));
}

} // namespace

std::unique_ptr<Normalizer> make_sequence_normalizer(std::vector<std::unique_ptr<Normalizer>> steps) {
    return std::make_unique<SequenceNormalizer>(std::move(steps));
}

Result<std::unique_ptr<Normalizer>> make_normalizer(const Component& component) {
    const std::string type = component.type();
    if (type == "Sequence") return make_sequence(component);
    if (type == "NFC") return make_unicode_normalizer(UnicodeForm::nfc);
    if (type == "NFD") return make_unicode_normalizer(UnicodeForm::nfd);
    if (type == "NFKC") return make_unicode_normalizer(UnicodeForm::nfkc);
    if (type == "NFKD") return make_unicode_normalizer(UnicodeForm::nfkd);
    if (type == "Prepend") return make_prepend(component);
    if (type == "Replace") return make_replace(component);
    if (type == "Strip") return make_strip(component);
    if (type == "Lowercase") return make_lowercase();
    if (type == "StripAccents") return make_strip_accents();
    if (type == "Nmt") return make_nmt();
    if (type == "Precompiled") return make_precompiled(component);
    if (type == "BertNormalizer") return make_bert_normalizer(component);
    if (type == "ByteLevel") return make_byte_level_normalizer();
    return component.unknown_type("normalizer");
}

} // namespace vitrine::tokenizer
