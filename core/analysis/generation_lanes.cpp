#include "core/analysis/generation_lanes.h"

#include <algorithm>

namespace vitrine::analysis {

namespace {

constexpr const char* lanes[] = {"entropy", "varentropy", "top1", "margin"};

// Mean over layers and heads of A[q,0], q the query that the token was drawn at.
double sink_mass(const sdk::Answer& answer, const sdk::ModelFacts& model, int row, int step) {
    double sum = 0;
    for (int layer = 0; layer < model.layers; ++layer) {
        const sdk::View pattern =
            answer.generated_capture(0, row, step, "blocks." + std::to_string(layer) + ".attn.hook_pattern");
        for (int head = 0; head < model.heads; ++head)
            sum += pattern(head, 0, 0);
    }
    return sum / model.layers / model.heads;
}

} // namespace

sdk::Manifest GenerationLanes::manifest() {
    return sdk::Manifest("generation-lanes", "Lanes of a generation")
        .summary(
            "Greedy generation, and by step: entropy and varentropy of the distribution that the token "
            "was drawn from (nats), its largest probability, the margin to the second, and the attention "
            "on key 0, mean over layers and heads, at the query that the token was drawn at.")
        .citation("Entropy-Guided Attention; entropix")
        .integer("max_new", 12, "tokens to generate", 1, 100000)
        .result("ids", "series", "[row ×] step")
        .result("entropy", "series", "[row ×] step, nats")
        .result("varentropy", "series", "[row ×] step, nats²")
        .result("top1", "series", "[row ×] step")
        .result("margin", "series", "[row ×] step")
        .result("sink_mass", "series", "[row ×] step")
        .result("tokens", "table", "what was generated");
}

sdk::Reply GenerationLanes::start(const sdk::Start& start) {
    start_ = &start;
    for (std::size_t row = 0; row < start.rows.size(); ++row)
        if (start.rows[row].size() >= start.model.context)
            return sdk::Failure{"out-of-range",
                                "Row " + std::to_string(row) +
                                    " fills the context, so nothing can be generated: shorten "
                                    "it."};
    sdk::Generation generation;
    generation.rows = start.rows;
    for (int layer = 0; layer < start.model.layers; ++layer)
        generation.captures.push_back("blocks." + std::to_string(layer) + ".attn.hook_pattern");
    generation.max_new = start.integer("max_new");
    sdk::Need need;
    need.generations.push_back(std::move(generation));
    return need;
}

sdk::Reply GenerationLanes::step(const sdk::Answer& answer) {
    const auto rows = static_cast<int>(start_->rows.size());
    std::vector<int> lengths;
    for (int row = 0; row < rows; ++row)
        lengths.push_back(static_cast<int>(answer.generated(0, row).at("steps").size()));
    const int longest = *std::max_element(lengths.begin(), lengths.end());
    sdk::Axis axis{"step", longest};
    axis.ragged = std::count(lengths.begin(), lengths.end(), longest) != rows;
    std::vector<sdk::Axis> axes;
    if (rows > 1) axes.push_back({"row", rows});
    axes.push_back(axis);
    const auto lane = [&](const std::string& name) {
        auto result = sdk::ResultData::array(name, rows > 1 ? "matrix" : "series", axes);
        if (axis.ragged) result.lengths = lengths;
        return result;
    };
    sdk::ResultData ids = lane("ids");
    ids.whole = true;
    std::vector<sdk::ResultData> results;
    for (const char* name : lanes)
        results.push_back(lane(name));
    sdk::ResultData sinks = lane("sink_mass");
    sdk::Json tokens = sdk::Json::array();
    for (int row = 0; row < rows; ++row) {
        const sdk::Json& steps = answer.generated(0, row).at("steps");
        for (std::size_t s = 0; s < steps.size(); ++s) {
            const std::size_t at = static_cast<std::size_t>(row) * static_cast<std::size_t>(longest) + s;
            ids.data[at] = steps[s].at("id").get<double>();
            for (sdk::ResultData& result : results)
                result.data[at] = steps[s].at(result.name).get<double>();
            sinks.data[at] = sink_mass(answer, start_->model, row, static_cast<int>(s));
            tokens.push_back({{"row", row},
                              {"position", steps[s].at("pos")},
                              {"id", steps[s].at("id")},
                              {"prob", steps[s].at("prob")}});
        }
    }
    results.insert(results.begin(), std::move(ids));
    results.push_back(std::move(sinks));
    results.push_back(sdk::ResultData::table("tokens", std::move(tokens)));
    return sdk::Done{std::move(results)};
}

} // namespace vitrine::analysis
