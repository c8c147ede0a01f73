#include "core/tokenizer/text_decoders.h"

#include <utility>

#include "core/tokenizer/metaspace.h"
#include "core/tokenizer/split.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

std::string in_utf8(char32_t value) {
    std::string text;
    append_utf8(text, value);
    return text;
}

class FuseDecoder final : public Decoder {
    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        std::string all;
        for (const auto& token : tokens)
            all += token;
        return {std::move(all)};
    }
    std::string bytes(std::string token) const override { return token; }
};

class StripDecoder final : public Decoder {
public:
    StripDecoder(std::string content, std::uint32_t start, std::uint32_t stop)
        : content_(std::move(content)), start_(start), stop_(stop) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        for (auto& token : tokens) {
            std::string_view kept = token;
            for (std::uint32_t i = 0; i < start_ && kept.starts_with(content_); ++i)
                kept.remove_prefix(content_.size());
            for (std::uint32_t i = 0; i < stop_ && kept.ends_with(content_); ++i)
                kept.remove_suffix(content_.size());
            token = std::string(kept);
        }
        return tokens;
    }

    /// What is stripped is the edge of the text, not of a token within it.
    std::string bytes(std::string token) const override { return token; }

private:
    std::string content_;
    std::uint32_t start_;
    std::uint32_t stop_;
};

class ReplaceDecoder final : public Decoder {
public:
    ReplaceDecoder(Pattern pattern, std::string content)
        : pattern_(std::move(pattern)), content_(std::move(content)) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        for (auto& token : tokens)
            token = bytes(std::move(token));
        return tokens;
    }

    std::string bytes(std::string token) const override {
        const auto matches = find_all(pattern_, token);
        if (!matches || matches->empty())
            return token; // tokens are short: no pattern runs out of steps on one
        std::string result;
        std::size_t done = 0;
        for (const Range& match : *matches) {
            result.append(token, done, match.begin - done);
            result += content_;
            done = match.end;
        }
        return result.append(token, done);
    }

private:
    Pattern pattern_;
    std::string content_;
};

class MetaspaceDecoder final : public Decoder {
public:
    MetaspaceDecoder(const std::string& mark, bool drops_first)
        : to_spaces_(Pattern{mark, std::nullopt}, " "), to_nothing_(Pattern{mark, std::nullopt}, ""),
          drops_first_(drops_first) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        // All marks of the first token go, not only the one that was prepended: so does the library.
        for (std::size_t i = 0; i < tokens.size(); ++i)
            tokens[i] = (i == 0 && drops_first_ ? to_nothing_ : to_spaces_).bytes(std::move(tokens[i]));
        return tokens;
    }

    std::string bytes(std::string token) const override { return to_spaces_.bytes(std::move(token)); }

private:
    ReplaceDecoder to_spaces_;
    ReplaceDecoder to_nothing_;
    bool drops_first_;
};

} // namespace

std::unique_ptr<Decoder> make_fuse_decoder() { return std::make_unique<FuseDecoder>(); }

Result<std::unique_ptr<Decoder>> make_strip_decoder(const Component& component) {
    VITRINE_ASSIGN(const char32_t content, component.character("content"));
    VITRINE_ASSIGN(const std::uint32_t start, component.number("start"));
    VITRINE_ASSIGN(const std::uint32_t stop, component.number("stop"));
    return std::make_unique<StripDecoder>(in_utf8(content), start, stop);
}

Result<std::unique_ptr<Decoder>> make_replace_decoder(const Component& component) {
    VITRINE_ASSIGN(Pattern pattern, read_pattern(component, "pattern"));
    VITRINE_ASSIGN(std::string content, component.text("content"));
    return std::make_unique<ReplaceDecoder>(std::move(pattern), std::move(content));
}

Result<std::unique_ptr<Decoder>> make_metaspace_decoder(const Component& component) {
    VITRINE_ASSIGN(const char32_t mark, component.character("replacement"));
    VITRINE_ASSIGN(const PrependScheme scheme, read_prepend_scheme(component));
    return std::make_unique<MetaspaceDecoder>(in_utf8(mark), scheme != PrependScheme::never);
}

} // namespace vitrine::tokenizer
