#include "core/analysis/span_importance.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/analysis/unembed.h"

namespace vitrine::analysis {

sdk::Manifest SpanImportance::manifest() {
    sdk::Manifest manifest("span-importance", "Importance of demonstrations");
    manifest
        .summary(
            "What each span of a prompt, a demonstration of a few-shot prompt for example, does for a token "
            "that may come next: the probability with the span as it is less the probability with that one "
            "span dropped (later tokens move up), its tokens shuffled, or each of them replaced by a random "
            "one; above 0 the span helps. Shuffles and replacements are means over draws. Spans are given, "
            "or "
            "end with each separator; what stands behind the last separator is the question and is kept.")
        .citation(
            "Min et al. 2022, Rethinking the Role of Demonstrations: What Makes In-Context Learning Work?")
        .choice("change", {"drop", "shuffle", "corrupt"}, "what is done to a span")
        .text("separator", "\n", "spans end with the token that holds this text")
        .text("spans", nullptr, "spans by token positions in place of separators: 1:6,6:11 (end excluded)");
    declare_reading(manifest);
    return manifest.integer("draws", 5, "shuffles or replacements of each span", 1, 10000)
        .integer("seed", 0, "of the draws", 0)
        .result("importance", "series", "span; difference of probabilities, rows after one another")
        .result("spans", "table",
                "row, span, first, end, text, prob (without or changed), importance, delta_logit (logit with "
                "the span "
                "less without)")
        .result("read", "table", "row, position, id, prob, logit: what is read there of the prompt as it is")
        .result("conditions", "text", "change, draws, seed");
}

sdk::Reply SpanImportance::start(const sdk::Start& start) {
    start_ = &start;
    change_ = start.text("change");
    repeats_ = change_ == "drop" ? 1 : start.integer("draws");
    plain_ = plain_ids(start.model);
    draws_.emplace(static_cast<std::uint64_t>(start.integer("seed")));
    if (auto failure = read_readings(start, readings_)) return *failure;
    if (auto failure = find_spans()) return *failure;
    parts_.emplace(start.model.vocab);
    for (std::size_t row = 0; row < start.rows.size(); ++row) {
        const auto& ids = start.rows[row].ids;
        parts_->add({ids.begin(), ids.begin() + readings_[row].position + 1});
    }
    return parts_->need();
}

std::optional<sdk::Failure> SpanImportance::find_spans() {
    for (int row = 0; row < static_cast<int>(start_->rows.size()); ++row) {
        const std::size_t before = spans_.size();
        if (start_->given("spans")) {
            if (auto failure = named_spans(start_->text("spans"), row)) return failure;
        } else {
            separated_spans(start_->text("separator"), row);
        }
        if (spans_.size() == before)
            return sdk::Failure{"usage", "Row " + std::to_string(row) +
                                             " has no spans: name them with spans=, or give a separator that "
                                             "stands in it."};
    }
    return std::nullopt;
}

std::optional<sdk::Failure> SpanImportance::named_spans(const std::string& text, int row) {
    const int length = readings_[static_cast<std::size_t>(row)].position + 1;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        Span span;
        span.row = row;
        const auto first = std::from_chars(at, end, span.first);
        const bool colon = first.ec == std::errc() && first.ptr < end && *first.ptr == ':';
        const auto last = colon ? std::from_chars(first.ptr + 1, end, span.end) : first;
        if (!colon || last.ec != std::errc() || (last.ptr < end && *last.ptr != ',') || span.first < 0 ||
            span.end <= span.first || span.end > length || (span.first == 0 && span.end == length))
            return sdk::Failure{
                "usage", "The spans \"" + text + "\" are not as 1:6,6:11 within row " + std::to_string(row) +
                             ", which is read up to token " + std::to_string(length - 1) +
                             ": each needs a beginning and a later end, and something must be left."};
        spans_.push_back(span);
        at = last.ptr + 1;
    }
    return std::nullopt;
}

