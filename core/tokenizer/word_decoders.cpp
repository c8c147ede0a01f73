#include "core/tokenizer/word_decoders.h"

#include <array>
#include <utility>

namespace vitrine::tokenizer {

namespace {

void replace_all(std::string& text, std::string_view old, std::string_view by) {
    if (old.empty()) return;
    for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + by.size()))
        text.replace(at, old.size(), by);
}

std::string cleaned(std::string text) {
    constexpr std::array<std::pair<std::string_view, std::string_view>, 11> rules{{{" .", "."},
                                                                                   {" ?", "?"},
                                                                                   {" !", "!"},
                                                                                   {" ,", ","},
                                                                                   {" ' ", "'"},
                                                                                   {" n't", "n't"},
                                                                                   {" 'm", "'m"},
                                                                                   {" do not", " don't"},
                                                                                   {" 's", "'s"},
                                                                                   {" 've", "'ve"},
                                                                                   {" 're", "'re"}}};
    for (const auto& [old, by] : rules)
        replace_all(text, old, by);
    return text;
}

class WordPieceDecoder final : public Decoder {
public:
    WordPieceDecoder(std::string prefix, bool cleans) : prefix_(std::move(prefix)), cleans_(cleans) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        for (std::size_t i = 0; i < tokens.size(); ++i) {
            if (i > 0) tokens[i] = bytes(std::move(tokens[i]));
            if (cleans_) tokens[i] = cleaned(std::move(tokens[i]));
        }
        return tokens;
    }

    std::string bytes(std::string token) const override {
        return token.starts_with(prefix_) ? token.substr(prefix_.size()) : " " + token;
    }

private:
    std::string prefix_;
    bool cleans_;
};

class SuffixDecoder final : public Decoder {
public:
    explicit SuffixDecoder(std::string suffix) : suffix_(std::move(suffix)) {}

    std::vector<std::string> decode(std::vector<std::string> tokens) const override {
        for (std::size_t i = 0; i < tokens.size(); ++i)
            replace_all(tokens[i], suffix_, i + 1 < tokens.size() ? " " : "");
        return tokens;
    }

    std::string bytes(std::string token) const override {
        replace_all(token, suffix_, " ");
        return token;
    }

private:
    std::string suffix_;
};

} // namespace

Result<std::unique_ptr<Decoder>> make_word_piece_decoder(const Component& component) {
    VITRINE_ASSIGN(std::string prefix, component.text("prefix", "##"));
    VITRINE_ASSIGN(const bool cleans, component.flag("cleanup", true));
    return std::make_unique<WordPieceDecoder>(std::move(prefix), cleans);
}

Result<std::unique_ptr<Decoder>> make_suffix_decoder(const Component& component) {
    VITRINE_ASSIGN(std::string suffix, component.text("suffix", "</w>"));
    return std::make_unique<SuffixDecoder>(std::move(suffix));
}

} // namespace vitrine::tokenizer
