#pragma once
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// e to the entropy of σ / Σσ (Roy and Vetterli 2007); NaN if all are zero.
double effective_rank(const std::vector<double>& singular_values);

/// Singular values of the model's matrices.
class WeightsSpectra : public sdk::Analysis {
public:
    static sdk::Manifest manifest();

    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    sdk::Need need() const;

    std::vector<sdk::MatrixFacts> matrices_;
    std::size_t next_ = 0;
    std::vector<std::vector<double>> spectra_;
    sdk::Json rows_ = sdk::Json::array();
};

} // namespace vitrine::analysis
