#pragma once
// What a person measures of a behaviour, for one row at one position: every analysis with `metric=` reads it
// here.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/sdk/input.h"
#include "core/sdk/output.h"

namespace vitrine::analysis {

enum class MetricKind { logit_diff, logit, prob, kl, loss, accuracy };

/// Answers and distractors come from the rows, else from the parameters; so does the position. Logits of
/// several answers average, probabilities add. [METHODS, Causal effects]
///   logit-diff  logit of the answer − logit of the distractor
///   logit       of the answer
///   prob        of the answer
///   kl          KL(clean ‖ this row) of the next-token distributions, nats
///   loss        mean −log p over the row's tokens after the first, nats; `position` does not count
///   accuracy    1 where the likeliest token is an answer, else 0; of equal logits the smaller id is it
class Metric {
public:
    /// The choice of metric= that comes first, and its explanation: a metric, or a word that the analysis
    /// knows.
    struct Choice {
        std::string name, doc;
    };
    /// The parameters metric, answer, distractor and position; `first` is the default where there is one.
    static void declare(sdk::Manifest& manifest, const std::optional<Choice>& first = std::nullopt);

    /// Reads the parameters and the marks of `rows`, whose order `prompt` below refers to. Failure: usage or
    /// out-of-range, one sentence that says which parameter or field to give.
    std::optional<sdk::Failure> read(const sdk::Start& start, const std::vector<sdk::Row>& rows);
    /// The same with the metric named by the caller.
    std::optional<sdk::Failure> read(const sdk::Start& start, const std::vector<sdk::Row>& rows,
                                     const std::string& metric);

    /// Asks a run whose rows are all as long as prompt `prompt` for what value() reads.
    void ask(sdk::Run& run, int prompt) const;
    /// Numbers of one row that such a run sends back: all logits for `kl` alone.
    std::int64_t numbers_per_row(const sdk::ModelFacts& model) const {
        return kind_ == MetricKind::kl ? model.vocab : 16;
    }

    /// What `kl` compares with; empty for the other metrics.
    std::vector<double> reference(const sdk::Answer& answer, int run, int row) const;
    /// The metric of one row; `clean`: reference() of the row that it is compared with.
    double value(const sdk::Answer& answer, int run, int row, int prompt,
                 const std::vector<double>& clean) const;

    MetricKind kind() const { return kind_; }
    const std::string& name() const { return name_; }
    /// Where it is read in that prompt, from the start.
    int position(int prompt) const { return places_[static_cast<std::size_t>(prompt)].position; }
    const std::vector<std::int32_t>& answers(int prompt) const {
        return places_[static_cast<std::size_t>(prompt)].answer;
    }

private:
    struct Place {
        int position = 0;
        std::vector<std::int32_t> answer, distractor;
    };
    std::optional<sdk::Failure> check(const sdk::Start& start, const Place& place, const std::string& row,
                                      int length) const;

    MetricKind kind_ = MetricKind::logit_diff;
    std::string name_;
    std::vector<Place> places_;
};

/// ln p of every token from its logits.
std::vector<double> log_probabilities(sdk::View logits);
/// KL(p ‖ q), nats, of ln p and ln q.
double divergence(const std::vector<double>& log_p, const std::vector<double>& log_q);

/// The rows that stand for themselves: those that are not the corrupted half of a pair.
std::vector<sdk::Row> uncorrupted(const std::vector<sdk::Row>& rows);

} // namespace vitrine::analysis
