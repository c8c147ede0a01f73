#include "core/analysis/metric.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace vitrine::analysis {

namespace {

constexpr std::array metric_names{"logit-diff", "logit", "prob", "kl", "loss", "accuracy"};

double log_sum(sdk::View logits) {
    const double largest = *std::max_element(logits.begin(), logits.end());
    double sum = 0;
    for (const float logit : logits)
        sum += std::exp(static_cast<double>(logit) - largest);
    return largest + std::log(sum);
}

double mean_over(const sdk::Json& logits, std::size_t begin, std::size_t end) {
    double sum = 0;
    for (std::size_t i = begin; i < end; ++i)
        sum += logits.at(i).get<double>();
    return sum / static_cast<double>(end - begin);
}

} // namespace

std::vector<double> log_probabilities(sdk::View logits) {
    const double whole = log_sum(logits);
    std::vector<double> log_p;
    log_p.reserve(static_cast<std::size_t>(logits.count()));
    for (const float logit : logits)
        log_p.push_back(static_cast<double>(logit) - whole);
    return log_p;
}

double divergence(const std::vector<double>& log_p, const std::vector<double>& log_q) {
    double sum = 0;
    for (std::size_t i = 0; i < log_p.size(); ++i)
        sum += std::exp(log_p[i]) * (log_p[i] - log_q[i]);
    return sum;
}

std::vector<sdk::Row> uncorrupted(const std::vector<sdk::Row>& rows) {
    std::vector<sdk::Row> kept;
    for (const sdk::Row& row : rows)
        if (row.role != "corrupted") kept.push_back(row);
    return kept;
}

void Metric::declare(sdk::Manifest& manifest, const std::optional<Choice>& first) {
    std::vector<std::string> choices(metric_names.begin(), metric_names.end());
    if (first) {
        std::erase(choices, first->name);
        choices.insert(choices.begin(), first->name);
    }
    manifest
        .choice(
            "metric", choices,
            (first ? first->name + ": " + first->doc + "; " : "") +
                "logit-diff: logit of the answer − logit of the distractor; logit and prob: of the answer; "
                "kl: KL(clean ‖ changed), nats; loss: mean −log p of the row's tokens, nats; accuracy: 1 "
                "where the likeliest token is an answer. Several answers: logits average, probabilities add")
        .tokens("answer", "of rows that have no answer of their own")
        .tokens("distractor", "of rows that have no distractor of their own; logit-diff alone reads it")
        .integer("position", -1,
                 "where the metric is read, of rows that have no position of their own; negative from the "
                 "end. loss reads the whole row");
}

std::optional<sdk::Failure> Metric::read(const sdk::Start& start, const std::vector<sdk::Row>& rows) {
    return read(start, rows, start.text("metric"));
}

std::optional<sdk::Failure> Metric::read(const sdk::Start& start, const std::vector<sdk::Row>& rows,
                                         const std::string& metric) {
    name_ = metric;
    kind_ = static_cast<MetricKind>(std::find(metric_names.begin(), metric_names.end(), metric) -
                                    metric_names.begin());
    places_.clear();
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const sdk::Row& row = rows[i];
        Place place;
        place.answer = row.answer.empty() ? start.tokens("answer") : row.answer;
        place.distractor = row.distractor.empty() ? start.tokens("distractor") : row.distractor;
        place.position = row.position.value_or(start.integer("position"));
        if (place.position < 0) place.position += row.size();
        if (auto failure =
                check(start, place, rows.size() == 1 ? "the row" : "row " + std::to_string(i), row.size()))
            return failure;
        places_.push_back(std::move(place));
    }
    return std::nullopt;
}

std::optional<sdk::Failure> Metric::check(const sdk::Start& start, const Place& place, const std::string& row,
                                          int length) const {
    if (kind_ == MetricKind::loss) {
        if (length < 2)
            return sdk::Failure{"usage", "metric=loss needs rows of at least two tokens, and " + row +
                                             " has one: give a longer text."};
        return std::nullopt;
    }
    if (place.position < 0 || place.position >= length)
        return sdk::Failure{"out-of-range", "The position of the metric lies outside " + row +
                                                ", which has " + std::to_string(length) +
                                                " tokens: give another position, or leave it out."};
    if (kind_ == MetricKind::kl) return std::nullopt;
    const auto missing = [&](const char* what) {
        return sdk::Failure{"usage", "metric=" + name_ + " needs to know the " + what + " of " + row +
                                         ": set " + what + "=TOKEN, or give the row a field \"" + what +
                                         "\"."};
    };
    if (place.answer.empty()) return missing("answer");
    if (kind_ == MetricKind::logit_diff && place.distractor.empty()) return missing("distractor");
    for (const auto* tokens : {&place.answer, &place.distractor})
        for (const std::int32_t token : *tokens)
            if (token < 0 || token >= start.model.vocab)
                return sdk::Failure{"out-of-range", "There is no token " + std::to_string(token) +
                                                        ", which is an answer or distractor of " + row +
                                                        ": the vocabulary has " +
                                                        std::to_string(start.model.vocab) + "."};
    return std::nullopt;
}

void Metric::ask(sdk::Run& run, int prompt) const {
    const Place& place = places_[static_cast<std::size_t>(prompt)];
    run.top = kind_ == MetricKind::accuracy ? 1 : 0;
    run.loss = kind_ == MetricKind::loss;
    run.logits = kind_ == MetricKind::kl;
    run.positions = sdk::Json::array({run.loss ? 0 : place.position});
    run.watch.clear();
    if (kind_ == MetricKind::logit_diff || kind_ == MetricKind::logit || kind_ == MetricKind::prob)
        run.watch = place.answer;
    if (kind_ == MetricKind::logit_diff)
        run.watch.insert(run.watch.end(), place.distractor.begin(), place.distractor.end());
}

std::vector<double> Metric::reference(const sdk::Answer& answer, int run, int row) const {
    if (kind_ != MetricKind::kl) return {};
    return log_probabilities(answer.logits(run, row)[0]);
}

double Metric::value(const sdk::Answer& answer, int run, int row, int prompt,
                     const std::vector<double>& clean) const {
    if (kind_ == MetricKind::kl) return divergence(clean, log_probabilities(answer.logits(run, row)[0]));
    const sdk::Json& told = answer.row(run, row);
    if (kind_ == MetricKind::loss)
        return told.at("loss").is_number() ? told.at("loss").get<double>() : std::nan("");
    const sdk::Json& position = told.at("positions").at(0);
    const Place& place = places_[static_cast<std::size_t>(prompt)];
    if (kind_ == MetricKind::accuracy) {
        const auto likeliest = position.at("top").at(0).at("id").get<std::int32_t>();
        return std::find(place.answer.begin(), place.answer.end(), likeliest) != place.answer.end() ? 1 : 0;
    }
    const sdk::Json& logits = position.at("watched");
    const std::size_t answers = place.answer.size();
    if (kind_ == MetricKind::prob) {
        double sum = 0;
        for (std::size_t i = 0; i < answers; ++i)
            sum += std::exp(logits.at(i).get<double>() - position.at("logsumexp").get<double>());
        return sum;
    }
    const double logit = mean_over(logits, 0, answers);
    return kind_ == MetricKind::logit ? logit
                                      : logit - mean_over(logits, answers, answers + place.distractor.size());
}

} // namespace vitrine::analysis
