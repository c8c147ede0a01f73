#include "core/analysis/emergence.h"

#include <algorithm>
#include <cmath>

namespace vitrine::analysis {

namespace {

sdk::Axis over_training(const std::vector<sdk::CheckpointFacts>& points) {
    sdk::Axis axis{"training_step", static_cast<std::int64_t>(points.size()), {}};
    for (const sdk::CheckpointFacts& point : points)
        axis.labels.push_back(std::to_string(point.step));
    return axis;
}

} // namespace

sdk::Manifest Emergence::manifest() {
    std::vector<std::string> names{"induction_rate"};
    for (const NamedScore& score : named_scores())
        if (score.name != names.front()) names.emplace_back(score.name);
    sdk::Manifest manifest("emergence", "Emergence over training");
    manifest
        .summary("One metric of every head (as head-metrics defines it) at each checkpoint of a training, on "
                 "the same rows, with the loss on these rows beside it: which heads learn what, when. MODEL "
                 "is a folder with a folder for each checkpoint (step-00020, step1000, checkpoint-500), or "
                 "one of these. Without prompts: BOS and random ids, twice.")
        .citation("Olsson et al. 2022, In-context Learning and Induction Heads; Gu et al. 2024, When "
                  "Attention Sink Emerges in Language Models")
        .prompts_optional()
        .checkpoints()
        .choice("metric", names, "which metric of a head")
        .number("epsilon", 0.3, "heads above it are counted; with metric=sink that is the sink rate of key 0",
                0);
    random_row_parameters(manifest);
    for (const NamedScore& score : named_scores())
        manifest.result(score.name, "matrix",
                        std::string("layer × head × training step, of the metric chosen; ") + score.doc);
    return manifest.result("over_heads", "series", "statistic (mean, largest) × training step")
        .result("share_above", "series", "training step; percent of heads above epsilon")
        .result("loss", "series", "training step; mean next-token loss on these rows, nats")
        .result("checkpoints", "table", "name, step and weights of each checkpoint")
        .result("rows", "table", "the ids that were measured")
        .result("note", "text", "where the rows come from, and what was left out");
}

std::optional<sdk::Failure> Emergence::begin(const sdk::Start& start) {
    epsilon_ = start.number("epsilon");
    for (const NamedScore& score : named_scores())
        if (start.text("metric") == score.name) score_ = &score;
    note_ = "Rows as given.";
    if (start.rows.empty()) {
        RandomRows random = random_rows(start);
        if (random.failure) return random.failure;
        note_ = random.note;
        use_rows(std::move(random.rows));
    }
    for (const sdk::Row& row : rows())
        if (row.size() < 2)
            return sdk::Failure{"out-of-range", "A row of one token has no loss: give rows of at least two."};
    repeats_ = repeating(rows());
    const auto without = std::count(repeats_.begin(), repeats_.end(), false);
    if (score_->needs_copies && without == static_cast<std::ptrdiff_t>(rows().size()))
        return sdk::Failure{"out-of-range", std::string("No token repeats in these rows, so there is no ") +
                                                score_->name +
                                                ": give other rows, or none for repeated random ids."};
    if (score_->needs_copies && without > 0)
        note_ += " Left out: " + std::to_string(without) + " rows in which no token repeats.";
    points_ = start.checkpoints;
    hashes_.resize(points_.size());
    std::vector<std::string> names;
    for (const sdk::CheckpointFacts& point : points_)
        names.push_back(point.name);
    use_checkpoints(std::move(names));
    also_loss();
    values_ = sdk::ResultData::array(
        score_->name, "matrix",
        {{"layer", start.model.layers}, {"head", start.model.heads}, over_training(points_)});
    loss_ = sdk::ResultData::array("loss", "series", {over_training(points_)});
    for (auto* result : {&values_, &loss_})
        std::fill(result->data.begin(), result->data.end(), 0.0);
    return std::nullopt;
}

void Emergence::visit(int row, int layer, sdk::View pattern, const Besides& besides) {
    const auto index = static_cast<std::size_t>(row);
    const auto point = static_cast<std::int64_t>(besides.pass);
    hashes_[besides.pass] = besides.answer.weights_hash();
    if (layer == 0)
        loss_(point) += besides.answer.row(0, besides.row_in_run).at("loss").get<double>() /
                        static_cast<double>(rows().size());
    if (score_->needs_copies && !repeats_[index]) return;
    const auto counted = score_->needs_copies ? std::count(repeats_.begin(), repeats_.end(), true)
                                              : static_cast<std::ptrdiff_t>(rows().size());
    for (int head = 0; head < pattern.size(0); ++head)
        values_(layer, head, point) +=
            head_scores(pattern[head], rows()[index].ids).*score_->value / static_cast<double>(counted);
}

sdk::Reply Emergence::finish() {
    const auto count = static_cast<int>(points_.size());
    auto over_heads = sdk::ResultData::array("over_heads", "series",
                                             {{"statistic", 2, {"mean", "largest"}}, over_training(points_)});
    auto share = sdk::ResultData::array("share_above", "series", {over_training(points_)});
    const int heads = model().layers * model().heads;
    for (int point = 0; point < count; ++point) {
        double sum = 0, largest = -INFINITY, above = 0;
        for (int head = 0; head < heads; ++head) {
            const double value = values_.data[static_cast<std::size_t>(head * count + point)];
            sum += value;
            largest = std::max(largest, value);
            above += value > epsilon_ ? 1 : 0;
        }
        over_heads(0, point) = sum / heads;
        over_heads(1, point) = largest;
        share(point) = 100 * above / heads;
    }
    sdk::Json table = sdk::Json::array();
    for (std::size_t i = 0; i < points_.size(); ++i)
        table.push_back(
            {{"checkpoint", points_[i].name}, {"step", points_[i].step}, {"weights_hash", hashes_[i]}});
    sdk::Json measured = sdk::Json::array();
    for (std::size_t row = 0; row < rows().size(); ++row)
        measured.push_back({{"row", row}, {"ids", rows()[row].ids}});
    return sdk::Done{
        {values_, over_heads, share, loss_, sdk::ResultData::table("checkpoints", std::move(table)),
         sdk::ResultData::table("rows", std::move(measured)), sdk::ResultData::text("note", note_)}};
}

} // namespace vitrine::analysis
