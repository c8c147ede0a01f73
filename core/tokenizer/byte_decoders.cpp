#include "core/tokenizer/byte_decoders.h"

#include <charconv>
#include <optional>
#include <utility>

#include "core/tokenizer/byte_level.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

class ByteLevelDecoder final : public Decoder {
    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        std::string all;
        for (auto& token : tokens)
            all += bytes(std::move(token));
        return {replace_invalid(all)};
    }

    std::string bytes(std::string token) const override {
        auto spelled = bytes_spelled(token);
        return spelled ? std::move(*spelled) : token;
    }
};

/// The byte of a token such as "<0x0A>".
std::optional<char> fallback_byte(const std::string& token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token.back() != '>') return std::nullopt;
    unsigned value = 0;
    const auto [end, error] = std::from_chars(token.data() + 3, token.data() + 5, value, 16);
    if (error != std::errc() || end != token.data() + 5) return std::nullopt;
    return static_cast<char>(value);
}

class ByteFallbackDecoder final : public Decoder {
    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        std::vector<std::string> result;
        std::string run;
        const auto flush = [&] {
            if (run.empty()) return;
            if (!first_invalid(run))
                result.push_back(run);
            else
                result.insert(result.end(), run.size(), "\xEF\xBF\xBD");
            run.clear();
        };
        for (auto& token : tokens) {
            if (const auto byte = fallback_byte(token)) {
                run += *byte;
                continue;
            }
            flush();
            result.push_back(std::move(token));
        }
        flush();
        return result;
    }

    std::string bytes(std::string token) const override {
        const auto byte = fallback_byte(token);
        return byte ? std::string(1, *byte) : token;
    }
};

} // namespace

std::unique_ptr<Decoder> make_byte_level_decoder() { return std::make_unique<ByteLevelDecoder>(); }
std::unique_ptr<Decoder> make_byte_fallback_decoder() { return std::make_unique<ByteFallbackDecoder>(); }

} // namespace vitrine::tokenizer
