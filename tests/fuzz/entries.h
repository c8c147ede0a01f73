#pragma once
// What the fuzzers and the replay of their corpus run on each input.
#include <array>
#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

#include "core/chat/chat_template.h"
#include "core/formats/gguf_header.h"
#include "core/formats/pickle.h"
#include "core/formats/safetensors_header.h"
#include "core/formats/torch_file.h"
#include "core/tokenizer/sentencepiece.h"
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

/// Texts that reach into the corners of tokenizers.
inline constexpr std::array<std::string_view, 5> fuzz_texts{
    "", "ab abab\n  <s>x</s>", "e\u0301\u0323 \u00e9\uac00\u11a8\u1e69",
    "1234 \U0001F468\u200D\U0001F469 \u2581x", "\u0130IİI  \u3000\u00a0\u180e."};

/// Returns false if a token lies outside of its text.
inline bool survives_tokenizing(const vitrine::tokenizer::Tokenizer& tokenizer) {
    for (const std::string_view text : fuzz_texts) {
        const auto tokens = tokenizer.encode(text);
        if (!tokens) continue;
        std::vector<std::int32_t> ids;
        for (const auto& token : *tokens) {
            if (token.start > token.end || token.end > text.size()) return false;
            ids.push_back(token.id);
            tokenizer.token_text(token.id);
        }
        tokenizer.decode(ids, true);
    }
    return true;
}

/// Reads the text as a tokenizer.json and tokenizes with it.
inline bool survives_as_tokenizer(std::string_view json) {
    const auto tokenizer = vitrine::tokenizer::Tokenizer::from_json(json, "input");
    if (!tokenizer) return !tokenizer.error().message.empty();
    return survives_tokenizing(*tokenizer);
}

/// Reads the bytes as a GGUF file and tokenizes with what its metadata say. Returns false if a tensor or a
/// token lies outside of what holds it.
inline bool survives_as_gguf(std::span<const std::byte> file) {
    const auto header = vitrine::formats::parse_gguf_header(file, "input");
    if (!header) return !header.error().message.empty();
    for (const auto& tensor : header->tensors)
        if (tensor.begin > tensor.end || tensor.end > file.size()) return false;
    for (const std::string& key : header->metadata.keys()) {
        (void)header->metadata.text(key);
        (void)header->metadata.integer(key);
        (void)header->metadata.flag(key);
        (void)header->metadata.texts(key);
        (void)header->metadata.numbers(key);
    }
    const auto tokenizer = vitrine::tokenizer::Tokenizer::from_gguf(header->metadata, "input");
    if (!tokenizer) return !tokenizer.error().message.empty();
    return survives_tokenizing(*tokenizer);
}

/// Reads the bytes as a pytorch_model.bin, or as the pickle inside of one. Returns false if a tensor lies
/// outside of its storage or of the file.
inline bool survives_as_torch(std::span<const std::byte> file) {
    constexpr std::byte zip_begin{'P'};
    if (!file.empty() && file.front() == zip_begin) {
        const auto tensors = vitrine::formats::parse_torch_file(file, "input");
        if (!tensors) return !tensors.error().message.empty();
        for (const auto& tensor : *tensors) {
            const std::byte* const first = tensor.view.data;
            if (vitrine::element_count(tensor.view.shape) > 0 &&
                (first < file.data() || first >= file.data() + file.size()))
                return false;
        }
        return true;
    }
    const auto tensors = vitrine::formats::unpickle_tensors(file, "input");
    if (!tensors) return !tensors.error().message.empty();
    for (const auto& tensor : *tensors)
        if (vitrine::element_count(tensor.shape) > 0 &&
            (tensor.offset < 0 || tensor.offset > tensor.storage_elements))
            return false;
    return true;
}

/// Reads the bytes as a sentencepiece .model and tokenizes with it.
inline bool survives_as_sentencepiece(std::string_view model) {
    using namespace vitrine::tokenizer;
    auto file = read_sentencepiece(model, "input");
    if (!file) return !file.error().message.empty();
    ScoredTokenizer parts;
    parts.file = std::move(*file);
    const auto pipeline = make_scored_pipeline(std::move(parts), "input");
    if (!pipeline) return !pipeline.error().message.empty();
    for (const std::string_view text : fuzz_texts) {
        const auto scratch = pipeline->model->make_scratch();
        std::vector<Segment> segments;
        const auto items = run_pipeline(*pipeline, text, true, *scratch, segments);
        if (!items) continue;
        for (const Item& item : *items)
            if (item.span.start > item.span.end || item.span.end > text.size()) return false;
    }
    return true;
}

/// Reads the text as a chat template and renders two conversations with it. Returns false if a message lies
/// outside of the rendered text.
inline bool survives_as_chat_template(std::string_view source) {
    using namespace vitrine;
    const auto parsed = chat::ChatTemplate::parse(source);
    if (!parsed) return !parsed.error().message.empty();
    chat::Conversation short_one;
    short_one.messages = Json::parse(R"([{"role": "user", "content": "hi\n "}])");
    chat::Conversation long_one;
    long_one.messages = Json::parse(
        R"([{"role": "system", "content": "Be kind."}, {"role": "user", "content": "é 1\n2"},
            {"role": "assistant", "content": "<think>x</think>y", "tool_calls": [{"name": "f", "n": 1.5}]},
            {"role": "user", "content": [{"type": "text", "text": "z"}]}])");
    long_one.extra = Json::parse(R"({"tools": [{"name": "f", "parameters": {"a": null, "b": [true, -3]}}]})");
    const Json special = {{"bos_token", "<s>"}, {"eos_token", "</s>"}};
    chat::ChatOptions options;
    options.now = 1721995200;
    options.most_steps = 20000;
    for (const chat::Conversation& conversation : {short_one, long_one}) {
        options.add_generation_prompt = !options.add_generation_prompt;
        const auto rendered = parsed->render(conversation, special, options);
        if (!rendered) {
            if (rendered.error().message.empty()) return false;
            continue;
        }
        for (const auto& role : rendered->roles)
            if (role.begin > role.end || role.end > rendered->text.size()) return false;
    }
    return true;
}
