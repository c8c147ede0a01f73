#pragma once
// What the fuzzers and the replay of their corpus run on each input.
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/formats/safetensors_header.h"
#include "core/tokenizer/tokenizer.h"

/// Reads the bytes as a safetensors file. Returns false if a tensor lies outside of the file.
inline bool survives_as_safetensors(std::span<const std::byte> file) {
    const auto tensors = vitrine::formats::parse_safetensors_header(file, "input");
    if (!tensors) return !tensors.error().message.empty();
    for (const auto& tensor : *tensors) {
        const vitrine::TensorView view{file.data() + tensor.begin, tensor.dtype, tensor.shape};
        if (tensor.begin > tensor.end || tensor.end > file.size() ||
            view.bytes() != tensor.end - tensor.begin)
            return false;
    }
    return true;
}

/// Reads the text as a tokenizer.json and tokenizes with it. Returns false if a token lies outside of its
/// text.
inline bool survives_as_tokenizer(std::string_view json) {
    using namespace vitrine::tokenizer;
    const auto tokenizer = Tokenizer::from_json(json, "input");
    if (!tokenizer) return !tokenizer.error().message.empty();
    constexpr std::array<std::string_view, 5> texts{
        "", "ab abab\n  <s>x</s>", "e\u0301\u0323 \u00e9\uac00\u11a8\u1e69",
        "1234 \U0001F468\u200D\U0001F469 \u2581x", "\u0130IİI  \u3000\u00a0\u180e."};
    for (const std::string_view text : texts) {
        const auto tokens = tokenizer->encode(text);
        if (!tokens) continue;
        std::vector<std::int32_t> ids;
        for (const Token& token : *tokens) {
            if (token.start > token.end || token.end > text.size()) return false;
            ids.push_back(token.id);
            tokenizer->token_text(token.id);
        }
        tokenizer->decode(ids, true);
    }
    return true;
}
