#include "core/tokenizer/sentencepiece_file.h"

#include <unordered_set>
#include <utility>

#include <fmt/format.h>

#include "core/tokenizer/protobuf.h"
#include "core/tokenizer/unicode.h"

namespace vitrine::tokenizer {

namespace {

/// Calls `use(field)` for every field of a message.
template <typename Use>
Status each_field(std::string_view message, const std::string& where, Use use) {
    ProtobufReader reader(message, where);
    while (true) {
        VITRINE_ASSIGN(const auto field, reader.next());
        if (!field) return {};
        VITRINE_TRY(use(*field));
    }
}

/// A float of the wire format whose sum with others makes sense.
bool is_score(float value) { return value == value && value > -1e30F && value < 1e30F; }

Status read_piece(std::string_view message, const std::string& where, std::vector<Piece>& pieces) {
    Piece piece;
    VITRINE_TRY(each_field(message, where, [&](const ProtobufField& field) -> Status {
        if (field.number == 1) piece.text = std::string(field.bytes);
        if (field.number == 2) piece.score = field.as_float();
        if (field.number == 3) {
            if (field.value < 1 || field.value > 6)
                return fail(Code::unsupported, fmt::format("{}: piece {} has the unknown type {}.", where,
                                                           pieces.size(), field.value));
            piece.kind = static_cast<PieceKind>(field.value);
        }
        return {};
    }));
    if (piece.text.empty() || first_invalid(piece.text))
        return fail(Code::malformed,
                    fmt::format("{}: piece {} is empty or not UTF-8.", where, pieces.size()));
    if (!is_score(piece.score))
        return fail(Code::malformed,
                    fmt::format("{}: the score of piece {} is not a usable number.", where, pieces.size()));
    pieces.push_back(std::move(piece));
    return {};
}

struct Trainer {
    std::uint64_t kind = 1;
    std::uint64_t bos = 1;
    std::uint64_t eos = 2;
    bool byte_fallback = false;
    bool whitespace_as_suffix = false;
};

Status read_trainer(std::string_view message, const std::string& where, Trainer& trainer) {
    return each_field(message, where, [&](const ProtobufField& field) -> Status {
        if (field.number == 3) trainer.kind = field.value;
        if (field.number == 24) trainer.whitespace_as_suffix = field.value != 0;
        if (field.number == 35) trainer.byte_fallback = field.value != 0;
        if (field.number == 41) trainer.bos = field.value;
        if (field.number == 42) trainer.eos = field.value;
        return {};
    });
}

Status read_normalizer(std::string_view message, const std::string& where, SentencePieceRules& rules) {
    return each_field(message, where, [&](const ProtobufField& field) -> Status {
        if (field.number == 2) {
            VITRINE_ASSIGN(rules.map, CharMap::read(field.bytes, where));
        }
        if (field.number == 3) rules.add_dummy_prefix = field.value != 0;
        if (field.number == 4) rules.remove_extra_whitespaces = field.value != 0;
        if (field.number == 5) rules.escape_whitespaces = field.value != 0;
        return {};
    });
}

} // namespace

Result<SentencePieceFile> read_sentencepiece(std::string_view bytes, const std::string& where) {
    SentencePieceFile file;
    Trainer trainer;
    VITRINE_TRY(each_field(bytes, where, [&](const ProtobufField& field) -> Status {
        if (field.number == 1) return read_piece(field.bytes, where, file.pieces);
        if (field.number == 2) return read_trainer(field.bytes, where, trainer);
        if (field.number == 3) return read_normalizer(field.bytes, where, file.rules);
        return {};
    }));
    if (file.pieces.empty()) return fail(Code::malformed, fmt::format("{} has no pieces.", where));
    if (file.pieces.size() > 0x7FFFFFFFU)
        return fail(Code::too_large, fmt::format("{} has {} pieces.", where, file.pieces.size()));
    std::unordered_set<std::string_view> texts;
    for (const Piece& piece : file.pieces)
        if (!texts.insert(piece.text).second)
            return fail(Code::malformed, fmt::format("{} has the piece \"{}\" twice.", where, piece.text));
    if (trainer.kind < 1 || trainer.kind > 4)
        return fail(Code::unsupported, fmt::format("{} has the unknown model type {}.", where, trainer.kind));
    file.kind = static_cast<SentencePieceFile::Kind>(trainer.kind);
    file.byte_fallback = trainer.byte_fallback;
    file.rules.whitespace_as_suffix = trainer.whitespace_as_suffix;
    const auto control = [&](std::uint64_t id) -> std::optional<std::int32_t> {
        if (id >= file.pieces.size() || file.pieces[id].kind != PieceKind::control) return std::nullopt;
        return static_cast<std::int32_t>(id);
    };
    file.bos = control(trainer.bos);
    file.eos = control(trainer.eos);
    return file;
}

} // namespace vitrine::tokenizer
