#include "core/engine/edit_sources.h"

#include <charconv>
#include <system_error>

#include <fmt/format.h>

#include "core/engine/prompts.h"
#include "core/engine/task_sets.h"
#include "core/formats/npy.h"
#include "core/model/hooks.h"
#include "core/store/activation_reader.h"

namespace vitrine::engine {

namespace {

std::string absolute(const std::string& path) {
    std::error_code error;
    const auto full = std::filesystem::absolute(path, error);
    return error ? path : full.lexically_normal().string();
}

Status read_array(run::EditSpec& edit) {
    edit.source = absolute(edit.source);
    if (std::filesystem::path(edit.source).extension() != ".npy")
        return fail(Code::unsupported,
                    fmt::format("{}: an edit reads its numbers from a .npy file.", edit.source));
    VITRINE_ASSIGN(const auto array, formats::read_npy(edit.source));
    edit.tensor = std::make_shared<const Tensor>(array.to_float());
    return {};
}

/// `F.h5:2` or `F.h5:row2`: the values of that row at every hook that the edit means.
Status read_stored_row(const model::ModelSpec& spec, run::EditSpec& edit) {
    const std::size_t colon = edit.source.rfind(':');
    const std::string text = colon == std::string::npos ? "" : edit.source.substr(colon + 1);
    const std::size_t digits = text.starts_with("row") ? 3 : 0;
    int row = 0;
    const auto [end, error] = std::from_chars(text.data() + digits, text.data() + text.size(), row);
    if (text.size() == digits || error != std::errc{} || end != text.data() + text.size() || row < 0)
        return fail(Code::usage, fmt::format("\"from @{}\" names no row; write FILE.h5:ROW.", edit.source));
    const std::string file = absolute(edit.source.substr(0, colon));
    edit.source = fmt::format("{}:{}", file, row);
    VITRINE_ASSIGN(const auto reader, store::ActivationReader::open(file));
    if (const auto header = reader.header(); header && header->coordinates == "folded")
        return fail(
            Code::unsupported,
            fmt::format("{} holds values in folded coordinates, and edits are raw: capture them again "
                        "without --coordinates folded.",
                        file));
    VITRINE_ASSIGN(const auto hooks, model::match_hooks(spec, edit.hook));
    for (const auto& hook : hooks) {
        VITRINE_ASSIGN(Tensor values, reader.read(fmt::format("/row{}/{}", row, hook.name)));
        edit.tensors[hook.name] = std::make_shared<const Tensor>(std::move(values));
    }
    return {};
}

Status read_reference(const OpenModel& model, tokenizer::Specials specials, run::EditSpec& edit) {
    std::vector<PromptLine> lines;
    if (const auto task = task_name(edit.source)) {
        if (!model.tokenizer)
            return fail(Code::unsupported,
                        fmt::format("{} needs a tokenizer, and this model has none.", edit.source));
        VITRINE_ASSIGN(const auto set, find_task_set(*task));
        VITRINE_ASSIGN(lines, read_prompts(set.file));
        VITRINE_ASSIGN(auto fitting, fitting_rows(*model.tokenizer, std::move(lines), edit.source));
        lines = std::move(fitting.lines);
    } else {
        edit.source = absolute(edit.source);
        VITRINE_ASSIGN(lines, read_prompts(edit.source));
    }
    edit.prompts.clear();
    for (const PromptLine& line : lines) {
        run::RunRow row;
        if (line.ids) {
            row.ids = *line.ids;
        } else {
            VITRINE_ASSIGN(row, encode_row(model, line.text, specials));
        }
        edit.prompts.push_back(std::move(row));
    }
    return {};
}

} // namespace

Status read_edit_sources(const OpenModel& model, tokenizer::Specials specials,
                         std::vector<run::EditSpec>& edits) {
    for (run::EditSpec& edit : edits) {
        if (edit.source.empty()) continue;
        switch (edit.op) {
        case run::EditOp::from:
            VITRINE_TRY(read_stored_row(model.model.spec, edit));
            break;
        case run::EditOp::mean:
            VITRINE_TRY(read_reference(model, specials, edit));
            break;
        default:
            VITRINE_TRY(read_array(edit));
        }
    }
    return {};
}

} // namespace vitrine::engine
