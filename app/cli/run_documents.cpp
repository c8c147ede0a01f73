#include "app/cli/run_documents.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "app/cli/documents.h"
#include "app/cli/table.h"
#include "app/cli/token_documents.h"

namespace vitrine::cli {

namespace {

Json timing_document(const Timing& timing) {
    return {{"load_ms", timing.load_ms},
            {"tokenize_ms", timing.tokenize_ms},
            {"run_ms", timing.run_ms},
            {"read_ms", timing.read_ms}};
}

Json prompt_of(const InputRow& input) { return input.prompt ? Json(*input.prompt) : Json(nullptr); }

Json head_of(const engine::OpenModel& model, model::Coordinates coordinates, std::int64_t step,
             const Timing& timing) {
    return {{"device", model.loaded->device().id},
            {"device_name", model.loaded->device().name},
            {"precision", backend::name_of(model.loaded->precision())},
            {"coordinates", model::name_of(coordinates)},
            {"step", step == 0 ? Json(nullptr) : Json(step)},
            {"timing", timing_document(timing)}};
}

Json position_document(const engine::OpenModel& model, const run::PositionResult& position) {
    const backend::LogitRow& stats = position.stats;
    Json top = Json::array();
    for (const auto& token : stats.top)
        top.push_back({{"id", token.id},
                       {"token", token_text(model, token.id)},
                       {"logit", number(token.logit)},
                       {"prob", number(std::exp(double{token.logit} - double{stats.logsumexp}))}});
    return {{"pos", position.pos},
            {"entropy", number(stats.entropy)},
            {"logsumexp", number(stats.logsumexp)},
            {"top", std::move(top)}};
}

Json row_document(const engine::OpenModel& model, const InputRow& input, const run::RowResult& row) {
    Json nll = Json::array();
    for (const float value : row.token_nll)
        nll.push_back(number(value));
    Json positions = Json::array();
    for (const auto& position : row.positions)
        positions.push_back(position_document(model, position));
    const auto* tokenizer = model.tokenizer ? &*model.tokenizer : nullptr;
    Json document = {{"prompt", prompt_of(input)},
                     {"ids", input.row.ids},
                     {"tokens", tokens_document(tokenizer, input)},
                     {"loss", number(row.loss)},
                     {"token_nll", std::move(nll)},
                     {"positions", std::move(positions)}};
    add_chat(document, input);
    if (row.captures.empty()) return document;
    document["captures"] = Json::array();
    for (const auto& capture : row.captures)
        document["captures"].push_back(
            {{"hook", capture.hook}, {"axes", capture.axes}, {"shape", capture.tensor.shape}});
    return document;
}

Json step_document(const engine::OpenModel& model, const run::GenerateStep& step) {
    return {{"pos", step.pos},
            {"id", step.id},
            {"token", token_text(model, step.id)},
            {"prob", number(step.prob)},
            {"entropy", number(step.entropy)},
            {"varentropy", number(step.varentropy)},
            {"top1", number(step.top1)},
            {"margin", number(step.margin)}};
}

Json generated_rows(const engine::OpenModel& model, const std::vector<InputRow>& inputs,
                    const std::vector<std::size_t>& sources, const run::GenerateResult& result) {
    Json rows = Json::array();
    for (std::size_t r = 0; r < result.rows.size(); ++r) {
        const run::GeneratedRow& row = result.rows[r];
        const InputRow& input = inputs[sources[r]];
        Json steps = Json::array();
        for (const auto& step : row.steps)
            steps.push_back(step_document(model, step));
        rows.push_back({{"prompt", prompt_of(input)},
                        {"input", sources[r]},
                        {"ids", input.row.ids},
                        {"new_ids", row.new_ids},
                        {"text", decoded_text(model, row.new_ids)},
                        {"steps", std::move(steps)},
                        {"stop", row.stop}});
        add_chat(rows.back(), input);
    }
    return rows;
}

std::string shown(const Json& token, const Json& id) {
    return token.is_null() ? fmt::format("#{}", id.get<std::int64_t>())
                           : token_cell(token.get<std::string>());
}

std::string prompt_line(const Json& row) {
    if (!row["prompt"].is_null()) return cell(row["prompt"]);
    return "ids " + dump_json(row["ids"]);
}

std::string heading(const Json& document) {
    const Json& timing = document["timing"];
    return fmt::format("{} · {}{} · loaded in {:.3g} ms, run in {:.3g} ms\n",
                       document["device_name"].get<std::string>(), document["precision"].get<std::string>(),
                       document["coordinates"] == "folded" ? " · folded coordinates" : "",
                       timing["load_ms"].get<double>(), timing["run_ms"].get<double>());
}

} // namespace

double kl_divergence(const float* clean, const float* other, std::size_t vocab) {
    const auto logsumexp = [vocab](const float* logits) {
        const double largest = *std::max_element(logits, logits + vocab);
        double sum = 0;
        for (std::size_t i = 0; i < vocab; ++i)
            sum += std::exp(logits[i] - largest);
        return largest + std::log(sum);
    };
    const double clean_sum = logsumexp(clean);
    const double other_sum = logsumexp(other);
    double kl = 0;
    for (std::size_t i = 0; i < vocab; ++i) {
        const double log_p = clean[i] - clean_sum;
        const double p = std::exp(log_p);
        if (p > 0) kl += p * (log_p - (other[i] - other_sum));
    }
    return kl;
}

Json run_document(const engine::OpenModel& model, const std::vector<InputRow>& inputs,
                  const engine::RunRecord& record, const engine::RunRecord* clean, const Timing& timing) {
    Json document = head_of(model, record.spec.coordinates, record.step, timing);
    document["rows"] = Json::array();
    for (std::size_t r = 0; r < inputs.size(); ++r)
        document["rows"].push_back(row_document(model, inputs[r], record.result.rows[r]));
    if (clean == nullptr) return document;
    document["clean"] = Json::array();
    for (std::size_t r = 0; r < inputs.size(); ++r) {
        const run::RowResult& before = clean->result.rows[r];
        const run::RowResult& after = record.result.rows[r];
        document["clean"].push_back(row_document(model, inputs[r], before));
        const auto vocab = static_cast<std::size_t>(model.model.spec.vocab);
        for (std::size_t p = 0; p < after.positions.size(); ++p)
            document["rows"][r]["positions"][p]["kl"] =
                number(kl_divergence(&before.logits.data[p * vocab], &after.logits.data[p * vocab], vocab));
    }
    return document;
}

std::string describe_run(const Json& document) {
    std::string text = heading(document);
    for (const Json& row : document["rows"]) {
        text += "\n" + prompt_line(row) + "\n";
        if (!row["loss"].is_null())
            text +=
                fmt::format("loss {} nats a token over {} tokens\n", cell(row["loss"]), row["ids"].size());
        for (const Json& position : row["positions"]) {
            text += fmt::format("next token after position {}: entropy {} nats", position["pos"].get<int>(),
                                cell(position["entropy"]));
            if (position.contains("kl"))
                text += fmt::format(", KL to the unedited run {} nats", cell(position["kl"]));
            text += "\n";
            Table table({"token", "id", "prob", "logit"});
            for (const Json& top : position["top"])
                table.add({shown(top["token"], top["id"]), std::to_string(top["id"].get<int>()), top["prob"],
                           top["logit"]});
            text += table.text();
        }
        if (!row.contains("captures")) continue;
        Table table({"captured", "shape"});
        for (const Json& capture : row["captures"])
            table.add({capture["hook"], dump_json(capture["shape"])});
        text += table.text();
    }
    return text;
}

Json generate_document(const engine::OpenModel& model, const std::vector<InputRow>& inputs,
                       const std::vector<std::size_t>& sources, const engine::GenerateRecord& record,
                       const engine::GenerateRecord* clean, const Timing& timing) {
    Json document = head_of(model, record.spec.prompt.coordinates, record.step, timing);
    document["rows"] = generated_rows(model, inputs, sources, record.result);
    if (clean != nullptr) document["clean"] = generated_rows(model, inputs, sources, clean->result);
    return document;
}

std::string describe_generate(const Json& document) {
    std::string text = heading(document);
    const auto add = [&](const Json& rows, const char* title) {
        for (const Json& row : rows) {
            text += fmt::format("\n{}{}\n→ {}\n", title, prompt_line(row),
                                row["text"].is_null() ? dump_json(row["new_ids"]) : cell(row["text"]));
            Table table({"pos", "token", "id", "prob", "entropy", "varentropy", "margin"});
            for (const Json& step : row["steps"])
                table.add({step["pos"], shown(step["token"], step["id"]),
                           std::to_string(step["id"].get<int>()), step["prob"], step["entropy"],
                           step["varentropy"], step["margin"]});
            text += table.text() + "stopped by: " + row["stop"].get<std::string>() + "\n";
        }
    };
    add(document["rows"], "");
    if (document.contains("clean")) add(document["clean"], "without edits: ");
    return text;
}

} // namespace vitrine::cli
