#include "app/cli/token_documents.h"

#include <fmt/format.h>

#include "core/base/utf8.h"

namespace vitrine::cli {

namespace {

Json hexadecimal(const std::string& bytes) {
    std::string text;
    for (const char c : bytes)
        text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

} // namespace

Json token_text(const engine::OpenModel& model, std::int32_t id) {
    return model.tokenizer ? Json(model.tokenizer->token_text(id)) : Json(nullptr);
}

Json tokens_document(const tokenizer::Tokenizer* tokenizer, const InputRow& input) {
    Json tokens = Json::array();
    for (std::size_t i = 0; i < input.row.ids.size(); ++i) {
        const std::int32_t id = input.row.ids[i];
        Json token = {{"id", id},         {"text", nullptr},
                      {"bytes", nullptr}, {"start", nullptr},
                      {"end", nullptr},   {"special", static_cast<bool>(input.row.special[i])}};
        if (tokenizer != nullptr) {
            const std::string bytes = tokenizer->token_bytes(id);
            token["text"] = tokenizer->token_text(id);
            if (invalid_utf8_at(bytes)) token["bytes"] = hexadecimal(bytes);
        }
        if (i < input.tokens.size()) {
            token["start"] = input.tokens[i].start;
            token["end"] = input.tokens[i].end;
        }
        tokens.push_back(std::move(token));
    }
    return tokens;
}

void add_chat(Json& row, const InputRow& input) {
    if (!input.roles) return;
    row["prompt"] = *input.prompt;
    Json roles = Json::array();
    for (const chat::RoleSpan& span : *input.roles)
        roles.push_back({{"role", span.role}, {"start", span.begin}, {"end", span.end}});
    row["roles"] = std::move(roles);
}

Json decoded_text(const engine::OpenModel& model, const std::vector<std::int32_t>& ids) {
    return model.tokenizer ? Json(model.tokenizer->decode(ids, false)) : Json(nullptr);
}

} // namespace vitrine::cli
