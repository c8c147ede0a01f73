#pragma once
// Attention sinks: how much a key takes, mean over the queries that come after it.
#include <string>
#include <vector>

#include "core/sdk/pattern_walk.h"

namespace vitrine::analysis {

/// alpha_k = 1/(T−k) Σ_{i≥k} A[i,k] of one head, `pattern` [query, key], k from 0.
double sink_alpha(sdk::View pattern, int key);

/// The alpha of a head that looks at every visible key alike, mean over layers: H_T/T for key 0 where all
/// keys are visible.
double uniform_alpha(const sdk::ModelFacts& model, int length, int key);

class SinkRate : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    // One way of setting the rows: as they are, with or without BOS.
    struct Group {
        std::size_t first = 0, rows = 0;
        sdk::ResultData alpha; // layer × head, mean over rows
        std::int64_t above = 0, heads = 0;
        double uniform = 0;
        std::string reason; // why there is no rate
    };
    void open_group(std::vector<sdk::Row>& all, std::vector<sdk::Row> rows);
    Group& group_of(int row);

    double epsilon_ = 0;
    std::vector<int> keys_; // by row
    std::vector<Group> groups_;
};

class SinkMap : public sdk::PatternWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(int row, int layer, sdk::View pattern, const Besides& besides) override;
    sdk::Reply finish() override;

private:
    sdk::ResultData alpha_;   // [row] layer × head × key
    sdk::ResultData uniform_; // [row] key
};

} // namespace vitrine::analysis
