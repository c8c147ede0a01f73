#pragma once
#include <optional>
#include <string>
#include <vector>

#include "core/analysis/vocabulary.h"
#include "core/sdk/analysis.h"

namespace vitrine::analysis {

/// Neurons as memories: what activates them, and which tokens their value vectors promote.
class FfnMemories : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    struct Trigger {
        int row = 0, pos = 0;
        float activation = 0;
    };

    sdk::Need rows_need();
    void take_triggers(const sdk::Answer& answer);
    sdk::Need layer_need() const;
    bool read_layer(const sdk::Answer& answer);
    void tell(int neuron, double length, const float* scores);
    std::vector<Trigger>& triggers(std::size_t layer, int neuron);
    int next_token(const Trigger& trigger) const;
    std::string context(const Trigger& trigger) const;
    sdk::Reply finish();

    const sdk::Start* start_ = nullptr;
    std::vector<int> layers_; ///< that are read
    std::size_t at_ = 0;      ///< of layers_, once rows are read
    int most_ = 0, top_ = 0, examples_ = 0;
    std::vector<std::vector<Trigger>> triggers_; ///< by layer read and neuron, strongest first
    std::optional<Vocabulary> vocabulary_;
    sdk::ResultData agreement_, control_;
    sdk::Json memories_ = sdk::Json::array(), values_ = sdk::Json::array();
    int next_row_ = 0, rows_in_need_ = 0;
};

/// What single neurons promote at one position, and how to change that.
class SubUpdates : public sdk::Analysis {
public:
    static sdk::Manifest manifest();
    sdk::Reply start(const sdk::Start& start) override;
    sdk::Reply step(const sdk::Answer& answer) override;

private:
    struct Place {
        int row = 0, position = 0;
        std::vector<std::vector<float>> post; ///< by layer read
    };

    sdk::Need layer_need() const;
    void read_layer(const sdk::Answer& answer, const Place& place);

    const sdk::Start* start_ = nullptr;
    std::vector<int> layers_;
    std::size_t at_ = 0;
    int most_ = 0, top_ = 0;
    std::vector<Place> places_;
    std::optional<Vocabulary> vocabulary_;
    sdk::Json updates_ = sdk::Json::array();
};

/// Row `neuron` of W_out as it reaches the residual stream: times the weight of the norm behind the MLP where
/// there is one (its mean taken off for LayerNorm), without that norm's scale, and times the residual scale.
std::vector<double> value_vector(const sdk::ModelFacts& model, const sdk::Answer& answer, int layer,
                                 int neuron);
/// The names of what value_vector() reads.
std::vector<std::string> value_weights(int layer);

} // namespace vitrine::analysis
