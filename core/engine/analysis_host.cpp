#include "core/engine/analysis_host.h"

#include <algorithm>
#include <map>
#include <memory>

#include <fmt/format.h>

#include "core/engine/analysis_messages.h"
#include "core/model/folding.h"

namespace vitrine::engine {

namespace {

Code code_of(const std::string& name) {
    for (const Code code :
         {Code::usage, Code::not_found, Code::unsupported, Code::malformed, Code::out_of_range,
          Code::too_large, Code::device, Code::out_of_memory, Code::io, Code::session, Code::cancelled})
        if (code_name(code) == name) return code;
    return Code::internal;
}

class Host {
public:
    Host(const RegisteredAnalysis& analysis, const AnalysisServices& services, const CancelToken& cancel,
         const Progress& progress)
        : analysis_(analysis), services_(services), cancel_(cancel), progress_(progress),
          state_(analysis.table->create(), analysis.table->destroy) {}

    Result<std::vector<ResultValue>> run(const Json& parameters, const std::vector<run::RunRow>& rows) {
        if (!state_) return fail(Code::out_of_memory, "There is not enough memory for this analysis.");
        OutgoingMessage start;
        Json facts = model_facts(services_.model->spec, services_.bos, services_.special_ids);
        facts["matrices"] = Json::array();
        for (const model::Weight& weight : services_.model->weights)
            if (weight.rows > 1)
                facts["matrices"].push_back(
                    {{"name", weight.name}, {"rows", weight.rows}, {"cols", weight.cols}});
        start.json = {{"call", "start"},
                      {"parameters", parameters},
                      {"model", std::move(facts)},
                      {"rows", rows_json(rows)}};
        if (analysis_.manifest.value("checkpoints", false)) {
            start.json["checkpoints"] = Json::array();
            for (const catalogue::Checkpoint& point : services_.checkpoints)
                start.json["checkpoints"].push_back({{"name", point.name}, {"step", point.step}});
        }
        VITRINE_TRY(step(start));
        while (need_) {
            OutgoingMessage answer;
            answer.json = {{"call", "answer"}, {"runs", Json::array()}, {"generations", Json::array()}};
            const AnalysisNeed need = std::move(*need_);
            // What the answer points into; the weights stay until the end.
            std::vector<run::RunResult> runs;
            std::vector<run::GenerateResult> generations;
            VITRINE_TRY(go_to(need.checkpoint, answer.json));
            VITRINE_TRY(serve(need, runs, generations));
            for (std::size_t i = 0; i < runs.size(); ++i)
                add_answer(answer, i, runs[i]);
            for (std::size_t i = 0; i < generations.size(); ++i)
                add_answer(answer, i, generations[i]);
            for (const std::string& name : need.weights)
                if (const auto found = weights_.find(name); found != weights_.end())
                    answer.add("weights/" + name, found->second);
            VITRINE_TRY(step(answer));
            if (need.transient)
                for (const std::string& name : need.weights)
                    weights_.erase(name);
        }
        return std::move(*results_);
    }

private:
    Json rows_json(const std::vector<run::RunRow>& rows) const {
        Json list = Json::array();
        for (const run::RunRow& row : rows) {
            std::vector<std::string> tokens;
            for (const std::int32_t id : row.ids)
                tokens.push_back(services_.token_text ? services_.token_text(id) : std::to_string(id));
            std::vector<bool> special = row.special;
            special.resize(row.ids.size(), false);
            Json entry = run::to_json(row.marks);
            entry["ids"] = row.ids;
            entry["tokens"] = std::move(tokens);
            entry["special"] = std::move(special);
            list.push_back(std::move(entry));
        }
        return list;
    }

    Status go_to(const std::string& checkpoint, Json& answer) {
        if (checkpoint == at_.name) {
            if (!checkpoint.empty()) answer["checkpoint"] = {{"name", at_.name}, {"weights_hash", at_.hash}};
            return {};
        }
        const auto& known = services_.checkpoints;
        const bool there = std::any_of(known.begin(), known.end(),
                                       [&](const auto& point) { return point.name == checkpoint; });
        if (!services_.at_checkpoint || (!checkpoint.empty() && !there))
            return broken(fmt::format("it asks for the checkpoint \"{}\", which does not exist", checkpoint));
        VITRINE_TRY(cancel_.check());
        VITRINE_ASSIGN(at_.hash, services_.at_checkpoint(checkpoint));
        at_.name = checkpoint;
        return go_to(checkpoint, answer);
    }

    Status serve(const AnalysisNeed& need, std::vector<run::RunResult>& runs,
                 std::vector<run::GenerateResult>& generations) {
        for (const run::RunSpec& spec : need.runs) {
            VITRINE_TRY(cancel_.check());
            VITRINE_ASSIGN(run::RunResult result, services_.run(spec));
            runs.push_back(std::move(result));
        }
        for (const run::GenerateSpec& spec : need.generations) {
            VITRINE_TRY(cancel_.check());
            if (!services_.generate) return broken("it asks for a generation, which cannot be had here");
            VITRINE_ASSIGN(run::GenerateResult result, services_.generate(spec));
            generations.push_back(std::move(result));
        }
        for (const std::string& name : need.weights) {
            VITRINE_TRY(cancel_.check());
            if (weights_.contains(name)) continue;
            if (auto weight = weight_of(name)) weights_.emplace(name, std::move(*weight));
        }
        return {};
    }

