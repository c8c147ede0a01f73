#pragma once
#include <optional>
#include <utility>
#include <vector>

#include "core/analysis/unembed.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// How sure the model is, how much it looks at the first key, how early it knows, and how varied its text is,
/// step by step while it writes; of a generation, of a branch of one, or of a given text.
class GenerationLanes : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    struct Head {
        int layer = 0, head = 0;
    };
    std::optional<sdk::Failure> read_heads();
    std::optional<sdk::Failure> read_branch();
    sdk::ResultData lane(const std::string& name, std::vector<sdk::Axis> leading = {}) const;
    std::size_t offset(int row, int step) const;
    void add_steps(const sdk::Answer& answer, int row);
    void add_depth(const sdk::Answer& answer, int row, int step, std::int32_t id);
    void add_diversity(int row, const std::vector<std::int32_t>& ids);
    void add_rolling(int row, int steps);
    std::string note() const;

    const sdk::Start* start_ = nullptr;
    std::vector<Head> heads_;
    std::vector<std::pair<int, std::int32_t>> forced_;
    bool given_ = false; // the text is given, nothing is drawn
    bool depth_ = false;
    std::optional<Unembedding> unembedding_;
    std::vector<int> lengths_; // steps of each row
    int longest_ = 0;
    sdk::ResultData ids_, prob_, entropy_, varentropy_, top1_, margin_, sink_, first_, stays_, rolling_,
        switch_, types_, distinct_, heads_entropy_;
    sdk::Json tokens_ = sdk::Json::array(), others_ = sdk::Json::array(), diversity_ = sdk::Json::array();
};

} // namespace vitrine::analysis
