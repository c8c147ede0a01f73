#include "views/figure/lanes_for.h"

#include <algorithm>
#include <cmath>

#include "views/figure/quantity.h"

namespace vitrine::figure {

namespace {

using engine::ResultValue;

const ResultValue* find(const std::vector<ResultValue>& results, const std::string& name) {
    for (const ResultValue& result : results)
        if (result.name == name || result.name == name + "_difference") return &result;
    return nullptr;
}

bool by_step(const ResultValue& result) {
    return !result.axes.empty() && result.axes.back().name == "step" && !result.data.empty();
}

// The numbers of one row, and of one index along `head` where there is such an axis; without the NaN at the
// end of a shorter row.
std::vector<double> values_of(const ResultValue& result, std::size_t row, std::size_t head) {
    const auto steps = static_cast<std::size_t>(result.axes.back().size);
    const bool has_rows = result.axes.front().name == "row";
    const std::size_t heads = result.axes.size() == (has_rows ? 3U : 2U)
                                  ? static_cast<std::size_t>(result.axes[result.axes.size() - 2].size)
                                  : 1;
    const std::size_t from = ((has_rows ? row : 0) * heads + head) * steps;
    const std::size_t length =
        result.lengths.empty() ? steps : static_cast<std::size_t>(result.lengths[has_rows ? row : 0]);
    if (from + length > result.data.size()) return {};
    const auto begin = result.data.begin() + static_cast<std::ptrdiff_t>(from);
    return {begin, begin + static_cast<std::ptrdiff_t>(length)};
}

std::size_t rows_of(const ResultValue& result) {
    return result.axes.front().name == "row" ? static_cast<std::size_t>(result.axes.front().size) : 1;
}

struct Part {
    const char* result;
    const char* name; ///< within the lane
};
struct Plan {
    const char* title;
    const char* unit;
    std::vector<Part> parts;
    bool stepped = false;
    bool share = false; ///< from 0 to 1
};

const std::vector<Plan>& plans() {
    static const std::vector<Plan> all = {
        {"Entropy", "nats", {{"entropy", "entropy"}, {"rolling_entropy", "rolling"}}},
        {"Varentropy", "nats²", {{"varentropy", ""}}},
        {"Top token", "prob.", {{"top1", "largest"}, {"margin", "margin"}}, false, true},
        {"Sink mass", "share", {{"sink_mass", ""}}, false, true},
        {"Lens depth", "layer", {{"first_leads", "first leads"}, {"leads_from", "leads from"}}, true},
        {"Diversity", "share", {{"type_token_ratio", "tokens"}, {"distinct_n", "n-grams"}}, false, true}};
    return all;
}

bool of_difference(const std::vector<ResultValue>& results) {
    return std::any_of(results.begin(), results.end(),
                       [](const ResultValue& result) { return result.name.ends_with("_difference"); });
}

// One run: a row of a source.
struct Row {
    const std::vector<ResultValue>* results;
    std::size_t row;
};

Lanes::Line line_of(const std::vector<Row>& rows, const std::string& name, std::size_t head) {
    Lanes::Line out;
    for (const Row& row : rows) {
        const ResultValue* result = find(*row.results, name);
        const bool has = result && by_step(*result) && row.row < rows_of(*result);
        out.values.push_back(has ? values_of(*result, row.row, head) : std::vector<double>());
    }
    return out;
}

bool empty(const Lanes::Line& line) {
    return std::all_of(line.values.begin(), line.values.end(),
                       [](const auto& values) { return values.empty(); });
}

void subtract(Lanes::Line& line) {
    if (line.values.size() < 2) return;
    const std::size_t length = std::min(line.values[0].size(), line.values[1].size());
    std::vector<double> difference(length);
    for (std::size_t i = 0; i < length; ++i)
        difference[i] = line.values[0][i] - line.values[1][i];
    line.values = {std::move(difference)};
}

// Entropies of heads: a lane for each head that the first run has.
void add_heads(Lanes& out, const std::vector<Row>& rows, bool difference) {
    const ResultValue* result = find(*rows.front().results, "head_entropy");
    if (!result || !by_step(*result) || result->axes.size() < 2) return;
    const engine::ResultAxis& axis = result->axes[result->axes.size() - 2];
    for (std::size_t head = 0; head < static_cast<std::size_t>(axis.size); ++head) {
        Lanes::Lane lane;
        lane.title =
            (head < axis.labels.size() ? QString::fromStdString(axis.labels[head]) : QString::number(head)) +
            QStringLiteral(" entropy");
        lane.unit = QStringLiteral("nats");
        lane.lines.push_back(line_of(rows, "head_entropy", head));
        if (difference) subtract(lane.lines.back());
        out.lanes.push_back(std::move(lane));
    }
}

int parting_of(const std::vector<Lanes::Run>& runs) {
    if (runs.size() < 2) return -1;
    std::size_t same = runs.front().ids.size();
    for (const Lanes::Run& run : runs) {
        const auto [a, b] =
            std::mismatch(runs.front().ids.begin(), runs.front().ids.end(), run.ids.begin(), run.ids.end());
        same = std::min(same, static_cast<std::size_t>(a - runs.front().ids.begin()));
    }
    return static_cast<int>(same);
}

} // namespace

std::shared_ptr<Lanes> lanes_for(const std::vector<LaneSource>& sources, double threshold, bool difference) {
    auto out = std::make_shared<Lanes>();
    std::vector<Row> rows;
    for (const LaneSource& source : sources) {
        const ResultValue* ids = find(*source.results, "ids");
        const ResultValue* any = ids ? ids : find(*source.results, "entropy");
        if (!any || !by_step(*any)) continue;
        const std::size_t count = rows_of(*any);
        for (std::size_t row = 0; row < count && rows.size() < Lanes::most_runs; ++row) {
            Lanes::Run run;
            run.name = source.name + (count > 1 ? (source.name.isEmpty() ? QStringLiteral("row %1")
                                                                         : QStringLiteral(", row %1"))
                                                      .arg(row)
                                                : QString());
            for (const double id : values_of(*any, row, 0))
                run.ids.push_back(ids ? static_cast<int>(id) : 0);
            const ResultValue* tokens = find(*source.results, "tokens");
            if (tokens && tokens->json.is_array())
                for (const Json& entry : tokens->json) {
                    if (entry.value("row", std::size_t{0}) != row) continue;
                    if (run.tokens.empty()) run.first = entry.value("position", 0);
                    const auto text = entry.find("token");
                    run.tokens << (text != entry.end() && text->is_string()
                                       ? shown_token(text->get<std::string>())
                                       : QString::number(entry.value("id", 0)));
                }
            rows.push_back({source.results, row});
            out->runs.push_back(std::move(run));
        }
    }
    if (rows.empty()) return nullptr;
    const bool subtracted = difference && rows.size() == 2;
    const bool one = rows.size() == 1 || subtracted;
    for (const Plan& plan : plans()) {
        Lanes::Lane lane;
        lane.title = QString::fromUtf8(plan.title);
        lane.unit = QString::fromUtf8(plan.unit);
        lane.stepped = plan.stepped;
        for (std::size_t part = 0; part < plan.parts.size(); ++part) {
            // Of more than two runs a lane holds the main lines only: more would not be told apart.
            if (part > 0 && rows.size() > 2) break;
            Lanes::Line line = line_of(rows, plan.parts[part].result, 0);
            if (subtracted) subtract(line);
            if (empty(line)) continue;
            line.name = QString::fromUtf8(plan.parts[part].name);
            line.stroke = part == 0 ? Lanes::Stroke::solid : Lanes::Stroke::dashed;
            lane.lines.push_back(std::move(line));
        }
        if (lane.lines.empty()) continue;
        if (plan.share && !subtracted && !of_difference(*rows.front().results)) {
            lane.low = 0;
            lane.high = 1;
        }
        if (std::string(plan.title) == "Entropy" && !subtracted && std::isfinite(threshold))
            lane.threshold = threshold;
        if (std::string(plan.title) == "Lens depth") add_heads(*out, rows, subtracted);
        out->lanes.push_back(std::move(lane));
    }
    out->parting = parting_of(out->runs);
    if (rows.size() > 1) {
        const int parting = out->parting;
        const auto shortest =
            std::min_element(out->runs.begin(), out->runs.end(), [](const auto& a, const auto& b) {
                return a.ids.size() < b.ids.size();
            })->ids.size();
        out->said =
            QStringLiteral("Aligned by step, from the end of each prompt; ") +
            (parting == static_cast<int>(shortest) ? QStringLiteral("the same tokens as far as both go.")
             : parting == 0                        ? QStringLiteral("the first tokens already differ.")
                            : QStringLiteral("the same tokens before step %1.").arg(parting));
    }
    if (subtracted) {
        out->title = QStringLiteral("%1 minus %2").arg(out->runs[0].name, out->runs[1].name);
        out->said =
            out->said.left(out->said.size() - 1) + QStringLiteral("; lanes end with the shorter one.");
    }
    if (const Lanes::Line on = line_of(rows, "switch", 0); one && !subtracted && !empty(on))
        for (const auto& values : on.values) {
            out->shaded.emplace_back();
            for (const double value : values)
                out->shaded.back().push_back(value > 0);
        }
    return out;
}

} // namespace vitrine::figure
