#include <algorithm>
#include <cmath>
#include <iterator>

#include "core/analysis/axes.h"
#include "core/analysis/sink_rows.h"
#include "core/analysis/sinks.h"

namespace vitrine::analysis {

namespace {

// Below this length even a head that looks at all keys alike comes near the threshold, so there is no rate.
constexpr int shortest_row = 64;

} // namespace

sdk::Manifest SinkRate::manifest() {
    return sdk::Manifest("sink-rate", "Sink rate")
        .summary("Share of heads, over samples and layers, whose alpha at a key exceeds epsilon (strictly), "
                 "in percent; alpha_k = 1/(T−k) Σ_{i≥k} A[i,k]. Published for 100 sequences of T = 64 and "
                 "epsilon 0.3. A uniform head itself has alpha H_T/T (0.0741 at T = 64) and passes 0.3 for T "
                 "up to 9, so with a row of fewer than 64 tokens there is no rate (null, the note says why); "
                 "alpha is given all the same. With bos=both the rows are measured a second time: those that "
                 "start with a special token without it, the others with the model's BOS in front.")
        .citation("Gu et al. 2024, When Attention Sink Emerges in Language Models")
        .number("epsilon", 0.3, "alpha above which a head sinks", 0, 1)
        .integer("key", 0, "position of the key; negative from the end of each row")
        .integer("length", 0, "tokens that are kept of each row; 0: all. The published form keeps 64", 0)
        .choice("bos", {"given", "both"}, "rows as they are, or also with and without BOS side by side")
        .result("sink_rate", "number", "percent; null with rows shorter than 64 tokens")
        .result("alpha", "matrix", "layer × head; mean over rows")
        .result("uniform", "number", "alpha of a head that looks at all keys alike; mean over rows")
        .result("with_bos", "number", "bos=both: the rate with a special token (BOS) first")
        .result("without_bos", "number", "bos=both: the rate without it")
        .result("alpha_with_bos", "matrix", "bos=both: layer × head")
        .result("alpha_without_bos", "matrix", "bos=both: layer × head")
        .result("note", "text", "rows, their length, whether a BOS is present, why there is no rate");
}

void SinkRate::open_group(std::vector<sdk::Row>& all, std::vector<sdk::Row> rows) {
    Group group;
    group.first = all.size();
    group.rows = rows.size();
    group.alpha = layer_by_head("", model());
    const auto short_rows = std::count_if(rows.begin(), rows.end(),
                                          [](const sdk::Row& row) { return row.size() < shortest_row; });
    if (short_rows > 0)
        group.reason = "No rate: it needs rows of at least 64 tokens, and " +
                       (short_rows == 1 ? std::string("one has") : std::to_string(short_rows) + " have") +
                       " fewer.";
    std::move(rows.begin(), rows.end(), std::back_inserter(all));
    groups_.push_back(std::move(group));
}

std::optional<sdk::Failure> SinkRate::begin(const sdk::Start& start) {
    epsilon_ = start.number("epsilon");
    const int length = start.integer("length") > 0 ? start.integer("length") : start.model.context;
    std::vector<sdk::Row> given, with, without;
    for (const sdk::Row& row : start.rows)
        given.push_back(cut(row, length));
    sdk::Start measured = start;
    measured.rows.clear();
    open_group(measured.rows, std::move(given));
    if (start.text("bos") == "both") {
        if (!start.model.bos)
            return sdk::Failure{"unsupported",
                                "This model's tokenizer names no BOS token, so there is nothing "
                                "to compare: leave bos=given."};
        for (const sdk::Row& row : start.rows) {
            with.push_back(cut(with_bos(row, *start.model.bos), length));
            without.push_back(cut(without_bos(row), length));
            if (with.back().size() > start.model.context || without.back().size() == 0)
                return sdk::Failure{"out-of-range",
                                    "A row leaves no room for a BOS, or is nothing without it: "
                                    "give rows of other length, or set length."};
        }
        open_group(measured.rows, std::move(with));
        open_group(measured.rows, std::move(without));
    }
    if (auto failure = keys_of(measured, "key", keys_)) return failure;
    for (std::size_t row = 0; row < measured.rows.size(); ++row) {
        Group& group = group_of(static_cast<int>(row));
        group.uniform += uniform_alpha(start.model, measured.rows[row].size(), keys_[row]) /
                         static_cast<double>(group.rows);
    }
    use_rows(std::move(measured.rows));
    return std::nullopt;
}

SinkRate::Group& SinkRate::group_of(int row) {
    auto group = groups_.begin();
    while (static_cast<std::size_t>(row) >= group->first + group->rows)
        ++group;
    return *group;
}

void SinkRate::visit(int row, int layer, sdk::View pattern, const Besides&) {
    Group& group = group_of(row);
    for (int head = 0; head < pattern.size(0); ++head) {
        const double alpha = sink_alpha(pattern[head], keys_[static_cast<std::size_t>(row)]);
        group.alpha(layer, head) += alpha / static_cast<double>(group.rows);
        if (alpha > epsilon_) ++group.above;
        ++group.heads;
    }
}

sdk::Reply SinkRate::finish() {
    const auto rate = [](const char* name, const Group& group) {
        const double percent = 100.0 * static_cast<double>(group.above) / static_cast<double>(group.heads);
        return sdk::ResultData::number(name, group.reason.empty() ? percent : std::nan(""));
    };
    const auto alpha = [](const char* name, const Group& group) {
        sdk::ResultData result = group.alpha;
        result.name = name;
        return result;
    };
    const auto describe = [&](const Group& group) {
        const auto first = rows().begin() + static_cast<std::ptrdiff_t>(group.first);
        std::string text = describe_rows({first, first + static_cast<std::ptrdiff_t>(group.rows)});
        return group.reason.empty() ? text : text + " " + group.reason;
    };
    sdk::Done done{{rate("sink_rate", groups_[0]), alpha("alpha", groups_[0]),
                    sdk::ResultData::number("uniform", groups_[0].uniform)}};
    std::string note = describe(groups_[0]);
    if (groups_.size() > 1) {
        done.results.push_back(rate("with_bos", groups_[1]));
        done.results.push_back(rate("without_bos", groups_[2]));
        done.results.push_back(alpha("alpha_with_bos", groups_[1]));
        done.results.push_back(alpha("alpha_without_bos", groups_[2]));
        note += " With BOS: " + describe(groups_[1]) + " Without: " + describe(groups_[2]);
    }
    done.results.push_back(sdk::ResultData::text("note", note));
    return done;
}

} // namespace vitrine::analysis
