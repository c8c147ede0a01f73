#pragma once
#include "core/analysis/lens_walk.h"

namespace vitrine::analysis {

/// The logit lens: what every layer would predict if it were the last.
class Lens : public LensWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(const Place& place) override;
    sdk::Reply finish() override;

private:
    std::vector<int> tokens_of(const Place& place) const;

    int top_ = 0;
    std::vector<int> tokens_; // empty: the model's own most likely one at each position
    sdk::ResultData logit_, prob_, rank_, entropy_, kl_;
    sdk::Json top_rows_ = sdk::Json::array();
    sdk::Json token_rows_ = sdk::Json::array();
};

/// Entropy, distance to the final distribution, largest probability and margin, by layer and position.
class LensEntropy : public LensWalk {
public:
    static sdk::Manifest manifest();

protected:
    std::optional<sdk::Failure> begin(const sdk::Start& start) override;
    void visit(const Place& place) override;
    sdk::Reply finish() override;

private:
    sdk::ResultData entropy_, kl_, top1_, margin_;
};

} // namespace vitrine::analysis
