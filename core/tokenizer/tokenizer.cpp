#include "core/tokenizer/tokenizer.h"

#include <algorithm>
#include <limits>
#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "core/base/hash.h"
#include "core/formats/gguf.h"
#include "core/tokenizer/gguf_tokenizer.h"
#include "core/tokenizer/pipeline.h"
#include "core/tokenizer/tokenizer_folder.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

struct Tokenizer::Parts {
    Pipeline pipeline;
    std::optional<std::int32_t> bos;
    std::optional<std::int32_t> eos;
    std::string hash;

    std::mutex mutex;
    std::vector<std::unique_ptr<Model::Scratch>> idle; // one for each thread that was here at the same time

    std::unique_ptr<Model::Scratch> take_scratch() {
        const std::lock_guard lock(mutex);
        if (idle.empty()) return pipeline.model->make_scratch();
        auto scratch = std::move(idle.back());
        idle.pop_back();
        return scratch;
    }

    void give_back(std::unique_ptr<Model::Scratch> scratch) {
        const std::lock_guard lock(mutex);
        idle.push_back(std::move(scratch));
    }

    /// What the decoder gets; nothing for an unknown id.
    std::optional<std::string> spelled(std::int32_t id) const {
        if (const AddedToken* const token = pipeline.added.find(id)) return token->pattern;
        if (!pipeline.model->vocabulary().has(id)) return std::nullopt;
        return std::string(pipeline.model->vocabulary().token(id));
    }

    Status place_bos(std::vector<Item>& items, Specials specials) const {
        const bool there = bos && !items.empty() && items.front().inserted && items.front().id == *bos;
        if (specials == Specials::never_bos && there) items.erase(items.begin());
        if (specials != Specials::always_bos || there) return {};
        if (!bos)
            return fail(Code::usage, "This tokenizer has no BOS token, so none can be put before the text.");
        items.insert(items.begin(), Item{*bos, {}, {}, true});
        return {};
    }
};

Tokenizer::Tokenizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {
    if (parts_->bos) return;
    // A token that the template puts before any text is a BOS, whatever it is called.
    const auto scratch = parts_->take_scratch();
    std::vector<Segment> segments;
    const auto items = run_pipeline(parts_->pipeline, "a", true, *scratch, segments);
    if (items && !items->empty() && items->front().inserted) parts_->bos = items->front().id;
}

Tokenizer::Tokenizer(Tokenizer&&) noexcept = default;
Tokenizer& Tokenizer::operator=(Tokenizer&&) noexcept = default;
Tokenizer::~Tokenizer() = default;

Result<Tokenizer> Tokenizer::load(const std::filesystem::path& folder) {
    if (formats::is_gguf(folder)) {
        VITRINE_ASSIGN(const formats::GgufModel file, formats::open_gguf(folder));
        return from_gguf(file.metadata, folder.string());
    }
    VITRINE_ASSIGN(TokenizerFolder read, read_tokenizer_folder(folder));
    auto parts = std::make_unique<Parts>();
    parts->pipeline = std::move(read.pipeline);
    parts->bos = read.bos;
    parts->eos = read.eos;
    parts->hash = std::move(read.hash);
    return Tokenizer(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_json(std::string_view json, std::string_view name) {
    auto parts = std::make_unique<Parts>();
    VITRINE_ASSIGN(parts->pipeline, read_pipeline(json, name));
    parts->hash = sha256(json);
    return Tokenizer(std::move(parts));
}

Result<Tokenizer> Tokenizer::from_gguf(const formats::GgufMetadata& metadata, std::string_view name) {
    VITRINE_ASSIGN(GgufTokenizer read, read_gguf_tokenizer(metadata, std::string(name)));
    return from_gguf(std::move(read), name);
}

Result<Tokenizer> Tokenizer::from_gguf(GgufTokenizer metadata, std::string_view name) {
    auto parts = std::make_unique<Parts>();
    parts->hash = hash_of(metadata);
    VITRINE_ASSIGN(GgufPipeline made, make_gguf_pipeline(std::move(metadata), std::string(name)));
    parts->pipeline = std::move(made.pipeline);
    parts->bos = made.bos;
    parts->eos = made.eos;
    return Tokenizer(std::move(parts));
}

Result<std::vector<Token>> Tokenizer::encode(std::string_view text, Specials specials) const {
    if (const auto at = first_invalid(text))
        return fail(Code::malformed,
                    fmt::format("The text is not valid UTF-8: byte {} (0x{:02X}) begins no character.", *at,
                                static_cast<unsigned char>(text[*at])));
    if (text.size() > std::numeric_limits<std::uint32_t>::max())
        return fail(Code::too_large,
                    fmt::format("The text has {} bytes; the tokenizer takes less than 4 GiB.", text.size()));
    auto scratch = parts_->take_scratch();
    std::vector<Segment> segments;
    auto items = run_pipeline(parts_->pipeline, text, specials != Specials::none, *scratch, segments);
    parts_->give_back(std::move(scratch));
    if (!items) return tl::unexpected(std::move(items.error()));
    VITRINE_TRY(parts_->place_bos(*items, specials));

    std::vector<Token> tokens;
    tokens.reserve(items->size());
    for (const Item& item : *items)
        tokens.push_back({item.id, item.span.start, item.span.end, item.inserted || is_special(item.id)});
    return tokens;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
    std::vector<std::string> tokens;
    for (const auto id : ids)
        if (!skip_special || !is_special(id))
            if (auto token = parts_->spelled(id)) tokens.push_back(std::move(*token));
    const bool joined = parts_->pipeline.decoder != nullptr;
    if (joined) tokens = parts_->pipeline.decoder->decode(std::move(tokens));
    std::string text;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (!joined && i > 0) text += ' '; // tokens of a tokenizer without decoder are words
        text += tokens[i];
    }
    return text;
}

std::string Tokenizer::token_bytes(std::int32_t id) const {
    if (const AddedToken* const added = parts_->pipeline.added.find(id)) return added->content;
    auto token = parts_->spelled(id).value_or(std::string());
    return parts_->pipeline.decoder ? parts_->pipeline.decoder->bytes(std::move(token)) : token;
}

std::string Tokenizer::token_text(std::int32_t id) const { return replace_invalid(token_bytes(id)); }

std::optional<std::int32_t> Tokenizer::id_of(std::string_view token_content) const {
    const auto added = parts_->pipeline.added.id_of(token_content);
    return added ? added : parts_->pipeline.model->vocabulary().id_of(token_content);
}

std::optional<std::int32_t> Tokenizer::single_token(std::string_view text) const {
    const auto tokens = encode(text, Specials::none);
    if (!tokens || tokens->size() != 1) return std::nullopt;
    return tokens->front().id;
}

std::optional<std::int32_t> Tokenizer::bos() const { return parts_->bos; }
std::optional<std::int32_t> Tokenizer::eos() const { return parts_->eos; }
bool Tokenizer::is_special(std::int32_t id) const { return parts_->pipeline.added.is_special(id); }

std::size_t Tokenizer::size() const {
    return std::max(parts_->pipeline.model->vocabulary().end_id(),
                    static_cast<std::size_t>(parts_->pipeline.added.end_id()));
}

std::string Tokenizer::name() const { return parts_->pipeline.name; }
const std::string& Tokenizer::hash() const { return parts_->hash; }
const std::vector<std::string>& Tokenizer::warnings() const { return parts_->pipeline.warnings; }

} // namespace vitrine::tokenizer