    std::optional<Tensor> weight_of(const std::string& name) const {
        if (const auto found = services_.from_files.find(name); found != services_.from_files.end())
            return found->second;
        if (services_.coordinates == model::Coordinates::folded)
            return model::Folding(*services_.model).weight(name);
        const model::WeightId id = services_.model->find(name);
        if (id == model::no_weight) return std::nullopt;
        return model::widened(services_.model->at(id));
    }

    // One step; afterwards either need_ or results_ is set.
    Status step(OutgoingMessage& in) {
        VITRINE_TRY(cancel_.check());
        need_.reset();
        results_.reset();
        fault_.reset();
        const vitrine_message message = in.message();
        const vitrine_sink sink{this, &Host::receive};
        int status = 1;
        try {
            status = analysis_.table->step(state_.get(), &message, &sink);
        } catch (...) { // a foreign compiler's exception has no type here
        }
        VITRINE_TRY(cancel_.check());
        if (fault_) return tl::unexpected(std::move(*fault_));
        if (status != 0) return broken("a step ended badly");
        if (!need_ && !results_) return broken("a step sent nothing");
        return {};
    }

    static int receive(void* context, const vitrine_message* message) {
        auto& host = *static_cast<Host*>(context);
        if (host.cancel_.cancelled()) return 1;
        if (auto status = host.take(*message); !status && !host.fault_)
            host.fault_ = std::move(status.error());
        return host.fault_ ? 1 : 0;
    }

    Status take(const vitrine_message& message) {
        auto json = parse_json(message.json == nullptr ? "" : message.json, "message");
        if (!json || !json->is_object()) return broken("a message is not a JSON object");
        const Json share = json->value("progress", Json());
        if (progress_ && share.is_number()) {
            const Json doing = json->value("doing", Json());
            progress_(share.get<double>(), doing.is_string()
                                               ? doing.get<std::string>()
                                               : analysis_.manifest["title"].get<std::string>());
        }
        const bool is_need = json->contains("need");
        const bool is_done = json->contains("done");
        if ((is_need || is_done) && (need_ || results_)) return broken("a step sent two answers");
        if (is_need) {
            auto need = parse_need(json->at("need"), message, services_.stop_ids);
            if (!need) return broken(need.error());
            need_ = std::move(*need);
        } else if (is_done) {
            auto results = parse_done(json->at("done"), message, analysis_.manifest, services_.token_text);
            if (!results) return broken(results.error());
            results_ = std::move(*results);
            fill_texts(*results_);
        } else if (json->contains("error")) {
            return reported(json->at("error"));
        } else if (share.is_null()) {
            return broken("a message is neither a need, a result, an error nor progress");
        }
        return {};
    }

    void fill_texts(std::vector<ResultValue>& results) const {
        if (!services_.text) return;
        for (ResultValue& result : results) {
            if (!result.json.is_array()) continue;
            for (Json& row : result.json) {
                if (!row.is_object() || !row.contains("new_ids") || row.contains("text")) continue;
                std::vector<std::int32_t> ids;
                for (const Json& id : row["new_ids"])
                    if (id.is_number_integer()) ids.push_back(id.get<std::int32_t>());
                row["text"] = services_.text(ids);
            }
        }
    }

    // What the analysis itself refuses. Its internal errors are told like a broken interface.
    Status reported(const Json& error) const {
        if (!error.is_object() || !error.value("code", Json()).is_string() ||
            !error.value("message", Json()).is_string())
            return broken("an error has no code or message");
        const auto message = error.at("message").get<std::string>();
        const Code code = code_of(error.at("code").get<std::string>());
        if (code == Code::internal) return broken(message);
        return fail(code, message);
    }

    tl::unexpected<Error> broken(const std::string& what) const {
        return broken(Error{Code::internal, what});
    }
    tl::unexpected<Error> broken(const Error& error) const {
        return fail(error.code, fmt::format("The analysis {} failed: {}.", analysis_.id(), error.message));
    }

    const RegisteredAnalysis& analysis_;
    const AnalysisServices& services_;
    const CancelToken& cancel_;
    const Progress& progress_;
    std::unique_ptr<void, void (*)(void*)> state_;
    std::map<std::string, Tensor> weights_;
    struct {
        std::string name, hash;
    } at_; // the checkpoint that runs are made on; none: the model itself
    // Set by receive() during a step.
    std::optional<AnalysisNeed> need_;
    std::optional<std::vector<ResultValue>> results_;
    std::optional<Error> fault_;
};

} // namespace

Result<std::vector<ResultValue>> run_analysis(const RegisteredAnalysis& analysis, const Json& parameters,
                                              const std::vector<run::RunRow>& rows,
                                              const AnalysisServices& services, const CancelToken& cancel,
                                              const Progress& progress) {
    if (rows.empty() && analysis.manifest.value("prompts", "required") == "required")
        return fail(Code::usage, fmt::format("{} needs at least one prompt.", analysis.id()));
    for (const run::RunRow& row : rows)
        if (row.ids.empty())
            return fail(Code::usage, fmt::format("{} cannot work on an empty row.", analysis.id()));
    return Host(analysis, services, cancel, progress).run(parameters, rows);
}

} // namespace vitrine::engine
