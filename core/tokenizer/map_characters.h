#pragma once
#include <memory>
#include <utility>

#include "core/tokenizer/normalizer.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

/// Replaces each character by some others (or none), all of which get its span.
template <typename Map>
class MapCharacters final : public Normalizer {
public:
    explicit MapCharacters(Map map) : map_(std::move(map)) {}

    Status apply(AlignedText& text) const override {
        const std::string& all = text.text();
        Rewriter out(text);
        for (std::size_t at = 0; at < all.size();) {
            const CodePoint c = decode_at(all, at);
            const Span span = out.span_at(at);
            map_(c.value, [&](char32_t value) { out.put(value, span); });
            at += c.bytes;
        }
        text = std::move(out).finish();
        return {};
    }

private:
    Map map_;
};

/// `map(character, put)` calls put(character) for each new one.
template <typename Map>
std::unique_ptr<Normalizer> map_characters(Map map) {
    return std::make_unique<MapCharacters<Map>>(std::move(map));
}

} // namespace vitrine::tokenizer
