#pragma once
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// Reads hooks of every layer of every row, as many rows at once as fit.
class LayerWalk : public sdk::Analysis {
public:
    sdk::Reply start(const sdk::Start& start) final;
    sdk::Reply step(const sdk::Answer& answer) final;

protected:
    /// Which hooks are read ("hook_resid_post", …); all [pos, d_model].
    virtual std::vector<std::string> begin(const sdk::Start& start) = 0;
    /// `values`: those hooks of one layer, in the same order.
    virtual void visit(int row, int layer, const std::vector<sdk::View>& values) = 0;
    virtual sdk::Done finish() = 0;

    const sdk::ModelFacts& model() const { return start_->model; }
    const std::vector<sdk::Row>& rows() const { return start_->rows; }

private:
    sdk::Need need();

    const sdk::Start* start_ = nullptr;
    std::vector<std::string> hooks_;
    int next_row_ = 0, rows_in_need_ = 0;
};

/// How alike the directions of different tokens are.
class Isotropy : public LayerWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::vector<std::string> begin(const sdk::Start& start) override;
    void visit(int row, int layer, const std::vector<sdk::View>& values) override;
    sdk::Done finish() override;

private:
    /// A mean over those rows that have a value.
    struct Mean {
        sdk::ResultData sum;
        std::vector<int> rows;
        void add(int layer, double value);
        sdk::ResultData result() const;
    };
    Mean mean(const char* name) const;

    int top_ = 0;
    Mean isotropy_, adjacent_, nonspecial_, without_top_;
};

/// Size, spread and similarity of the residual stream, layer by layer.
class ResidualGeometry : public LayerWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::vector<std::string> begin(const sdk::Start& start) override;
    void visit(int row, int layer, const std::vector<sdk::View>& values) override;
    sdk::Done finish() override;

private:
    double epsilon_ = 0;
    bool special_ = true;
    std::vector<sdk::ResultData> results_; // adjacent_cosine, norm, norm_ratio, mlp_ratio, rank, rate
};

/// Mean of cos(x_i, x_j) over the pairs i < j of `x`, [n, d]; NaN of fewer than two. Vectors of length 0
/// have the cosine 0 with any other.
double mean_pairwise_cosine(const std::vector<std::vector<double>>& x);
/// Mean of cos(x_i, x_{i+1}).
double mean_adjacent_cosine(const std::vector<std::vector<double>>& x);

} // namespace vitrine::analysis
