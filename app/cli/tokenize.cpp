#include <memory>

#include <fmt/format.h>

#include "app/cli/commands.h"
#include "app/cli/program.h"
#include "app/cli/prompt_options.h"
#include "app/cli/table.h"
#include "app/cli/token_documents.h"

namespace vitrine::cli {

namespace {

struct TokenizeOptions {
    std::string model;
    PromptOptions prompts;
};

std::string describe_tokens(const Json& document) {
    std::string text;
    for (const Json& row : document["rows"]) {
        Table table({"#", "token", "id", "bytes", "from", "to", "special"});
        std::size_t index = 0;
        for (const Json& token : row["tokens"])
            table.add({index++, token_cell(token["text"].get<std::string>()),
                       std::to_string(token["id"].get<int>()), token["bytes"], token["start"], token["end"],
                       token["special"].get<bool>() ? "special" : ""});
        text += (text.empty() ? "" : "\n") + table.text();
    }
    return text;
}

Result<Outcome> tokenize(const TokenizeOptions& options) {
    VITRINE_ASSIGN(auto texts, texts_of(options.prompts));
    if (texts.empty())
        return fail(Code::usage,
                    "A prompt is missing: give --prompt TEXT, --prompts FILE, --ids 1,2,3 or --chat FILE.");
    VITRINE_TRY(write_conversations(options.model, texts));
    VITRINE_ASSIGN(const auto folder, engine::model_folder(options.model));
    VITRINE_ASSIGN(const auto tokenizer, tokenizer::Tokenizer::load(engine::tokenizer_folder(folder)));
    VITRINE_TRY(keep_fitting(&tokenizer, texts));
    Json rows = Json::array();
    for (const PromptText& text : texts) {
        VITRINE_ASSIGN(const InputRow input,
                       encode_prompt(&tokenizer, options.model, text, options.prompts.specials()));
        rows.push_back({{"ids", input.row.ids}, {"tokens", tokens_document(&tokenizer, input)}});
        add_chat(rows.back(), input);
    }
    Json document = {{"rows", std::move(rows)}};
    if (!tokenizer.warnings().empty()) document["warnings"] = tokenizer.warnings();
    return Outcome{std::move(document), describe_tokens};
}

} // namespace

void add_tokenize(CLI::App& app, Program& program) {
    auto* command = app.add_subcommand("tokenize", "How prompts are cut into tokens");
    auto options = std::make_shared<TokenizeOptions>();
    command->add_option("MODEL", options->model, "Model, or a folder with a tokenizer alone")->required();
    options->prompts.add(*command, program);
    program.on(*command, [options] { return tokenize(*options); });
}

} // namespace vitrine::cli
