#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/vocabulary.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// The full OV circuit of heads: which tokens a head writes where it attends to a token.
class HeadVocabulary : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    void choose_sources();
    sdk::Need layer_need() const;
    std::vector<std::vector<double>> read_by_heads(const sdk::Answer& answer) const;
    bool read_layer(const sdk::Answer& answer);
    void tell(int head, std::size_t source, const float* scores);

    const sdk::Start* start_ = nullptr;
    std::vector<int> layers_, heads_;
    std::size_t at_ = 0; ///< of layers_
    int top_ = 0, within_ = 0;
    bool listed_ = false; ///< sources were named: every one is told of
    std::vector<std::int32_t> sources_;
    std::vector<std::vector<double>> embeds_; ///< hook_embed of each source
    std::optional<Vocabulary> vocabulary_;
    sdk::ResultData copying_, anticopying_;
    sdk::Json writes_ = sdk::Json::array();
};

} // namespace vitrine::analysis
