#pragma once
// The direction between two sets of texts, and how well it tells texts apart that it was not made from.
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/sdk/analysis.h"

namespace vitrine::analysis {

class SteeringVector : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    using Vector = std::vector<double>;

    std::optional<sdk::Failure> choose();
    std::string hook(int layer) const;
    std::size_t end() const;
    sdk::Reply next();
    Vector read(sdk::View activations, const sdk::Row& row) const;
    double accuracy(std::size_t layer, const std::vector<char>& is_for) const;
    sdk::Done done();

    const sdk::Start* start_ = nullptr;
    std::string hook_, read_, exclude_;
    int layer_ = 0, draws_ = 0;
    std::vector<sdk::Row> texts_; ///< those for it first
    std::size_t for_it_ = 0;      ///< so many
    std::size_t next_ = 0;        ///< text of the next run
    std::mt19937_64 random_;
    std::vector<std::vector<Vector>> found_; ///< by layer and text
};

} // namespace vitrine::analysis
