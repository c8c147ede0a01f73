#include "core/tokenizer/bert_normalizer.h"

#include <utility>

#include "core/tokenizer/map_characters.h"
#include "core/tokenizer/text_normalizers.h"
#include "core/tokenizer/unicode.h"
#include "core/tokenizer/unicode_normalizer.h"

namespace vitrine::tokenizer {

namespace {

bool is_chinese(char32_t c) {
    return (c >= 0x4E00 && c <= 0x9FFF) || (c >= 0x3400 && c <= 0x4DBF) || (c >= 0x20000 && c <= 0x2A6DF) ||
           (c >= 0x2A700 && c <= 0x2B81F) || (c >= 0x2B920 && c <= 0x2CEAF) || (c >= 0xF900 && c <= 0xFAFF) ||
           (c >= 0x2F800 && c <= 0x2FA1F);
}

std::unique_ptr<Normalizer> make_cleaning() {
    return map_characters([](char32_t value, auto put) {
        const bool line_end_or_tab = value == '\t' || value == '\n' || value == '\r';
        if (value == 0xFFFD || (is_control(value) && !line_end_or_tab))
            return; // U+0085 too, a space otherwise
        put(is_whitespace(value) ? U' ' : value);
    });
}

std::unique_ptr<Normalizer> make_spaces_around_chinese() {
    return map_characters([](char32_t value, auto put) {
        const bool chinese = is_chinese(value);
        if (chinese) put(U' ');
        put(value);
        if (chinese) put(U' ');
    });
}

std::unique_ptr<Normalizer> make_without_nonspacing_marks() {
    return map_characters([](char32_t value, auto put) {
        if (!is_nonspacing_mark(value)) put(value);
    });
}

} // namespace

Result<std::unique_ptr<Normalizer>> make_bert_normalizer(const Component& component) {
    VITRINE_ASSIGN(const bool cleans, component.flag("clean_text", true));
    VITRINE_ASSIGN(const bool splits_chinese, component.flag("handle_chinese_chars", true));
    VITRINE_ASSIGN(const bool lowers, component.flag("lowercase", true));
    VITRINE_ASSIGN(const bool strips, component.flag("strip_accents", lowers));
    std::vector<std::unique_ptr<Normalizer>> steps;
    if (cleans) steps.push_back(make_cleaning());
    if (splits_chinese) steps.push_back(make_spaces_around_chinese());
    if (strips) {
        steps.push_back(make_unicode_normalizer(UnicodeForm::nfd));
        steps.push_back(make_without_nonspacing_marks());
    }
    if (lowers) steps.push_back(make_lowercase());
    return make_sequence_normalizer(std::move(steps));
}

} // namespace vitrine::tokenizer