void SpanImportance::separated_spans(const std::string& separator, int row) {
    const sdk::Row& tokens = start_->rows[static_cast<std::size_t>(row)];
    const int length = readings_[static_cast<std::size_t>(row)].position + 1;
    int first = 0;
    for (int pos = 0; pos < length; ++pos) {
        const auto at = static_cast<std::size_t>(pos);
        if (pos == first && at < tokens.special.size() && tokens.special[at]) {
            ++first; // what starts the text stays
            continue;
        }
        if (separator.empty() || tokens.tokens[at].find(separator) == std::string::npos) continue;
        if (pos + 1 < length) spans_.push_back({row, first, pos + 1, 0, 0});
        first = pos + 1;
    }
}

std::vector<std::int32_t> SpanImportance::changed(const Span& span) {
    const auto& all = start_->rows[static_cast<std::size_t>(span.row)].ids;
    std::vector<std::int32_t> ids(all.begin(),
                                  all.begin() + readings_[static_cast<std::size_t>(span.row)].position + 1);
    const auto first = ids.begin() + span.first, end = ids.begin() + span.end;
    if (change_ == "drop") {
        ids.erase(first, end);
    } else if (change_ == "shuffle") {
        for (int left = span.end - span.first; left > 1; --left)
            std::swap(first[left - 1], first[draws_->below(left)]);
    } else {
        std::generate(first, end, [&] {
            return plain_[static_cast<std::size_t>(draws_->below(static_cast<int>(plain_.size())))];
        });
    }
    return ids;
}

sdk::Reply SpanImportance::step(const sdk::Answer& answer) {
    const bool more = parts_->take(answer, [&](std::size_t index, sdk::View logits) {
        if (clean_) {
            Reading& reading = readings_[index];
            if (reading.tokens.empty()) reading.tokens = largest(logits.data(), start_->model.vocab, 1);
            prob_.push_back(probability_of(logits, reading.tokens));
            logit_.push_back(logit_of(logits, reading.tokens));
            return;
        }
        Span& span = spans_[index / static_cast<std::size_t>(repeats_)];
        const auto& tokens = readings_[static_cast<std::size_t>(span.row)].tokens;
        span.prob += probability_of(logits, tokens) / repeats_;
        span.logit += logit_of(logits, tokens) / repeats_;
    });
    if (more) return parts_->need();
    if (!clean_) return finish();
    clean_ = false;
    parts_.emplace(start_->model.vocab);
    for (const Span& span : spans_)
        for (int draw = 0; draw < repeats_; ++draw)
            parts_->add(changed(span));
    return parts_->need();
}

sdk::Reply SpanImportance::finish() {
    sdk::Axis axis{"span", static_cast<std::int64_t>(spans_.size())};
    auto importance = sdk::ResultData::array("importance", "series", {axis});
    sdk::Json table = sdk::Json::array(), read = sdk::Json::array();
    int number = 0;
    for (std::size_t i = 0; i < spans_.size(); ++i) {
        const Span& span = spans_[i];
        number = i > 0 && spans_[i - 1].row == span.row ? number + 1 : 0;
        const auto row = static_cast<std::size_t>(span.row);
        importance.data[i] = prob_[row] - span.prob;
        std::string text;
        for (int pos = span.first; pos < span.end; ++pos)
            text += start_->rows[row].tokens[static_cast<std::size_t>(pos)];
        table.push_back({{"row", span.row},
                         {"span", number},
                         {"first", span.first},
                         {"end", span.end},
                         {"text", text},
                         {"prob", span.prob},
                         {"importance", importance.data[i]},
                         {"delta_logit", logit_[row] - span.logit}});
    }
    for (std::size_t row = 0; row < readings_.size(); ++row) {
        read.push_back({{"row", row},
                        {"position", readings_[row].position},
                        {"id", readings_[row].tokens.front()},
                        {"prob", prob_[row]},
                        {"logit", logit_[row]}});
        if (readings_[row].tokens.size() > 1) read.back()["ids"] = readings_[row].tokens;
    }
    std::string said = "Each span is dropped; what follows moves up.";
    if (change_ != "drop")
        said = (change_ == "shuffle"
                    ? std::string("The tokens of each span are shuffled")
                    : std::string("Each token of a span is replaced by any that is not special")) +
               ", " + std::to_string(repeats_) + " draws, seed " + std::to_string(start_->integer("seed")) +
               ".";
    return sdk::Done{{importance, sdk::ResultData::table("spans", std::move(table)),
                      sdk::ResultData::table("read", std::move(read)),
                      sdk::ResultData::text("conditions", said)}};
}

} // namespace vitrine::analysis
