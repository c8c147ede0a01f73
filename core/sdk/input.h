#pragma once
// The messages that an analysis gets (abi.h), as C++.
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <unordered_map>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/sdk/abi.h"
#include "core/sdk/array.h"
#include "core/sdk/output.h"

namespace vitrine::sdk {

/// A stored matrix, [in, out].
struct MatrixFacts {
    std::string name;
    std::int64_t rows = 0, cols = 0;
};

/// Rotation of a layer's queries and keys; `dims` 0: none. Pair i (of dims / 2) turns by position ·
/// inverse_frequency[i]; pairs are (2i, 2i + 1) if interleaved, else (i, i + dims / 2).
struct RotaryFacts {
    int dims = 0;
    bool interleaved = false;
    double scale = 1; ///< on cosine and sine
    std::vector<double> inverse_frequency;
};

/// The shape of the model. `window`: keys that each layer sees, 0 for all. Logits are scaled, then
/// soft-capped (cap · tanh(logit / cap); 0: not).
struct ModelFacts {
    std::string family, norm, activation, positional;
    int layers = 0, d_model = 0, heads = 0, kv_heads = 0, d_head = 0, d_ff = 0, vocab = 0, context = 0;
    double norm_eps = 0, logit_scale = 1, logit_cap = 0;
    bool gated = false, tied = false, final_norm = true;
    /// Where a block's norms stand: "before" attention and MLP (ln1, ln2), on what they write
    /// ("branch_output": ln1_post, ln2_post), both ("sandwich"), or on the sums ("after_sum": ln1, ln2).
    std::string norm_place = "before";
    bool parallel = false;     ///< attention and MLP read the same residual stream
    double residual_scale = 1; ///< on what attention and MLP write, behind their own norms
    bool reindexable = false;  ///< whether "attention" may be "reindexed"
    std::vector<int> window;
    std::vector<MatrixFacts> matrices;
    std::vector<double> attention_scale; ///< by layer
    std::vector<RotaryFacts> rotary;     ///< by layer
    std::string qk_norm = "none";
    std::optional<std::int32_t> bos;
    std::vector<std::int32_t> special_ids;

    /// Keys that query `query` of a layer may look at, itself included.
    int visible_keys(int layer, int query) const {
        const int limit = window.empty() ? 0 : window[static_cast<std::size_t>(layer)];
        return limit > 0 && limit < query + 1 ? limit : query + 1;
    }
};

/// A point of the model's training.
struct CheckpointFacts {
    std::string name;
    std::int64_t step = 0;
};

/// The first message: parameters as the manifest declares them, the model, the rows.
struct Start {
    Json parameters;
    ModelFacts model;
    std::vector<Row> rows;
    std::vector<CheckpointFacts> checkpoints; ///< by step; empty unless the manifest asks for them

    double number(const char* name) const { return parameters.at(name).get<double>(); }
    int integer(const char* name) const { return parameters.at(name).get<int>(); }
    bool flag(const char* name) const { return parameters.at(name).get<bool>(); }
    std::string text(const char* name) const { return parameters.at(name).get<std::string>(); }
    /// Whether an optional parameter has a value.
    bool given(const char* name) const { return !parameters.at(name).is_null(); }
    std::vector<std::int32_t> tokens(const char* name) const {
        return given(name) ? parameters.at(name).get<std::vector<std::int32_t>>()
                           : std::vector<std::int32_t>();
    }
    /// A parameter of type `positions` in a row of `length` tokens, in the order given; nothing if one of
    /// them lies outside the row.
    std::optional<std::vector<int>> positions(const char* name, int length) const {
        const Json& value = parameters.at(name);
        std::vector<int> wanted;
        if (value.is_string())
            for (int pos = 0; pos < length; ++pos)
                wanted.push_back(pos);
        else
            wanted = value.is_array() ? value.get<std::vector<int>>() : std::vector<int>{value.get<int>()};
        for (int& pos : wanted) {
            if (pos < 0) pos += length;
            if (pos < 0 || pos >= length) return std::nullopt;
        }
        return wanted;
    }

    /// A parameter of type `rows`; none if it is not given.
    std::vector<Row> rows_of(const char* name) const {
        return given(name) ? read_rows(parameters.at(name)) : std::vector<Row>();
    }
    /// Rows as the first message has them.
    static std::vector<Row> read_rows(const Json& list) {
        std::vector<Row> rows;
        for (const Json& entry : list) {
            Row row{entry.at("ids"), entry.value("tokens", std::vector<std::string>()),
                    entry.value("special", std::vector<bool>())};
            row.answer = entry.value("answer", row.answer);
            row.distractor = entry.value("distractor", row.distractor);
            if (entry.contains("position")) row.position = entry.at("position").get<int>();
            row.role = entry.value("role", row.role);
            rows.push_back(std::move(row));
        }
        return rows;
    }

