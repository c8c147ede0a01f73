#include "core/run/token_parts.h"

#include <algorithm>

namespace vitrine::run {

TokenParts::Part TokenParts::make(std::vector<int> tokens) const {
    Part part;
    part.rows.resize(static_cast<std::size_t>(whole_.rows()));
    part.places.assign(static_cast<std::size_t>(whole_.size()), absent);
    int row = 0;
    int before = -2;
    for (const int token : tokens) {
        if (token != before + 1 || token == whole_.row_start[static_cast<std::size_t>(row) + 1]) {
            row = whole_.row_of(token);
            part.rows[static_cast<std::size_t>(row)].push_back(part.batch.rows());
            part.row_of.push_back(row);
            part.batch.row_start.push_back(part.batch.size());
            part.batch.past.push_back(token - whole_.row_start[static_cast<std::size_t>(row)]);
        }
        part.places[static_cast<std::size_t>(token)] = part.batch.size();
        part.batch.tokens.push_back(whole_.tokens[static_cast<std::size_t>(token)]);
        before = token;
    }
    part.batch.row_start.push_back(part.batch.size());
    part.tokens = std::move(tokens);
    return part;
}

int TokenParts::of(std::vector<int> tokens) {
    const bool ascends =
        std::adjacent_find(tokens.begin(), tokens.end(), std::greater_equal<>()) == tokens.end();
    if (ascends && static_cast<int>(tokens.size()) == whole_.size()) return absent;
    const auto found = known_.find(tokens);
    if (found != known_.end()) return found->second;
    const int id = static_cast<int>(parts_.size());
    parts_.push_back(make(tokens));
    known_.emplace(std::move(tokens), id);
    return id;
}

int TokenParts::seen_by(int part) {
    if (part == absent) return absent;
    if (at(part).seen_known) return at(part).seen;
    std::vector<int> tokens;
    const Batch& queries = at(part).batch;
    for (int row = 0; row < queries.rows(); ++row) {
        const int begin = whole_.row_start[static_cast<std::size_t>(whole_row(part, row))];
        for (int i = 0; i < queries.keys(row); ++i)
            tokens.push_back(begin + i);
    }
    const int seen = of(std::move(tokens));
    Part& own = parts_[static_cast<std::size_t>(part)];
    own.seen = seen;
    own.seen_known = true;
    return seen;
}

const std::vector<int>& TokenParts::rows_of(int part, int whole_row) const {
    return at(part).rows[static_cast<std::size_t>(whole_row)];
}

std::vector<Batch> TokenParts::batches() const {
    std::vector<Batch> batches;
    for (const Part& part : parts_)
        batches.push_back(part.batch);
    return batches;
}

} // namespace vitrine::run