    static Start parse(const Json& json) {
        Start start;
        start.parameters = json.at("parameters");
        const Json& facts = json.at("model");
        ModelFacts& model = start.model;
        for (const auto& [name, field] : {std::pair{"family", &model.family},
                                          {"norm", &model.norm},
                                          {"activation", &model.activation},
                                          {"positional", &model.positional}})
            facts.at(name).get_to(*field);
        for (const auto& [name, field] : {std::pair{"layers", &model.layers},
                                          {"d_model", &model.d_model},
                                          {"heads", &model.heads},
                                          {"kv_heads", &model.kv_heads},
                                          {"d_head", &model.d_head},
                                          {"d_ff", &model.d_ff},
                                          {"vocab", &model.vocab},
                                          {"context", &model.context}})
            facts.at(name).get_to(*field);
        facts.at("norm_eps").get_to(model.norm_eps);
        // Later than the others: a host of before has models without them only.
        model.logit_scale = facts.value("logit_scale", 1.0);
        model.logit_cap = facts.value("logit_cap", 0.0);
        model.final_norm = facts.value("final_norm", true);
        model.norm_place = facts.value("norm_place", "before");
        model.parallel = facts.value("parallel", false);
        model.residual_scale = facts.value("residual_scale", 1.0);
        model.qk_norm = facts.value("qk_norm", "none");
        model.reindexable = facts.value("reindexable", false);
        model.attention_scale = facts.value("attention_scale", std::vector<double>());
        for (const Json& matrix : facts.value("matrices", Json::array()))
            model.matrices.push_back({matrix.at("name"), matrix.at("rows"), matrix.at("cols")});
        for (const Json& entry : facts.value("rotary", Json::array())) {
            RotaryFacts rotary;
            if (!entry.is_null())
                rotary = {entry.at("dims"), entry.at("interleaved"), entry.at("scale"),
                          entry.at("inverse_frequency").get<std::vector<double>>()};
            model.rotary.push_back(std::move(rotary));
        }
        facts.at("gated").get_to(model.gated);
        facts.at("tied").get_to(model.tied);
        facts.at("window").get_to(model.window);
        if (!facts.at("bos").is_null()) model.bos = facts.at("bos").get<std::int32_t>();
        facts.at("special_ids").get_to(model.special_ids);
        start.rows = read_rows(json.at("rows"));
        for (const Json& point : json.value("checkpoints", Json::array()))
            start.checkpoints.push_back({point.at("name"), point.at("step")});
        return start;
    }
};

/// The answer to a need. A name that is not there throws std::out_of_range, which ends the analysis with an
/// error; weights that a model may lack are asked for with has().
class Answer {
public:
    Answer(Json json, const vitrine_message& message) : json_(std::move(json)) {
        for (std::size_t i = 0; i < message.array_count; ++i)
            arrays_.emplace(message.arrays[i].name, &message.arrays[i]);
    }

    bool has(const std::string& name) const { return arrays_.contains(name); }
    View array(const std::string& name) const {
        const auto found = arrays_.find(name);
        if (found == arrays_.end()) throw std::out_of_range("no array named " + name + " was given");
        const vitrine_array& array = *found->second;
        if (array.dtype != VITRINE_F32) throw std::out_of_range("the array " + name + " is not float32");
        return {static_cast<const float*>(array.data), {array.shape, array.rank}};
    }
    View capture(int run, int row, const std::string& hook) const { return array(place(run, row) + hook); }
    bool has_capture(int run, int row, const std::string& hook) const { return has(place(run, row) + hook); }
    /// −log p of each token, NaN for the first, for runs with loss.
    View token_nll(int run, int row) const { return array(place(run, row) + "token_nll"); }
    /// [positions, vocab], for runs with logits.
    View logits(int run, int row) const { return array(place(run, row) + "logits"); }
    View weight(const std::string& name) const { return array("weights/" + name); }
    bool has_weight(const std::string& name) const { return has("weights/" + name); }

    /// Of the checkpoint that the need named.
    std::string weights_hash() const { return json_.at("checkpoint").at("weights_hash").get<std::string>(); }

    /// {"loss","positions"} of abi.h.
    const Json& row(int run, int row) const {
        return json_.at("runs")
            .at(static_cast<std::size_t>(run))
            .at("rows")
            .at(static_cast<std::size_t>(row));
    }
    /// {"new_ids","stop","steps"} of abi.h.
    const Json& generated(int generation, int row) const {
        return json_.at("generations")
            .at(static_cast<std::size_t>(generation))
            .at("rows")
            .at(static_cast<std::size_t>(row));
    }
    View generated_capture(int generation, int row, int step, const std::string& hook) const {
        return array("generation" + std::to_string(generation) + "/row" + std::to_string(row) + "/step" +
                     std::to_string(step) + "/" + hook);
    }

private:
    static std::string place(int run, int row) {
        return "run" + std::to_string(run) + "/row" + std::to_string(row) + "/";
    }

    Json json_;
    std::unordered_map<std::string, const vitrine_array*> arrays_;
};

} // namespace vitrine::sdk
